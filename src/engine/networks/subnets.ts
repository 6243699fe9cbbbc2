/** Subnets of networks for which nobody has chosen one: apart from one another, and from what the host reaches by other ways. */
import { overlaps, parseSubnet, type Subnet } from './address.ts'
import { type AddressPool, freeSubnet, type PoolRequest, withGateway } from './ipam.ts'
import type { NetworkKernel } from './kernel.ts'
import type { Network } from './network.ts'

interface SubnetsOptions {
  readonly pools: readonly AddressPool[]
  readonly kernel: Pick<NetworkKernel, 'hostSubnets'>
  readonly networks: () => Iterable<Network>
  /** Whether its bridge is, by which others see what it has. */
  readonly isThere: (network: Network) => boolean
  readonly say: (line: string) => void
}

export class Subnets {
  readonly #options: SubnetsOptions
  /** Ids of networks whose record does not have their subnet. */
  readonly #unsaved = new Set<string>()

  constructor(options: SubnetsOptions) {
    this.#options = options
  }

  /** Of all networks. */
  taken(): Subnet[] {
    return [...this.#options.networks()]
      .filter(({ record }) => !record.configOnly)
      .flatMap(network => network.addresses.map(({ pool }) => pool.subnet))
  }

  choose(): { subnet: string; gateway: string } {
    const { pools, kernel } = this.#options
    return withGateway(freeSubnet(pools, [...kernel.hostSubnets(), ...this.taken()]))
  }

  /** The default bridge gets its subnet when somebody looks at it or needs it. */
  shown(network: Network): Network {
    if (network.isDefaultBridge && network.addresses.length === 0) this.#use(network, [this.choose()])
    return network
  }

  /**
   * Before an endpoint comes to it. A network on which nobody is has no bridge, so that another engine, or whoever else makes networks here, may
   * have taken its subnet since: it gets another one, unless somebody has asked for the one it has.
   */
  used(network: Network): Network {
    const { kernel, isThere, say } = this.#options
    this.shown(network)
    if (network.driver !== 'bridge' || network.members.size > 0 || isThere(network)) return network
    const { pools } = network.record
    const host = pools.some(pool => isOurChoice(network, pool)) ? kernel.hostSubnets() : []
    const isLost = (pool: PoolRequest) =>
      isOurChoice(network, pool) && host.some(other => overlaps(parseSubnet(pool.subnet)!, other))
    const lost = pools.filter(isLost)
    if (lost.length === 0) return network
    const others = pools.map(pool => (isLost(pool) ? { ...this.choose(), automatic: true as const } : pool))
    this.#use(network, others)
    const texts = [lost, others.filter(pool => !pools.includes(pool))].map(each => each.map(({ subnet }) => subnet))
    say(`Network "${network.name}" has ${texts[1]!.join()}: ${texts[0]!.join()} is somebody else's on this machine now`)
    return network
  }

  /** Those of `ids` whose subnet is to be written down, once somebody is on them: the next engine must know it. */
  takeUnsaved(ids: readonly string[]): readonly Network[] {
    return [...this.#options.networks()].filter(({ id }) => ids.includes(id) && this.#unsaved.delete(id))
  }

  #use(network: Network, pools: readonly PoolRequest[]): void {
    network.usePools(pools)
    this.#unsaved.add(network.id)
  }
}

/** Of IPv4: one of IPv6 is made of the network's id, and nobody else's. */
function isOurChoice({ isDefaultBridge }: Network, { automatic, subnet }: PoolRequest): boolean {
  return (isDefaultBridge || automatic === true) && !subnet.includes(':')
}
