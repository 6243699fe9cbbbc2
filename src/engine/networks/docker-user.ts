/** Our bridges past Docker's own firewall, where Docker runs beside us on the same host. */
import { readdirSync, readFileSync } from 'node:fs'
import { debug } from '../../lib/debug.ts'
import { messageOf } from '../../lib/failure.ts'
import { EngineName } from '../base/engine-name.ts'
import type { Ruleset } from './ruleset.ts'

const log = debug('firewall')

export type IpFamily = 'ip' | 'ip6'

/*
 * Docker drops every forwarded packet that is not its own (policy of FORWARD), also between containers of one bridge when br_netfilter
 * is loaded. An accept in our table does not undo that drop; only Docker's chain for others, DOCKER-USER, stands before it.
 * Our own table has judged a packet before it gets there, so what is left for our bridges may pass. Packets to Docker's bridges go on
 * to Docker's rules. The chain is iptables' by name, nftables' by nature: it is changed here without iptables, which this host may
 * not have even where Docker runs, and iptables reads these rules as its own.
 */
export function dockerUserRules(bridges: readonly string[], owner: string): string[] {
  const rule = (match: string, verdict: string) => `${match} counter ${verdict} comment "${owner}"`
  return bridges.flatMap(bridge => [
    rule(`oifname "${bridge}"`, 'accept'),
    rule(`iifname "${bridge}" oifname "docker*"`, 'return'),
    rule(`iifname "${bridge}" oifname "br-*"`, 'return'),
    rule(`iifname "${bridge}"`, 'accept'),
  ])
}

/** The chain as nft lists it, with handles → our rules in it. */
export function rulesOf(listing: string, owner: string): Array<{ readonly rule: string; readonly handle: string }> {
  const ours = new RegExp(`^\\s*(.+ comment "${owner}") # handle (\\d+)$`)
  return listing.split('\n').flatMap(line => {
    const found = ours.exec(line)
    return found ? [{ rule: found[1]!.replace(/counter packets \d+ bytes \d+/, 'counter'), handle: found[2]! }] : []
  })
}

/** By their names: interfaces and processes of this machine. */
export interface Present {
  readonly links: readonly string[]
  readonly processes: readonly string[]
}

/**
 * Handles of rules that engines have left of whom nothing is there any more: no bridge that the rules name, and no process by the engine's name, a
 * waiting nursery included. An engine that was killed and whose folders were removed takes none of them along, and each packet passes them all.
 */
export function forsaken(listing: string, { links, processes }: Present): readonly string[] {
  const owners = new Set(
    [...listing.matchAll(/ comment "(tscompose[_0-9a-f]*)" # handle /g)].map(([, owner]) => owner!),
  )
  return [...owners].flatMap(owner => {
    const short = EngineName.shortOf(owner)
    const rules = rulesOf(listing, owner)
    const names = rules.map(({ rule }) => /"([^"]+)"/.exec(rule)?.[1] ?? '*')
    const isThere = (name: string) =>
      links.some(link => (name.endsWith('*') ? link.startsWith(name.slice(0, -1)) : link === name))
    const isAlive = short === undefined || processes.some(name => name.startsWith(`${short}-`))
    return isAlive || names.some(isThere) ? [] : rules.map(({ handle }) => handle)
  })
}

export class DockerUser {
  readonly #owner: EngineName
  readonly #rules: Ruleset
  readonly #say: (line: string) => void
  readonly #look: () => Present
  /** The patterns last allowed by this engine; undefined: what an earlier one left is not known. */
  #allowed: string | undefined
  /** Of others to the rules of this machine, then. */
  #changes: number | undefined
  #ipv6 = false
  readonly #legacy = new Set<IpFamily>()
  /** Whose chains have been looked through for what nobody will take away. */
  readonly #swept = new Set<IpFamily>()

  /** `say` hears of what others took away, and of what cannot be had here. */
  constructor(
    owner: EngineName,
    {
      rules,
      say,
      look = present,
    }: { readonly rules: Ruleset; readonly say: (line: string) => void; readonly look?: () => Present },
  ) {
    this.#look = look
    this.#owner = owner
    this.#rules = rules
    this.#say = say
  }

  /**
   * Lets these bridges pass, and no others of ours; without Docker there is nothing to do. Bridges that have the engine's name go as one. IPv6 is
   * looked at from the first network on that has it.
   */
  async allow(bridges: readonly string[], ipv6: boolean): Promise<void> {
    const own = this.#owner.bridges
    const patterns = [...new Set(bridges.map(bridge => (bridge.startsWith(own) ? `${own}*` : bridge)))].sort()
    this.#ipv6 ||= ipv6
    const state = `${patterns.join()} ${this.#ipv6}`
    const isSame = this.#allowed === state
    const changes = this.#rules.changesOfOthers()
    if (isSame && changes === this.#changes) return
    this.#allowed = undefined
    const wanted = dockerUserRules(patterns, this.#owner.full)
    const families: readonly IpFamily[] = this.#ipv6 ? ['ip', 'ip6'] : ['ip']
    for (const family of families) {
      const changed = this.#allowIn(family, wanted)
      if (changed && isSame)
        this.#say(`Rules of our bridges were gone from ${family} DOCKER-USER; they are there again`)
    }
    this.#allowed = state
    this.#changes = changes
  }

  /** Whether anything was to be changed. */
  #allowIn(family: IpFamily, wanted: readonly string[]): boolean {
    const chain = `${family} filter DOCKER-USER`
    let present: ReturnType<typeof rulesOf>
    let left: readonly string[]
    try {
      const listing = this.#rules.run(`list chain ${chain}`)
      present = rulesOf(listing, this.#owner.full)
      left = this.#forsaken(family, listing)
    } catch (error) {
      log('no %s: %s', chain, messageOf(error))
      if (isLegacy(family) && !this.#legacy.has(family)) {
        this.#legacy.add(family)
        this.#say(
          `Rules of the old iptables (${family}) are in force here; they may drop what our containers send, and cannot be told to let it pass`,
        )
      }
      return false
    }
    const isSame = present.length === wanted.length && present.every(({ rule }, i) => rule === wanted[i])
    if (isSame && left.length === 0) return false
    const commands = [
      ...left.map(handle => `delete rule ${chain} handle ${handle}`),
      ...present.map(({ handle }) => `delete rule ${chain} handle ${handle}`),
      // each goes to the top
      ...wanted.map(rule => `insert rule ${chain} ${rule}`).reverse(),
    ]
    this.#rules.run(commands.join('\n'))
    return !isSame
  }

  /** Once: later ones are the next engine's business. */
  #forsaken(family: IpFamily, listing: string): readonly string[] {
    if (this.#swept.has(family)) return []
    this.#swept.add(family)
    const others = listing.replaceAll(new RegExp(`^.* comment "${this.#owner.full}" # handle .*$`, 'gm'), '')
    if (!others.includes(' comment "tscompose')) return []
    return forsaken(others, this.#look())
  }
}

function present(): Present {
  const processes = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(pid => {
      try {
        return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
      } catch {
        // ended while we looked
        return ''
      }
    })
  return { links: readdirSync('/sys/class/net'), processes }
}

/** The old iptables keeps its rules where nftables does not see them. */
function isLegacy(family: IpFamily): boolean {
  try {
    return readFileSync(`/proc/net/${family}_tables_names`, 'utf8').includes('filter')
  } catch {
    // the module that it needs is not loaded
    return false
  }
}
