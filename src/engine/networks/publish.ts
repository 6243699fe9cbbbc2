/** Containers' ports on the host: who has which, held by sockets, led by the firewall. */
import { existsSync } from 'node:fs'
import type { PortBindings } from '../../api/container-body.ts'
import { debug } from '../../lib/debug.ts'
import { errnoOf, Failure, messageOf } from '../../lib/failure.ts'
import { portsOf } from '../../lib/ports.ts'
import type { Attachment, Member } from './attachment.ts'
import { type Firewall, portElements } from './firewall.ts'
import { type ForgetFlows, forgetFlowsOf } from './flows.ts'
import { inherit } from './inherit.ts'
import type { NetworkKernel } from './kernel.ts'
import { type WantedPort, type WantOptions, wantedPorts } from './port-bindings.ts'
import { type Hold, type Holder, hold, type Place, processAt, unheld } from './port-holder.ts'
import type { Target } from './port-relay.ts'
import type { PublishedPort } from './published-port.ts'

const log = debug('ports')

/** The container that publishes, and its addresses that the ports lead to. */
export interface Publisher {
  readonly id: string
  readonly name: string
  readonly endpointId: string
  readonly ipv4: string | undefined
  readonly ipv6: string | undefined
  /** Where its network wants ports that name no host address; undefined: it does not say. */
  readonly binding: string | undefined
}

export function publisherOf({
  attachment,
  member,
  network,
}: {
  readonly attachment: Attachment
  readonly member: Member
  readonly network: { readonly binding: string | undefined }
}): Publisher {
  return {
    id: member.id,
    name: member.name,
    endpointId: attachment.endpointId,
    ipv4: attachment.ipv4?.split('/')[0],
    ipv6: attachment.ipv6?.split('/')[0],
    binding: network.binding,
  }
}

interface Held {
  readonly name: string
  readonly ports: readonly PublishedPort[]
  readonly holders: readonly Holder[]
  /** What others have taken over, and may still have flows with it. */
  readonly passed?: readonly PublishedPort[]
}

/** Writes down who has what before anything of it is so: ports of the one that takes over, and of the other. */
export type RecordPorts = (taken: readonly PublishedPort[], left: readonly PublishedPort[]) => Promise<void>

type Wanted = Omit<WantOptions, 'ipv4' | 'ipv6' | 'binding'>

export interface TakeOver extends Wanted {
  /** Id of the container that has the ports. */
  readonly from: string
  readonly record: RecordPorts
}

const wildcards: readonly string[] = ['0.0.0.0', '::']

/** How often another random port is tried when the first is free for one address and not for the other. */
const tries = 16

export class PublishedPorts {
  readonly #firewall: Firewall
  readonly #forget: ForgetFlows
  readonly #binding: string | undefined
  readonly #hold: Hold
  readonly #held = new Map<string, Held>()

  /** @param binding where ports go that name no host address, of networks that do not say it; undefined: everywhere. */
  constructor(firewall: Firewall, kernel: Pick<NetworkKernel, 'forgetFlows' | 'hold'>, binding?: string) {
    this.#firewall = firewall
    this.#forget = kernel.forgetFlows
    this.#hold = kernel.hold ?? hold
    this.#binding = binding
  }

  #wanted({ ipv4, ipv6, binding }: Publisher, bindings: PortBindings, options: Wanted): readonly WantedPort[] {
    const six = ipv6 !== undefined ? 'direct' : existsSync('/proc/net/if_inet6') ? 'relayed' : 'none'
    const place = binding ?? this.#binding
    return wantedPorts(bindings, {
      ...options,
      binding: place === '0.0.0.0' ? undefined : place,
      ipv4: ipv4 !== undefined,
      ipv6: six,
    })
  }

  /** @throws Failure `internal` with Docker's words when a port is taken; who has it stands in the hint. */
  async publish(publisher: Publisher, bindings: PortBindings, options: Wanted): Promise<PublishedPort[]> {
    const wanted = this.#wanted(publisher, bindings, options)
    if (wanted.length === 0) return []
    const ports: PublishedPort[] = []
    const holders: Holder[] = []
    // what is being taken counts already, for others that ask meanwhile
    this.#held.set(publisher.id, { name: publisher.name, ports, holders })
    try {
      for (const port of wanted) await this.#take(port, publisher, { ports, holders })
      this.#want(publisher.id, ports)
      await this.#firewall.flush()
    } catch (error) {
      await this.unpublish(publisher.id)
      throw error
    }
    // those that came while nobody had the port
    forgetFlowsOf(ports, this.#forget)
    return ports
  }

  /**
   * The publisher gets its ports, those of another container among them: these pass from one packet to the next, in one change of the rules.
   * Connections that stand go on with the other one, for the kernel asks the rules only once a flow.
   */
  async takeOver(publisher: Publisher, bindings: PortBindings, { from, record, ...options }: TakeOver): Promise<void> {
    const old = this.#held.get(from) ?? { name: '', ports: [], holders: [] }
    const own = this.#held.get(publisher.id)
    if (own && own.ports.length > 0) return record(own.ports, old.ports)
    const { passing, open, inTheWay } = inherit(this.#wanted(publisher, bindings, options), old.ports)
    const isGone = (index: number) => inTheWay.includes(index) || passing.some(each => each.index === index)
    const left = {
      ...old,
      ports: old.ports.filter((_, i) => !isGone(i)),
      holders: old.holders.filter((_, i) => !isGone(i)),
    }
    const ports: PublishedPort[] = []
    const holders: Holder[] = []
    for (const index of inTheWay) old.holders[index]?.release()
    if (old.ports.length > 0) this.#held.set(from, { ...left, passed: [...(old.passed ?? []), ...old.ports] })
    this.#held.set(publisher.id, { name: publisher.name, ports, holders })
    try {
      for (const port of open) await this.#take(port, publisher, { ports, holders })
      const found = ports.length
      for (const { index, containerPort } of passing) {
        const { address: before, ...place } = old.ports[index]!
        ports.push({ ...place, containerPort, address: targetOf(publisher, place.hostIp) ?? before })
      }
      await record(ports, left.ports)
      for (const [i, { index }] of passing.entries()) {
        const holder = old.holders[index] ?? unheld(old.ports[index]!.hostPort)
        holder.lead(ports[found + i]!)
        holders.push(holder)
      }
      this.#want(from, left.ports)
      this.#want(publisher.id, ports)
      await this.#firewall.flush()
      // there is nothing of UDP that could end on the old one: who goes on sends to the new one, and not to one that is about to go
      forgetFlowsOf(ports, this.#forget)
    } catch (error) {
      await this.#giveBack(publisher.id, from, old, { inTheWay, record })
      throw error
    }
  }

  /** As it was before a take-over that failed. */
  async #giveBack(
    id: string,
    from: string,
    old: Held,
    { inTheWay, record }: { readonly inTheWay: readonly number[]; readonly record: RecordPorts },
  ): Promise<void> {
    for (const holder of this.#held.get(id)?.holders ?? []) if (!old.holders.includes(holder)) holder.release()
    this.#held.delete(id)
    const holders = [...old.holders]
    for (const index of inTheWay) holders[index] = await this.#holdAgain(old.ports[index]!, old.name)
    for (const [i, holder] of holders.entries()) holder.lead(old.ports[i]!)
    if (old.ports.length > 0) this.#held.set(from, { ...old, holders })
    this.#want(id, [])
    this.#want(from, old.ports)
    await record([], old.ports)
    await this.#firewall.flush()
  }

  /** Takes over what an earlier engine published: the rules stand, the places are held again. */
  async adopt(
    publisher: { readonly id: string; readonly name: string },
    ports: readonly PublishedPort[],
  ): Promise<void> {
    if (ports.length === 0) return
    const holders: Holder[] = []
    this.#held.set(publisher.id, { name: publisher.name, ports, holders })
    this.#want(publisher.id, ports)
    for (const port of ports) holders.push(await this.#holdAgain(port, publisher.name))
  }

  /** The rules go with the next flush of the firewall, which is the caller's, and then `forget` is. */
  release(containerId: string): readonly PublishedPort[] {
    const held = this.#held.get(containerId)
    if (!held) return []
    this.#held.delete(containerId)
    for (const holder of held.holders) holder.release()
    this.#want(containerId, [])
    return [...held.ports, ...(held.passed ?? [])]
  }

  /** Once the rules of released ports are gone: who sends on does not reach whoever has the address next. */
  forget(ports: readonly PublishedPort[]): void {
    forgetFlowsOf(ports, this.#forget)
  }

  async unpublish(containerId: string): Promise<void> {
    const ports = this.release(containerId)
    if (ports.length === 0) return
    await this.#firewall.flush()
    this.forget(ports)
  }

  /** The same places lead to the addresses that the publisher has now. */
  async lead(publisher: Publisher): Promise<void> {
    const held = this.#held.get(publisher.id)
    if (!held || held.ports.every(({ hostIp, address }) => address === (targetOf(publisher, hostIp) ?? address))) return
    const ports = held.ports.map(port => ({ ...port, address: targetOf(publisher, port.hostIp) ?? port.address }))
    for (const [i, port] of ports.entries()) held.holders[i]?.lead(port)
    this.#held.set(publisher.id, { ...held, ports })
    this.#want(publisher.id, ports)
    await this.#firewall.flush()
    this.forget(ports)
  }

  of(containerId: string): readonly PublishedPort[] {
    return this.#held.get(containerId)?.ports ?? []
  }

  close(): void {
    for (const { holders } of this.#held.values()) for (const holder of holders) holder.release()
  }

  #want(containerId: string, ports: readonly PublishedPort[]): void {
    this.#firewall.want(`ports ${containerId}`, ports.flatMap(portElements))
  }

  async #take(
    port: WantedPort,
    publisher: Publisher,
    into: { readonly ports: PublishedPort[]; readonly holders: Holder[] },
  ): Promise<void> {
    const candidates = port.hostPorts[0] === 0 ? Array<number>(tries).fill(0) : portsOf(port.hostPorts)
    let refusal: unknown
    for (const candidate of candidates) {
      const taken: Array<{ readonly holder: Holder; readonly port: PublishedPort }> = []
      try {
        for (const hostIp of port.hostIps) {
          const address = targetOf(publisher, hostIp)
          if (address === undefined)
            throw new Failure('internal', `Cannot publish on ${hostIp}: the container has no address for it`)
          const place = { protocol: port.protocol, hostIp, hostPort: taken[0]?.holder.port ?? candidate }
          const holder = await this.#holdFor(place, publisher, { address, containerPort: port.containerPort })
          const published = { ...place, hostPort: holder.port, containerPort: port.containerPort, address }
          taken.push({ holder, port: published })
        }
        for (const { holder, port: published } of taken) {
          into.holders.push(holder)
          into.ports.push(published)
        }
        return
      } catch (error) {
        for (const { holder } of taken) holder.release()
        refusal = error
      }
    }
    throw refusal
  }

  async #holdFor(place: Place, publisher: Publisher, target: Target): Promise<Holder> {
    const where = `${bracketed(place.hostIp)}:${place.hostPort}`
    const failed = (text: string, hint: string | undefined, cause?: unknown) =>
      new Failure(
        'internal',
        `failed to set up container networking: driver failed programming external connectivity on endpoint ${publisher.name} (${publisher.endpointId}): ${text}`,
        { ...(hint === undefined ? {} : { hint }), cause },
      )
    const holder = place.hostPort === 0 ? undefined : this.#containerAt(place)
    if (holder !== undefined)
      throw failed(
        `Bind for ${where} failed: port is already allocated`,
        `Stop container "${holder}", which has published it, or choose another port`,
      )
    try {
      return await this.#hold(place, target)
    } catch (error) {
      const code = errnoOf(error)
      const binding = `failed to bind host port for ${where}:${target.address}:${target.containerPort}/${place.protocol}`
      if (code === 'EADDRNOTAVAIL')
        throw failed(
          `${binding}: cannot assign requested address`,
          `Choose an address of this host instead of ${place.hostIp}`,
          error,
        )
      if (code === 'EACCES')
        throw failed(
          `${binding}: permission denied`,
          "Ports below net.ipv4.ip_unprivileged_port_start (1024) are root's: choose a higher one, or lower that setting",
          error,
        )
      if (code !== 'EADDRINUSE') throw error
      const process = processAt(place)
      throw failed(
        `${binding}: address already in use`,
        process
          ? `Stop process "${process.name}" (pid ${process.pid}), which has it, or choose another port`
          : 'Choose another port: something else on this host has it',
        error,
      )
    }
  }

  async #holdAgain(port: PublishedPort, name: string): Promise<Holder> {
    try {
      return await this.#hold(port, port)
    } catch (error) {
      // somebody took the place while no engine held it; the rules still lead to the container
      log('%s:%d of %s is not held: %s', port.hostIp, port.hostPort, name, messageOf(error))
      return unheld(port.hostPort)
    }
  }

  /** The name of the container that has the place. */
  #containerAt({ protocol, hostIp, hostPort }: Place): string | undefined {
    for (const { name, ports } of this.#held.values())
      for (const port of ports) {
        if (port.protocol !== protocol || port.hostPort !== hostPort) continue
        if (port.hostIp.includes(':') !== hostIp.includes(':')) continue
        if (port.hostIp === hostIp || wildcards.includes(port.hostIp) || wildcards.includes(hostIp)) return name
      }
    return undefined
  }
}

/** The container's address behind one of the host's: of the same family, or its IPv4 one by way of a relay. */
function targetOf({ ipv4, ipv6 }: Publisher, hostIp: string): string | undefined {
  return (hostIp.includes(':') ? ipv6 : undefined) ?? ipv4
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}
