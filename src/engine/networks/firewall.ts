/** Bridges and published ports to one nftables table of ours, changed as one transaction. */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { debug } from '../../lib/debug.ts'
import { Failure, messageOf } from '../../lib/failure.ts'
import { spaceFailure } from '../base/space.ts'
import { formatAddress, formatSubnet, parseAddress, type Subnet } from './address.ts'
import type { PublishedPort } from './published-port.ts'
import type { Ruleset } from './ruleset.ts'

const log = debug('firewall')

/** What the firewall must know of a bridge. */
export interface BridgeRules {
  readonly bridge: string
  /** Nothing in, nothing out. */
  readonly internal: boolean
  /** Whether its containers may talk with each other through the host's ports, and over the bridge. */
  readonly icc: boolean
  /** Subnets whose packets leave under the host's address. */
  readonly masquerade: readonly Subnet[]
}

export const setTypes = {
  bridges: 'set bridges { type ifname; }',
  internal: 'set internal { type ifname; }',
  same: 'set same { type ifname . ifname; }',
  apart: 'set apart { type ifname; }',
  masquerade4: 'set masquerade4 { type ipv4_addr; flags interval; }',
  masquerade6: 'set masquerade6 { type ipv6_addr; flags interval; }',
  self4: 'set self4 { type ipv4_addr . ipv4_addr; }',
  self6: 'set self6 { type ipv6_addr . ipv6_addr; }',
  ports4: 'map ports4 { type inet_proto . ipv4_addr . inet_service : ipv4_addr . inet_service; }',
  any4: 'map any4 { type inet_proto . inet_service : ipv4_addr . inet_service; }',
  ports6: 'map ports6 { type inet_proto . ipv6_addr . inet_service : ipv6_addr . inet_service; }',
  datagrams4: 'set datagrams4 { type inet_service; }',
  datagrams6: 'set datagrams6 { type inet_service; }',
  relayed6: 'set relayed6 { type inet_service; }',
  any6: 'map any6 { type inet_proto . inet_service : ipv6_addr . inet_service; }',
} as const

type SetName = keyof typeof setTypes

/** An element of a set (key) or map (key and value). */
export interface Element {
  readonly set: SetName
  readonly key: string
  readonly value?: string
}

/*
 * forward stands before the filter priority so that ours are settled before others' rules see them; what others drop stays dropped.
 * raw: packets for the loopback from any wire, which route_localnet of our bridges would let in (CVE-2020-8558).
 * ports: the kernel lets no packet from ::1 leave by a bridge, and with br_netfilter none from a port of a bridge that is kept from the
 * others by way of that bridge, be it back to itself; the socket that holds the port relays those (port-holder.ts).
 * relayed: a datagram that a socket of every address relays is led to one address first, so that its answer comes from the one that was asked.
 * postrouting: what came from the host's loopback, and a container that calls a port of its own network or of its own by the host's
 * address, would be answered past us, so these leave under the bridge's address. With br_netfilter such a packet never leaves the bridge,
 * and shows no interface that it came by: addresses tell who calls itself (its bridge port is a hairpin, too). Everything else keeps its source (CVE-2021-20199);
 * so does what is sent on bridges of another engine, which may have come to use the same subnet.
 */
const chains = `
chain raw { type filter hook prerouting priority raw; policy accept;
  iif != "lo" ip daddr 127.0.0.0/8 drop
}
chain ports {
  iifname @apart return
  dnat ip to meta l4proto . ip daddr . th dport map @ports4
  dnat ip to meta l4proto . th dport map @any4
  ip6 daddr ::1 return
  dnat ip6 to meta l4proto . ip6 daddr . th dport map @ports6
  dnat ip6 to meta l4proto . th dport map @any6
}
chain relayed {
  ip6 daddr != fe80::/10 udp dport @relayed6 redirect
  iifname @apart meta nfproto ipv4 udp dport @datagrams4 redirect
  iifname @apart ip6 daddr != fe80::/10 udp dport @datagrams6 redirect
}
chain prerouting { type nat hook prerouting priority dstnat; policy accept;
  fib daddr type local jump relayed
  fib daddr type local jump ports
}
chain output { type nat hook output priority -100; policy accept;
  fib daddr type local jump ports
}
chain postrouting { type nat hook postrouting priority srcnat; policy accept;
  oifname @bridges ip saddr 127.0.0.0/8 masquerade
  ct status dnat iifname . oifname @same masquerade
  ct status dnat ip saddr . ip daddr @self4 masquerade
  ct status dnat ip6 saddr . ip6 daddr @self6 masquerade
  iifname @bridges oifname != @bridges ip saddr @masquerade4 masquerade
  iifname @bridges oifname != @bridges ip6 saddr @masquerade6 masquerade
}
chain into {
  iifname . oifname @same accept
  iifname @internal drop
  oifname @internal drop
  ct status dnat accept
  drop
}
chain forward { type filter hook forward priority filter - 1; policy accept;
  ct state vmap { established : accept, related : accept }
  oifname @bridges jump into
  iifname @internal drop
}
`

/** Elements of a bridge. @throws Failure when its name could be more than a name in nft's language. */
export function bridgeElements(rules: BridgeRules): Element[] {
  if (!isBridgeName(rules.bridge)) throw new Failure('invalid', `Cannot use "${rules.bridge}" as a bridge's name`)
  const name = `"${rules.bridge}"`
  return [
    { set: 'bridges', key: name },
    ...(rules.internal ? [{ set: 'internal' as const, key: name }] : []),
    rules.icc ? { set: 'same', key: `${name} . ${name}` } : { set: 'apart', key: name },
    ...(rules.internal ? [] : rules.masquerade).map(subnet => ({
      set: subnet.family === 4 ? ('masquerade4' as const) : ('masquerade6' as const),
      key: formatSubnet(subnet),
    })),
  ]
}

/** Linux allows more in an interface's name; nft's quotes and wildcards and the dots of sysctl names are left out. */
export function isBridgeName(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_-]{0,14}$/.test(name)
}

/** The elements of a published port: where it leads, that who is there may call it, and what of it a socket relays. */
export function portElements(port: PublishedPort): Element[] {
  const host = checkedAddress(port.hostIp)
  const target = checkedAddress(port.address)
  // no rule turns IPv6 into IPv4, the only way in which families differ: the socket that holds such a port relays what it gets
  const isRelayed = host.family !== target.family
  const address = formatAddress(target)
  const elements: Element[] = isRelayed
    ? []
    : [portElement(port), { set: target.family === 4 ? 'self4' : 'self6', key: `${address} . ${address}` }]
  if (port.protocol !== 'udp' || host.value !== 0n) return elements
  const led = host.family === 4 ? 'datagrams4' : 'datagrams6'
  elements.push({ set: isRelayed ? 'relayed6' : led, key: `${checkedPort(port.hostPort)}` })
  return elements
}

export function portElement(port: PublishedPort): Element {
  const host = checkedAddress(port.hostIp)
  const target = checkedAddress(port.address)
  if (host.family !== target.family)
    throw new Failure('internal', `Cannot lead ${port.hostIp} to ${port.address}: they are of different families`)
  const protocol = { tcp: 'tcp', udp: 'udp', sctp: 'sctp' }[port.protocol]
  const place = `${checkedPort(port.hostPort)}`
  const value = `${formatAddress(target)} . ${checkedPort(port.containerPort)}`
  if (host.value === 0n) return { set: host.family === 4 ? 'any4' : 'any6', key: `${protocol} . ${place}`, value }
  const set = host.family === 4 ? 'ports4' : 'ports6'
  return { set, key: `${protocol} . ${formatAddress(host)} . ${place}`, value }
}

function checkedAddress(text: string) {
  const address = parseAddress(text)
  if (!address) throw new Failure('invalid', `Cannot use "${text}" as an address`)
  return address
}

function checkedPort(port: number): number {
  if (Number.isInteger(port) && port > 0 && port < 65536) return port
  throw new Failure('invalid', `Cannot use ${port} as a port: it should be between 1 and 65535`)
}

/** Whatever was there before, the table with exactly these elements. */
export function tableText(table: string, elements: readonly Element[]): string {
  const sets = Object.values(setTypes).join('\n')
  const contents = elementsText(table, 'add', elements)
  return `add table inet ${table}\ndelete table inet ${table}\ntable inet ${table} {\n${sets}${chains}}\n${contents}`
}

/** `add` or `delete` commands, one a set. */
export function elementsText(table: string, verb: 'add' | 'delete', elements: readonly Element[]): string {
  return Object.entries(Object.groupBy(elements, element => element.set))
    .map(([set, members]) => {
      const list = members.map(({ key, value }) =>
        value === undefined || verb === 'delete' ? key : `${key} : ${value}`,
      )
      return `${verb} element inet ${table} ${set} { ${list.join(', ')} }\n`
    })
    .join('')
}

/**
 * Whether a listed table has these elements and all the rules: as nft prints it with handles, an element after another in braces,
 * a rule a line.
 */
export function isWhole(listing: string, elements: readonly Element[]): boolean {
  const present = new Map(
    listing.split(/^\t(?:set|map) /m).map(block => {
      const list = /elements = \{([^}]*)\}/.exec(block)?.[1] ?? ''
      const members = list.split(',').map(member => member.trim().replace(/\s+/g, ' '))
      return [block.split(' ')[0]!, new Set(members)]
    }),
  )
  const rules = listing.split('\n').filter(line => /[^{] # handle \d+$/.test(line))
  return (
    rules.length === chains.split('\n').filter(line => line.startsWith('  ')).length &&
    elements.every(({ set, key, value }) => present.get(set)?.has(value === undefined ? key : `${key} : ${value}`))
  )
}

export interface FirewallOptions {
  readonly table: string
  /** A file that is there while the table is; gone after a reboot, as the table is. */
  readonly marker: string
  readonly rules: Ruleset
  /** Hears of a table that was not as we had left it. */
  readonly say: (line: string) => void
}

export class Firewall {
  readonly #options: FirewallOptions
  readonly #wanted = new Map<string, readonly Element[]>()
  /** By set and key, what the kernel has; undefined: not known. */
  #installed: Map<string, Element> | undefined
  #flushing: Promise<void> | undefined
  /** Of others to the rules of this machine, when ours were known to be whole. */
  #changes: number | undefined
  /** Of our table then; undefined where we have changed it since. */
  #digest: bigint | undefined

  constructor(options: FirewallOptions) {
    this.#options = options
    this.#installed = existsSync(options.marker) ? undefined : new Map()
  }

  /** What an owner (a network, a container) wants from now on, in place of what it wanted; in effect after `flush`. */
  want(owner: string, elements: readonly Element[]): void {
    if (elements.length === 0) this.#wanted.delete(owner)
    else this.#wanted.set(owner, elements)
  }

  /** Makes the kernel's table what is wanted, also when others have changed it; changes of the same turn are one transaction. */
  flush(): Promise<void> {
    this.#flushing ??= new Promise<void>(resolve => setImmediate(resolve)).then(() => {
      this.#flushing = undefined
      this.#apply()
    })
    return this.#flushing
  }

  #apply(): void {
    const wanted = new Map([...this.#wanted.values()].flat().map(element => [identity(element), element]))
    if (wanted.size === 0) this.#removeTable()
    else if (this.#installed?.size === 0) this.#replaceTable(wanted)
    else if (this.#installed === undefined || !this.#isUntouched(this.#installed)) {
      // what isolates must be there again, whole
      if (!this.#isThere(this.#installed ?? wanted))
        this.#options.say(`The firewall table "${this.#options.table}" was not whole; it is written anew`)
      this.#replaceTable(wanted)
    } else this.#changeTable(this.#installed, wanted)
    this.#installed = wanted
  }

  #removeTable(): void {
    if (this.#installed?.size === 0) return
    const { table, marker, rules } = this.#options
    // "add" first: it may be gone already
    rules.run(`add table inet ${table}\ndelete table inet ${table}\n`)
    rmSync(marker, { force: true })
  }

  #replaceTable(wanted: Map<string, Element>): void {
    const { table, marker, rules } = this.#options
    try {
      writeFileSync(marker, '', { mode: 0o600 })
    } catch (error) {
      throw spaceFailure(error, marker)
    }
    this.#installed = undefined
    this.#changes = rules.changesOfOthers()
    this.#digest = undefined
    rules.run(tableText(table, [...wanted.values()]))
  }

  #changeTable(installed: Map<string, Element>, wanted: Map<string, Element>): void {
    const { table, rules } = this.#options
    const gone = [...installed].filter(([key]) => !wanted.has(key)).map(([, element]) => element)
    const come = [...wanted].filter(([key]) => !installed.has(key)).map(([, element]) => element)
    if (gone.length === 0 && come.length === 0) return
    this.#digest = undefined
    rules.run(elementsText(table, 'delete', gone) + elementsText(table, 'add', come))
  }

  /** Others change rules of their own, and flush everybody's: only then ours are looked at, and read when they are not what they were. */
  #isUntouched(installed: Map<string, Element>): boolean {
    const { table, rules } = this.#options
    const changes = rules.changesOfOthers()
    if (changes === this.#changes) return true
    // before it is read: what changes in between is another number the next time
    const digest = rules.digest(table, Object.keys(setTypes))
    if ((digest === undefined || digest !== this.#digest) && !this.#isThere(installed)) return false
    this.#changes = changes
    this.#digest = digest
    return true
  }

  #isThere(elements: Map<string, Element>): boolean {
    const { table, rules } = this.#options
    try {
      return isWhole(rules.run(`list table inet ${table}`), [...elements.values()])
    } catch (error) {
      log('no table: %s', messageOf(error))
      return false
    }
  }
}

function identity({ set, key, value }: Element): string {
  return `${set} ${key} ${value ?? ''}`
}
