/** A network's bridge: made when the first endpoint needs it, there until the network goes. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { debug } from '../../lib/debug.ts'
import { messageOf } from '../../lib/failure.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { HostOperation, InterfaceSpec } from '../../runtime/spec.ts'
import { KeyedLock } from '../base/keyed-lock.ts'
import { formatAddress } from './address.ts'
import { linkAddress } from './attachment.ts'
import type { DockerUser } from './docker-user.ts'
import { type BridgeRules, bridgeElements, type Firewall } from './firewall.ts'
import type { Link, NetworkKernel } from './kernel.ts'
import type { Network } from './network.ts'
import { RulesGuard } from './rules-guard.ts'

const log = debug('bridge')

/** Steps that make it. `forwarding`: what the host must switch on for it. */
export function bridgeOperations(network: Network, forwarding: readonly HostOperation[]): HostOperation[] {
  const addresses = network.addresses
    .filter(({ family }) => network.hasHostAddress(family))
    .map(({ pool }) => `${formatAddress(pool.gateway)}/${pool.subnet.prefix}`)
  const name = network.bridge
  return [
    { kind: 'create-bridge', name, addresses, mtu: network.mtu, mac: linkAddress(network.id, name) },
    // the host's 127.0.0.1 reaches published ports over the bridge; the firewall's raw chain keeps the wire's 127.0.0.1 out
    ...(network.internal ? [] : [sysctl(`net.ipv4.conf.${name}.route_localnet`, '1')]),
    ...forwarding,
  ]
}

export function bridgeRules(network: Network): BridgeRules {
  return {
    bridge: network.bridge,
    internal: network.internal,
    icc: network.icc,
    masquerade: network.masquerade ? network.addresses.map(({ pool }) => pool.subnet) : [],
  }
}

/**
 * Forwarding, where it is still off. It is not switched off again: who else came to rely on it meanwhile cannot be known.
 * With IPv6 forwarding the kernel stops listening to router advertisements unless told (accept_ra 2), and the host would lose its
 * own default route.
 */
export function forwardingOperations(
  ipv6: boolean,
  read: (name: string) => string | undefined = readSysctl,
): HostOperation[] {
  const operations: HostOperation[] = []
  if (read('net.ipv4.ip_forward') === '0') operations.push(sysctl('net.ipv4.ip_forward', '1'))
  if (!ipv6 || read('net.ipv6.conf.all.forwarding') !== '0') return operations
  for (const name of readdirSync('/proc/sys/net/ipv6/conf')) {
    // a name with a dot (a VLAN's) cannot be told in a sysctl's name
    if (name === 'all' || name === 'lo' || name.includes('.')) continue
    if (read(`net.ipv6.conf.${name}.accept_ra`) === '1') operations.push(sysctl(`net.ipv6.conf.${name}.accept_ra`, '2'))
  }
  operations.push(sysctl('net.ipv6.conf.all.forwarding', '1'))
  return operations
}

/** Our bridges are known by the link address that we gave them. */
function isOwn({ id, bridge }: Network, link: Link | undefined): boolean {
  return link?.mac === linkAddress(id, bridge)
}

function sysctl(name: string, value: string): HostOperation {
  return { kind: 'sysctl', name, value }
}

function readSysctl(name: string): string | undefined {
  const path = `/proc/sys/${name.replaceAll('.', '/')}`
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined
}

export interface BridgesOptions {
  readonly runtime: Runtime
  readonly firewall: Firewall
  readonly dockerUser: Pick<DockerUser, 'allow'>
  /** The host ends of those who are on a network already. */
  readonly ports: (network: Network) => readonly InterfaceSpec[]
  readonly kernel: Pick<NetworkKernel, 'link' | 'reaches' | 'whenRulesChange'>
  /** Hears of a bridge that was not as we had left it. */
  readonly say: (line: string) => void
}

export class Bridges {
  readonly #options: BridgesOptions
  /** By the bridge's name: whoever makes, heals or removes one is alone with it. */
  readonly #lock = new KeyedLock()
  /** By the bridge's name: a look whose turn has not come. */
  readonly #waiting = new Map<string, Promise<void>>()
  readonly #ready = new Set<string>()
  readonly #networks = new Map<string, Network>()
  /** What goes on after a bridge has gone; nobody waits for it but `close`. */
  #leaving: Promise<void> = Promise.resolve()
  #guard: RulesGuard | undefined

  constructor(options: BridgesOptions) {
    this.#options = options
  }

  /**
   * Resolves when the bridge is up and its rules hold, whatever others have done to them; asked for by many at once, it is made once.
   * `expected`: an earlier engine has made it.
   */
  ensure(network: Network, { expected = false }: { readonly expected?: boolean } = {}): Promise<void> {
    const waiting = expected ? undefined : this.#waiting.get(network.bridge)
    if (waiting) return waiting
    const free = this.#lock.isFree(network.bridge)
    const look = this.#lock.run(network.bridge, async () => {
      if (!free && this.#waiting.get(network.bridge) === look) this.#waiting.delete(network.bridge)
      const isReady = this.#ready.has(network.id)
      if (isReady && this.#isWhole(network)) return this.#keepRules()
      if ((isReady || expected) && !this.#isWhole(network))
        this.#options.say(
          `Bridge "${network.bridge}" of network "${network.name}" was not as it should be; it is made again`,
        )
      await this.#make(network)
      this.#ready.add(network.id)
    })
    // whoever asks before its turn is answered by it as well
    if (!free && !expected) this.#waiting.set(network.bridge, look)
    return look
  }

  async #make(network: Network): Promise<void> {
    const { runtime, firewall } = this.#options
    this.adopt(network)
    try {
      const operations = this.#isWhole(network) ? [] : this.#operations(network)
      await Promise.all([
        operations.length > 0 ? runtime.runHost({ kind: 'host', operations }) : undefined,
        this.#keepRules(),
      ])
    } catch (error) {
      if (network.members.size === 0) this.#forget(network)
      await firewall.flush()
      throw error
    }
  }

  #operations(network: Network): HostOperation[] {
    const { ports, kernel } = this.#options
    return [
      ...(this.#owns(network) ? [{ kind: 'delete-link' as const, name: network.bridge }] : []),
      ...bridgeOperations(network, forwardingOperations(network.addresses.some(({ family }) => family === 6))),
      // deleted, it has left its containers' ends on the host without a master
      ...ports(network)
        .filter(({ host }) => kernel.link(host))
        .map(({ host, isolated, hairpin }) => ({
          kind: 'join-bridge' as const,
          name: host,
          bridge: network.bridge,
          isolated,
          hairpin,
        })),
    ]
  }

  /** Once all that is wanted is known: rules are so, and from now on those that others take away come back by themselves. */
  async guardRules(): Promise<void> {
    const { firewall, kernel, say } = this.#options
    await firewall.flush()
    this.#guard = new RulesGuard(kernel, { mend: () => this.#keepRules(), say })
  }

  async #keepRules(): Promise<void> {
    await Promise.all([this.#options.firewall.flush(), this.#allow()])
  }

  /** A bridge will be wanted soon: what takes longest begins. A failure shows when it is waited for. */
  announce(network: Network): void {
    this.#networks.set(network.id, network)
    this.#allow().catch(error => log('%s', messageOf(error)))
  }

  /** The rules of a bridge that an earlier engine left, without making anything. */
  adopt(network: Network): void {
    this.#networks.set(network.id, network)
    this.#options.firewall.want(network.id, bridgeElements(bridgeRules(network)))
  }

  isThere(network: Network): boolean {
    return this.#options.kernel.link(network.bridge) !== undefined
  }

  /** There, and where it is ours, up and with an address of each family that the host has on it. */
  #isWhole(network: Network): boolean {
    const { kernel } = this.#options
    const link = kernel.link(network.bridge)
    if (link === undefined || !isOwn(network, link)) return link !== undefined
    const told = network.addresses
      // an address that is its whole subnet gives no route by which it is seen
      .filter(({ family, pool }) => network.hasHostAddress(family) && (family === 6 || pool.subnet.prefix < 32))
      .map(({ family }) => family)
    return link.isUp && told.every(family => kernel.reaches(network.bridge, family))
  }

  /** Of a network that is going; a bridge that was there before us, under a name somebody chose, stays. */
  remove(network: Network): Promise<void> {
    this.#waiting.delete(network.bridge)
    return this.#lock.run(network.bridge, () => this.#remove(network))
  }

  /** Of a network that stays, when nobody is on it: who has come meanwhile keeps it. */
  removeUnused(network: Network): Promise<void> {
    // a look that is asked for from now on comes after it
    this.#waiting.delete(network.bridge)
    return this.#lock.run(network.bridge, async () => {
      if (network.members.size === 0) await this.#remove(network)
    })
  }

  async #remove(network: Network): Promise<void> {
    const { runtime, firewall } = this.#options
    this.#forget(network)
    const operations: HostOperation[] = [{ kind: 'delete-link', name: network.bridge }]
    // no bridge is left that Docker's rules could matter to, so nobody has to wait for them
    this.#leaving = this.#allow().catch(error => log('%s', messageOf(error)))
    await Promise.all([
      this.#owns(network) ? runtime.runHost({ kind: 'host', operations }) : undefined,
      firewall.flush(),
    ])
  }

  #forget(network: Network): void {
    this.#ready.delete(network.id)
    this.#networks.delete(network.id)
    this.#options.firewall.want(network.id, [])
  }

  #owns(network: Network): boolean {
    return isOwn(network, this.#options.kernel.link(network.bridge))
  }

  #allow(): Promise<void> {
    const networks = [...this.#networks.values()]
    return this.#options.dockerUser.allow(
      networks.map(({ bridge }) => bridge),
      networks.some(({ record }) => record.enableIPv6),
    )
  }

  /** Bridges and their rules stay for the containers that run on; where there is no bridge, Docker's chain is left as it was. */
  async close(): Promise<void> {
    this.#guard?.close()
    await this.#leaving
    if ([...this.#networks.values()].some(network => this.isThere(network))) return
    this.#networks.clear()
    await this.#allow()
  }
}
