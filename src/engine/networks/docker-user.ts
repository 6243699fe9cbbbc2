/** Our bridges past Docker's own firewall, where Docker runs beside us on the same host. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { debug } from '../../lib/debug.ts'
import { Failure, messageOf } from '../../lib/failure.ts'
import type { EngineName } from '../base/engine-name.ts'

const log = debug('firewall')

/*
 * Docker drops every forwarded packet that is not its own (policy of FORWARD), also between containers of one bridge when br_netfilter
 * is loaded. An accept in our table does not undo that drop; only Docker's chain for others, DOCKER-USER, stands before it.
 * Our own table has judged a packet before it gets there, so what is left for our bridges may pass. Packets to Docker's bridges go on
 * to Docker's rules.
 */
export function dockerUserRules(bridges: readonly string[], owner: string): string[] {
  const comment = `-m comment --comment ${owner}`
  return bridges.flatMap(bridge => [
    `-o ${bridge} ${comment} -j ACCEPT`,
    `-i ${bridge} -o docker+ ${comment} -j RETURN`,
    `-i ${bridge} -o br-+ ${comment} -j RETURN`,
    `-i ${bridge} ${comment} -j ACCEPT`,
  ])
}

/** One iptables-restore input that inserts (in order) or deletes them. */
export function restoreText(verb: 'insert' | 'delete', rules: readonly string[]): string {
  const lines = rules.map((rule, i) =>
    verb === 'insert' ? `-I DOCKER-USER ${i + 1} ${rule}` : `-D DOCKER-USER ${rule}`,
  )
  return `*filter\n${lines.join('\n')}\nCOMMIT\n`
}

export class DockerUser {
  readonly #owner: EngineName
  #work: Promise<void> = Promise.resolve()
  /** The patterns last allowed by this engine; undefined: what an earlier one left is not known. */
  #allowed: string | undefined
  #ipv6 = false

  constructor(owner: EngineName) {
    this.#owner = owner
  }

  /**
   * Lets these bridges pass, and no others of ours; without Docker there is nothing to do. Bridges that have the engine's name go as one. IPv6 is
   * looked at from the first network on that has it.
   */
  allow(bridges: readonly string[], ipv6: boolean): Promise<void> {
    const own = this.#owner.bridges
    const patterns = [...new Set(bridges.map(bridge => (bridge.startsWith(own) ? `${own}+` : bridge)))].sort()
    this.#ipv6 ||= ipv6
    this.#work = this.#work.catch(() => undefined).then(() => this.#allow(patterns))
    return this.#work
  }

  async #allow(patterns: readonly string[]): Promise<void> {
    const state = `${patterns.join()} ${this.#ipv6}`
    if (this.#allowed === state) return
    this.#allowed = undefined
    if (!existsSync('/sys/class/net/docker0') && !existsSync('/run/docker.sock')) return
    const wanted = dockerUserRules(patterns, this.#owner.full)
    const families = this.#ipv6 ? (['iptables', 'ip6tables'] as const) : (['iptables'] as const)
    await Promise.all(families.map(family => this.#allowIn(family, wanted)))
    this.#allowed = state
  }

  async #allowIn(command: 'iptables' | 'ip6tables', wanted: readonly string[]): Promise<void> {
    let present: string
    try {
      present = await run(command, ['-w', '-S', 'DOCKER-USER'])
    } catch (error) {
      // no such chain, or no iptables at all: Docker does not filter here
      log('%s has no DOCKER-USER: %s', command, messageOf(error))
      return
    }
    const mark = ` --comment ${this.#owner.full} `
    const ours = present
      .split('\n')
      .filter(line => line.startsWith('-A DOCKER-USER ') && line.includes(mark))
      .map(line => line.slice('-A DOCKER-USER '.length))
    if (ours.length === wanted.length && wanted.every(rule => ours.includes(rule))) return
    try {
      if (ours.length > 0) await run(`${command}-restore`, ['-w', '--noflush'], restoreText('delete', ours))
      if (wanted.length > 0) await run(`${command}-restore`, ['-w', '--noflush'], restoreText('insert', wanted))
    } catch (cause) {
      throw new Failure('internal', `Cannot let bridges pass Docker's firewall: ${messageOf(cause)}`, { cause })
    }
  }
}

function run(command: string, argv: readonly string[], input = ''): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const child = execFile(command, argv, (error, stdout) => (error ? reject(error) : resolve(stdout)))
  // a program that ends before it has read its input tells by its exit code what was wrong
  child.stdin?.on('error', error => log('%s: %s', command, messageOf(error)))
  child.stdin?.end(input)
  return promise
}
