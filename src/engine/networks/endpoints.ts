/** Containers on networks: addresses, names and veth pairs, from attach to detach. */
import { Failure } from '../../lib/failure.ts'
import { newId } from '../../lib/ids.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { InterfaceSpec } from '../../runtime/spec.ts'
import type { EngineName } from '../base/engine-name.ts'
import type { Events } from '../base/events.ts'
import type { Names } from '../dns/names.ts'
import { type Address, contains, type Family, formatAddress, parseAddress, parseMac, parseSubnet } from './address.ts'
import { type Attachment, defaultRoute, linkAddress, type Member, namesOf } from './attachment.ts'
import type { Bridges } from './bridge.ts'
import type { Departing } from './departing.ts'
import { type EndpointRequest, interfaceName, interfaceSysctls } from './endpoint-request.ts'
import type { Network } from './network.ts'

export interface EndpointsOptions {
  readonly runtime: Runtime
  readonly events: Events
  readonly names: Names
  readonly bridges: Bridges
  readonly departing: Departing
  readonly name: EngineName
  readonly find: (ref: string) => Network
  /** Gives a network what it lacks before its first endpoint. */
  readonly prepare: (network: Network) => Network
}

interface Endpoint {
  attachment: Attachment
  readonly network: Network
}

interface Attached {
  member: Member
  readonly endpoints: Endpoint[]
}

/** Of a bridge (BR_MAX_PORTS less the one that no port has). */
const mostPorts = 1023

export interface ConnectTo {
  readonly sandbox: string
  /** Called when the endpoint is in the books and nothing of it in the kernel: what is written down then can be found again. */
  readonly told?: () => Promise<void>
}

export class Endpoints {
  readonly #options: EndpointsOptions
  readonly #attached = new Map<string, Attached>()

  constructor(options: EndpointsOptions) {
    this.#options = options
  }

  async attach(member: Member, requests: readonly EndpointRequest[]): Promise<Attachment[]> {
    // one left over, of a start that was cut short, gives way
    this.detach(member.id)
    const attached: Attached = { member, endpoints: [] }
    try {
      const networks = requests.map(request => this.#usable(request.network))
      const route = defaultRoute(
        requests.map((request, i) => ({
          network: networks[i]!.name,
          internal: networks[i]!.internal,
          gwPriority: request.gwPriority,
          i,
        })),
      )
      const names = interfaceNames(requests)
      for (const [i, request] of requests.entries())
        attached.endpoints.push(
          this.#join(networks[i]!, member, request, { name: names[i]!, hasRoute: route?.i === i }),
        )
      this.#attached.set(member.id, attached)
      await Promise.all(networks.map(network => this.#options.bridges.ensure(network)))
      await this.#options.departing.giveWay(attached.endpoints.map(({ attachment }) => attachment))
    } catch (error) {
      for (const { attachment, network } of attached.endpoints) this.#leave(attachment, network, member.id)
      this.#attached.delete(member.id)
      if (error instanceof Failure)
        throw new Failure(error.kind, `failed to set up container networking: ${error.message}`, {
          cause: error,
          ...(error.hint === undefined ? {} : { hint: error.hint }),
        })
      throw error
    }
    if (!member.silent) for (const { network } of attached.endpoints) this.#emit('connect', network, member.id)
    return attached.endpoints.map(({ attachment }) => attachment)
  }

  /** The networks left. */
  detach(containerId: string): Network[] {
    const attached = this.#attached.get(containerId)
    if (!attached) return []
    this.#attached.delete(containerId)
    for (const { attachment, network } of attached.endpoints) {
      this.#options.departing.left(attachment)
      this.#leave(attachment, network, containerId)
      if (!attached.member.silent) this.#emit('disconnect', network, containerId)
    }
    return attached.endpoints.map(({ network }) => network)
  }

  async connect(member: Member, request: EndpointRequest, { sandbox, told }: ConnectTo): Promise<Attachment> {
    const network = this.#usable(request.network)
    const attached = this.#attached.get(member.id) ?? { member, endpoints: [] }
    if (network.members.has(member.id))
      throw new Failure('denied', `endpoint with name ${member.name} already exists in network ${network.name}`)
    const taken = attached.endpoints.map(({ attachment }) => attachment.interface.name)
    const [name = ''] = interfaceNames([request], taken)
    // the route is moved here once it is connected, if it belongs here
    const endpoint = this.#join(network, member, request, { name, hasRoute: false })
    attached.endpoints.push(endpoint)
    this.#attached.set(member.id, attached)
    try {
      await told?.()
      await this.#options.bridges.ensure(network)
      await this.#options.departing.giveWay([endpoint.attachment])
      await this.#options.runtime.runHost({
        kind: 'host',
        operations: [{ kind: 'connect', path: sandbox, interface: endpoint.attachment.interface }],
      })
    } catch (error) {
      attached.endpoints.splice(attached.endpoints.indexOf(endpoint), 1)
      this.#leave(endpoint.attachment, network, member.id)
      throw error
    }
    await this.#route(attached, sandbox)
    this.#emit('connect', network, member.id)
    return endpoint.attachment
  }

  async disconnect(network: Network, containerId: string, sandbox: string): Promise<Network> {
    const attached = this.#attached.get(containerId)
    const at = attached?.endpoints.findIndex(endpoint => endpoint.network.id === network.id) ?? -1
    if (!attached || at < 0)
      throw new Failure('internal', `container ${containerId} is not connected to network ${network.name}`)
    const { attachment } = attached.endpoints[at]!
    await this.#options.runtime.runHost({
      kind: 'host',
      operations: [{ kind: 'disconnect', path: sandbox, name: attachment.interface.name }],
    })
    attached.endpoints.splice(at, 1)
    this.#leave(attachment, network, containerId)
    await this.#route(attached, sandbox)
    this.#emit('disconnect', network, containerId)
    return network
  }

  /** The default route stays where it is unless its endpoint has gone or another one has a higher priority. */
  async #route({ endpoints }: Attached, sandbox: string): Promise<void> {
    const holder = endpoints.find(({ attachment }) => attachment.interface.gateways.length > 0)
    const best = bestRoute(endpoints)
    if (!best || best === holder) return
    const give = (endpoint: Endpoint, gateways: readonly string[]) => {
      endpoint.attachment = {
        ...endpoint.attachment,
        interface: { ...endpoint.attachment.interface, gateways },
      }
    }
    const { gateway, gateway6, interface: link } = best.attachment
    const gateways = [gateway, gateway6].filter(address => address !== undefined)
    if (gateways.length === 0) return
    await this.#options.runtime.runHost({
      kind: 'host',
      operations: [{ kind: 'route', path: sandbox, name: link.name, gateways }],
    })
    if (holder) give(holder, [])
    give(best, gateways)
  }

  /** What stood before an engine restart stands again, in the books. */
  adopt(member: Member, attachments: readonly Attachment[]): void {
    const attached: Attached = { member, endpoints: [] }
    for (const attachment of attachments) {
      const network = this.#options.find(attachment.networkId)
      for (const text of [attachment.ipv4, attachment.ipv6]) {
        const address = parseAddress(text?.split('/')[0] ?? '')
        if (address) poolOf(network, address.family)?.reserve(address)
      }
      this.#options.bridges.adopt(network)
      this.#enter(attachment, network, member)
      attached.endpoints.push({ attachment, network })
    }
    if (attached.endpoints.length > 0) this.#attached.set(member.id, attached)
  }

  /** The veth pairs of those on a network. */
  ports(network: Network): InterfaceSpec[] {
    return [...network.members.keys()].flatMap(id =>
      this.of(id)
        .filter(({ networkId }) => networkId === network.id)
        .map(attachment => attachment.interface),
    )
  }

  of(containerId: string): readonly Attachment[] {
    return this.#attached.get(containerId)?.endpoints.map(({ attachment }) => attachment) ?? []
  }

  /** The endpoint that published ports lead to: the one with the default route. */
  outward(
    containerId: string,
  ): { readonly attachment: Attachment; readonly network: Network; readonly member: Member } | undefined {
    const attached = this.#attached.get(containerId)
    const route = bestRoute(attached?.endpoints ?? [])
    return attached && route ? { ...route, member: attached.member } : undefined
  }

  rename(containerId: string, name: string): void {
    const attached = this.#attached.get(containerId)
    if (!attached) return
    attached.member = { ...attached.member, name }
    for (const endpoint of attached.endpoints) {
      const { attachment, network } = endpoint
      endpoint.attachment = { ...attachment, dnsNames: namesOf(attached.member, attachment.aliases) }
      this.#enter(endpoint.attachment, network, attached.member)
    }
  }

  #usable(ref: string): Network {
    const network = this.#options.prepare(this.#options.find(ref))
    if (network.record.configOnly) throw new Failure('denied', 'cannot create endpoint on configuration-only network')
    if (network.driver !== 'bridge')
      throw new Failure(
        'invalid',
        `Cannot attach to network "${network.name}": it is the mode of a container, not a bridge`,
      )
    return network
  }

  /** Takes addresses and a place on the network, without touching the kernel. */
  #join(
    network: Network,
    member: Member,
    request: EndpointRequest,
    place: { readonly name: string; readonly hasRoute: boolean },
  ): { attachment: Attachment; network: Network } {
    if (network.members.size >= mostPorts)
      throw new Failure(
        'conflict',
        `Cannot connect "${member.name}" to network "${network.name}": a bridge of Linux takes ${mostPorts} containers, and it has them`,
        { hint: 'Put some of them on another network' },
      )
    const endpointId = newId()
    const aliases = [...request.aliases]
    const four = takeAddress(network, 4, { asked: request.ipv4Address, owner: member.name })
    let six: Address | undefined
    try {
      six = takeAddress(network, 6, { asked: request.ipv6Address, owner: member.name })
    } catch (error) {
      if (four) poolOf(network, 4)?.release(four)
      throw error
    }
    const cidr = (address: Address | undefined) =>
      address && `${formatAddress(address)}/${poolOf(network, address.family)!.pool.subnet.prefix}`
    const gateway = (family: Family) => {
      const pool = network.internal ? undefined : poolOf(network, family)?.pool
      return pool && formatAddress(pool.gateway)
    }
    const mac =
      (request.macAddress && parseMac(request.macAddress)) ||
      linkAddress(network.id, cidr(four) ?? cidr(six) ?? endpointId)
    const attachment: Attachment = {
      network: network.name,
      networkId: network.id,
      endpointId,
      ipv4: cidr(four),
      ipv6: cidr(six),
      gateway: gateway(4),
      gateway6: gateway(6),
      mac,
      aliases,
      links: [...request.links],
      dnsNames: namesOf(member, aliases),
      gwPriority: request.gwPriority,
      record: network.record,
      interface: {
        host: this.#options.name.veth(endpointId),
        name: place.name,
        bridge: network.bridge,
        mac,
        addresses: [cidr(four), cidr(six), ...request.linkLocalIPs.map(linkLocal)].filter(each => each !== undefined),
        gateways: place.hasRoute ? [gateway(4), gateway(6)].filter(each => each !== undefined) : [],
        mtu: network.mtu,
        isolated: !network.icc,
        hairpin: member.publishes ?? false,
        sysctls: interfaceSysctls(request),
        cause: `NetworkingConfig.EndpointsConfig.${network.name}`,
      },
    }
    this.#enter(attachment, network, member)
    return { attachment, network }
  }

  #enter(attachment: Attachment, network: Network, member: Member): void {
    network.members.set(member.id, {
      Name: member.name,
      EndpointID: attachment.endpointId,
      MacAddress: attachment.mac,
      IPv4Address: attachment.ipv4 ?? '',
      IPv6Address: attachment.ipv6 ?? '',
    })
    this.#options.names.add({
      containerId: member.id,
      networkId: network.id,
      networkName: network.name,
      // the default bridge gives no names but those of links
      names: network.isDefaultBridge ? [] : attachment.dnsNames,
      group: member.group,
      links: Object.fromEntries(attachment.links.map(splitLink)),
      ipv4: attachment.ipv4?.split('/')[0],
      ipv6: attachment.ipv6?.split('/')[0],
      internal: network.internal,
    })
  }

  #leave(attachment: Attachment, network: Network, containerId: string): void {
    for (const text of [attachment.ipv4, attachment.ipv6]) {
      const address = parseAddress(text?.split('/')[0] ?? '')
      if (address) poolOf(network, address.family)?.release(address)
    }
    network.members.delete(containerId)
    this.#options.names.remove(containerId, network.id)
  }

  #emit(action: 'connect' | 'disconnect', network: Network, containerId: string): void {
    this.#options.events.emit('network', action, network.id, { ...network.attributes(), container: containerId })
  }
}

/** Where the default route is, or is to be. */
function bestRoute(endpoints: readonly Endpoint[]): Endpoint | undefined {
  const best = defaultRoute(
    endpoints.map(endpoint => ({
      network: endpoint.network.name,
      internal: endpoint.network.internal,
      gwPriority: endpoint.attachment.gwPriority,
      endpoint,
    })),
  )?.endpoint
  const holder = endpoints.find(({ attachment }) => attachment.interface.gateways.length > 0)
  return holder && best && holder.attachment.gwPriority >= best.attachment.gwPriority ? holder : best
}

/** As asked, otherwise the next free of eth0, eth1…. */
function interfaceNames(requests: readonly EndpointRequest[], taken: readonly string[] = []): string[] {
  const used = new Set([...taken, ...requests.map(interfaceName)])
  let index = 0
  const next = (): string => {
    while (used.has(`eth${index}`)) index++
    return `eth${index++}`
  }
  return requests.map(request => interfaceName(request) ?? next())
}

function poolOf(network: Network, family: Family) {
  return network.addresses.find(addresses => addresses.family === family)
}

/** The asked address or the next free one; undefined when the network has none of that family. */
function takeAddress(
  network: Network,
  family: Family,
  { asked: text, owner }: { readonly asked: string | undefined; readonly owner: string },
): Address | undefined {
  const invalid = (why: string) =>
    new Failure('invalid', `invalid config for network ${network.name}: invalid endpoint settings:\n${why}`)
  if (!text) return poolOf(network, family)?.allocate(owner)
  const address = parseAddress(text)
  if (address?.family !== family) throw invalid(`invalid IPv${family} address: ${text}`)
  if (network.isUnused(address)) return undefined
  const pool = poolOf(network, family)
  if (!pool || !contains(pool.pool.subnet, address)) throw invalid(`no configured subnet contains IP address ${text}`)
  pool.reserve(address)
  return address
}

/** RFC 3927; RFC 4291, 2.5.6. */
const linkLocals = ['169.254.0.0/16', 'fe80::/10'].map(text => parseSubnet(text)!)

function linkLocal(text: string): string {
  const address = parseAddress(text)
  if (!address || !linkLocals.some(subnet => contains(subnet, address)))
    throw new Failure('invalid', `invalid link local IP address: ${text}`)
  return `${formatAddress(address)}/${address.family === 4 ? 16 : 64}`
}

/** "db:database" or "db" → alias and name. */
function splitLink(link: string): [alias: string, name: string] {
  const [name = '', alias = name] = link.replace(/^\//, '').split(':')
  return [alias.toLowerCase(), name]
}
