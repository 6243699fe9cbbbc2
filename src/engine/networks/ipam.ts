/** Which subnet a network gets and which address an endpoint gets; pure. */
import { Failure } from '../../lib/failure.ts'
import {
  type Address,
  bits,
  contains,
  type Family,
  formatAddress,
  formatSubnet,
  lastOf,
  overlaps,
  parseAddress,
  parseSubnet,
  type Subnet,
} from './address.ts'

/** Away from where Docker (172.17–31, 192.168) and most home and office networks begin. */
export const defaultPools: readonly AddressPool[] = ['10.208.0.0/12', '172.30.0.0/16', '192.168.192.0/18'].map(text =>
  parsePool(text),
)

/** As settings have it: a subnet, or its address and the prefix length of each network. */
export type WantedPool = string | { readonly base: string; readonly size: number }

export interface AddressPool extends Subnet {
  /** The prefix length of a network; undefined: the usual one. */
  readonly each?: number | undefined
}

/**
 * The size of a subnet that nobody chose: 256 networks or more of a pool, of 253 containers at least. A bridge takes 1,023 ports
 * (BR_MAX_PORTS), so a /22 is room enough.
 */
function chosenPrefix(pool: AddressPool): number {
  if (pool.each !== undefined) return pool.each
  return Math.max(pool.prefix, Math.min(24, Math.max(22, pool.prefix + 8)))
}

/**
 * The first subnet of `pools` that overlaps none of `taken`.
 * @throws Failure when every one is taken.
 */
export function freeSubnet(pools: readonly AddressPool[], taken: readonly Subnet[]): Subnet {
  for (const pool of pools) {
    const prefix = chosenPrefix(pool)
    const step = 1n << BigInt(bits(pool.family) - prefix)
    const nearby = taken.filter(other => overlaps(pool, other))
    for (let base = pool.base; base <= lastOf(pool); base += step) {
      const subnet = { family: pool.family, base, prefix }
      if (!nearby.some(other => overlaps(subnet, other))) return subnet
    }
  }
  throw new Failure('invalid', 'all predefined address pools have been fully subnetted', {
    hint: 'Remove networks that are not needed, or give the network a subnet of its own',
  })
}

/** A subnet of ours, with the gateway it will have. */
export function withGateway(subnet: Subnet): { subnet: string; gateway: string } {
  const { gateway } = checkPool({ subnet: formatSubnet(subnet) })
  return { subnet: formatSubnet(subnet), gateway: formatAddress(gateway) }
}

/** A unique local /64 (RFC 4193) made of the network's id: stable, and nobody else's. */
export function uniqueLocalSubnet(networkId: string): Subnet {
  return { family: 6, base: BigInt(`0xfd${networkId.slice(0, 10)}`) << 80n, prefix: 64 }
}

/** A pool from settings. @throws Failure `invalid` for what is no subnet. */
export function parsePool(wanted: WantedPool): AddressPool {
  const text = typeof wanted === 'string' ? wanted : wanted.base
  const pool = parseSubnet(text)
  if (pool?.family !== 4)
    throw new Failure('invalid', `Cannot use address pool "${text}": it should be an IPv4 subnet such as 10.213.0.0/16`)
  if (typeof wanted === 'string') return pool
  // two addresses are the network's own, and the gateway has one
  if (wanted.size < pool.prefix || wanted.size > 29)
    throw new Failure(
      'invalid',
      `Cannot use address pool "${text}": networks of /${wanted.size} should be from /${pool.prefix} to /29`,
    )
  return { ...pool, each: wanted.size }
}

/** One subnet as a network was asked to have it. */
export interface PoolRequest {
  readonly subnet: string
  readonly ipRange?: string | undefined
  readonly gateway?: string | undefined
  readonly auxiliary?: Readonly<Record<string, string>> | undefined
  /** Nobody asked for it. */
  readonly automatic?: true | undefined
}

/** A subnet with its gateway and what is set apart in it. */
export interface Pool {
  readonly subnet: Subnet
  /** Where addresses nobody chose come from. */
  readonly range: Subnet
  readonly gateway: Address
  readonly auxiliary: readonly Address[]
}

/** @throws Failure `invalid` in Docker's words. */
export function checkPool(request: PoolRequest): Pool {
  const subnet = parseSubnet(request.subnet)
  if (!subnet) throw invalid(`invalid subnet ${request.subnet}: invalid CIDR block notation`)
  const range = request.ipRange ? parseSubnet(request.ipRange) : subnet
  if (!range) throw invalid(`invalid ip-range ${request.ipRange}: invalid CIDR block notation`)
  if (!contains(subnet, { family: range.family, value: range.base }) || range.prefix < subnet.prefix)
    throw invalid(`invalid ip-range ${request.ipRange}: it should be within subnet ${formatSubnet(subnet)}`)
  const gateway = request.gateway ? within(subnet, request.gateway, 'gateway') : firstHost(subnet)
  const auxiliary = Object.values(request.auxiliary ?? {}).map(text => within(subnet, text, 'auxiliary address'))
  return { subnet, range, gateway, auxiliary }
}

/** Docker's clients may send a gateway with a prefix length. */
function within(subnet: Subnet, text: string, what: string): Address {
  const address = parseAddress(text.split('/')[0]!)
  if (!address) throw invalid(`invalid ${what} ${text}: it should be an address`)
  if (!contains(subnet, address))
    throw invalid(`invalid ${what} ${text}: parent subnet is ${formatSubnet(subnet)}, address should be within it`)
  return address
}

function firstHost(subnet: Subnet): Address {
  return { family: subnet.family, value: subnet.base + (bits(subnet.family) - subnet.prefix > 1 ? 1n : 0n) }
}

function invalid(text: string): Failure {
  return new Failure('invalid', `invalid network config:\n${text}`)
}

/** @throws Failure `denied` in Docker's words when `subnet` overlaps one of `others`. */
export function checkOverlap(subnet: Subnet, others: readonly Subnet[]): void {
  if (others.some(other => overlaps(subnet, other)))
    throw new Failure('denied', 'invalid pool request: Pool overlaps with other one on this address space', {
      hint: `Choose another subnet than ${formatSubnet(subnet)}`,
    })
}

/** More than a bridge has ports. */
const remembered = 2048

/** The addresses of one pool: which are taken, and which comes next. */
export class Addresses {
  readonly pool: Pool
  readonly #taken = new Set<bigint>()
  /** Who had which address last, the longest unused first. */
  readonly #last = new Map<string, bigint>()
  #next: bigint

  /** Without a gateway its address is one like the others: nobody leads out of the network, and the host is not on it. */
  constructor(pool: Pool, { hasGateway = true }: { readonly hasGateway?: boolean } = {}) {
    this.pool = pool
    this.#next = pool.range.base
    for (const address of [...(hasGateway ? [pool.gateway] : []), ...pool.auxiliary]) this.#taken.add(address.value)
    // a network's own and its broadcast address; /31 and /127 have neither (RFC 3021, RFC 6164)
    if (bits(pool.subnet.family) - pool.subnet.prefix > 1) {
      this.#taken.add(pool.subnet.base)
      if (pool.subnet.family === 4) this.#taken.add(lastOf(pool.subnet))
    }
  }

  get family(): Family {
    return this.pool.subnet.family
  }

  /**
   * What `owner` had last, where it is free: a container made anew stays where its neighbours know it. Otherwise the next free address,
   * going round: one just released is not given to another at once, since neighbours still hold its link address and clients its
   * connections.
   */
  allocate(owner: string): Address {
    const last = this.#last.get(owner)
    const value = last === undefined || this.#taken.has(last) ? this.#nextFree() : last
    this.#taken.add(value)
    this.#remember(owner, value)
    return { family: this.family, value }
  }

  #remember(owner: string, value: bigint): void {
    this.#last.delete(owner)
    this.#last.set(owner, value)
    const [oldest] = this.#last.keys()
    if (this.#last.size > remembered && oldest !== undefined) this.#last.delete(oldest)
  }

  #nextFree(): bigint {
    const { range } = this.pool
    const size = lastOf(range) - range.base + 1n
    for (let tried = 0n; tried < size && tried <= BigInt(this.#taken.size); tried++) {
      const value = this.#next
      this.#next = value === lastOf(range) ? range.base : value + 1n
      if (!this.#taken.has(value)) return value
    }
    throw new Failure(
      'denied',
      `no available ${this.family === 4 ? 'IPv4' : 'IPv6'} addresses on this network's address pools`,
      {
        hint: `Give the network a larger subnet than ${formatSubnet(range)}`,
      },
    )
  }

  /** A given address. @throws Failure `denied` when it is taken. */
  reserve(address: Address): void {
    if (this.#taken.has(address.value))
      throw new Failure('denied', 'Address already in use', {
        hint: `Choose another address than ${formatAddress(address)}`,
      })
    this.#taken.add(address.value)
  }

  release(address: Address): void {
    this.#taken.delete(address.value)
  }
}
