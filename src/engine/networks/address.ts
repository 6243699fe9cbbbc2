/** IP addresses and subnets as text to numbers and back; pure. */
import { isIP } from 'node:net'

export type Family = 4 | 6

export interface Address {
  readonly family: Family
  readonly value: bigint
}

export interface Subnet {
  readonly family: Family
  /** The first address. */
  readonly base: bigint
  readonly prefix: number
}

/** An address in any of its spellings; undefined when it is none. Zones ("fe80::1%eth0") are none. */
export function parseAddress(text: string): Address | undefined {
  if (text.includes('%')) return undefined
  const family = isIP(text)
  if (family === 4) return { family, value: fromBytes(text.split('.').map(Number)) }
  if (family === 6) return { family, value: parseSix(text) }
  return undefined
}

/** A link's address in any of Go's spellings (02:42:…, 02-42-…, 0242.ac11.0002) → "02:42:ac:11:00:02"; undefined for what is none. */
export function parseMac(text: string): string | undefined {
  if (!/^(?:[\da-f]{2}([:-])(?:[\da-f]{2}\1){4}[\da-f]{2}|(?:[\da-f]{4}\.){2}[\da-f]{4})$/i.test(text)) return undefined
  const digits = text.toLowerCase().replaceAll(/[:.-]/g, '')
  return digits.match(/../g)!.join(':')
}

function parseSix(text: string): bigint {
  // a trailing dotted quad is the last two groups
  const plain = text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) =>
    [(Number(a) << 8) | Number(b), (Number(c) << 8) | Number(d)].map(n => n.toString(16)).join(':'),
  )
  const [head = '', tail] = plain.split('::')
  const groups = (part: string) => (part === '' ? [] : part.split(':'))
  const left = groups(head)
  const right = groups(tail ?? '')
  const gap = tail === undefined ? 0 : 8 - left.length - right.length
  const all = [...left, ...Array<string>(gap).fill('0'), ...right]
  return all.reduce((value, group) => (value << 16n) | BigInt(Number.parseInt(group, 16)), 0n)
}

function fromBytes(bytes: readonly number[]): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)
}

/** The one canonical spelling (RFC 5952 for IPv6), which is what reaches the kernel. */
export function formatAddress(address: Address): string {
  if (address.family === 4) return [24n, 16n, 8n, 0n].map(shift => (address.value >> shift) & 255n).join('.')
  const groups = Array.from({ length: 8 }, (_, i) =>
    Number((address.value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16),
  )
  const text = groups.join(':')
  let longest = ''
  for (const [run] of text.matchAll(/\b0(?::0)+\b/g)) if (run.length > longest.length) longest = run
  if (longest === '') return text
  const at = text.search(new RegExp(`(?:^|:)${longest}(?:$|:)`))
  const start = text.startsWith(':', at) ? at + 1 : at
  return `${text.slice(0, start).replace(/:$/, '')}::${text.slice(start + longest.length).replace(/^:/, '')}`
}

/** "10.0.0.0/24"; an address with host bits is taken for its subnet, as Docker does. Undefined when it is none. */
export function parseSubnet(text: string): Subnet | undefined {
  const [address, length, ...rest] = text.split('/')
  const parsed = parseAddress(address ?? '')
  if (!parsed || rest.length > 0 || !/^\d{1,3}$/.test(length ?? '')) return undefined
  const prefix = Number(length)
  if (prefix > bits(parsed.family)) return undefined
  return subnetOf(parsed, prefix)
}

export function subnetOf(address: Address, prefix: number): Subnet {
  const host = BigInt(bits(address.family) - prefix)
  return { family: address.family, base: (address.value >> host) << host, prefix }
}

export function formatSubnet(subnet: Subnet): string {
  return `${formatAddress({ family: subnet.family, value: subnet.base })}/${subnet.prefix}`
}

export function bits(family: Family): number {
  return family === 4 ? 32 : 128
}

/** The last address (IPv4: the broadcast one). */
export function lastOf(subnet: Subnet): bigint {
  return subnet.base + (1n << BigInt(bits(subnet.family) - subnet.prefix)) - 1n
}

export function contains(subnet: Subnet, address: Address): boolean {
  return subnet.family === address.family && address.value >= subnet.base && address.value <= lastOf(subnet)
}

export function overlaps(a: Subnet, b: Subnet): boolean {
  return a.family === b.family && a.base <= lastOf(b) && b.base <= lastOf(a)
}
