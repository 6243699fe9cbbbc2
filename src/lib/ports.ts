/** Ports as they are written ("80", "8000-8010", "53/udp") → numbers and a protocol; pure. */

export const protocols = ['tcp', 'udp', 'sctp'] as const
export type Protocol = (typeof protocols)[number]

/** Inclusive, the first not above the last. */
export type PortRange = readonly [first: number, last: number]

const highest = 65_535

/** "80" or "8000-8010", each from 0 to 65535; undefined for anything else, and for a range that goes down. */
export function parsePortRange(text: string): PortRange | undefined {
  const [, from, to = from] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? []
  const [first, last] = [Number(from), Number(to)]
  return from !== undefined && first <= last && last <= highest ? [first, last] : undefined
}

/** The word in any case; tcp when there is none. */
export function parseProtocol(text: string | undefined): Protocol | undefined {
  return protocols.find(each => each === (text || 'tcp').toLowerCase())
}

/** "80", "80/udp", "8000-8010/tcp"; undefined when a part of it is none. */
export function parsePortKey(text: string): { readonly range: PortRange; readonly protocol: Protocol } | undefined {
  const [ports = '', word, more] = text.split('/')
  const range = parsePortRange(ports)
  const protocol = parseProtocol(word)
  return range && protocol && word !== '' && more === undefined ? { range, protocol } : undefined
}

/** Each port of a range. */
export function portsOf([first, last]: PortRange): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}
