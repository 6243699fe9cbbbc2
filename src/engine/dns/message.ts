/** DNS messages: a query as bytes to what is asked, and what is known to the bytes of an answer. Pure. */
import packet from 'dns-packet'
import type { Answer } from './names.ts'

export const rcodes = { ok: 0, malformed: 1, failed: 2, unknown: 3, unsupported: 4, refused: 5 } as const
export type Rcode = (typeof rcodes)[keyof typeof rcodes]

export interface Query {
  readonly id: number
  readonly recursion: boolean
  readonly name: string
  readonly type: string
  /** Where the question section ends. */
  readonly end: number
  /** What the client takes over UDP: 512, or what its EDNS record says. */
  readonly size: number
  readonly edns: boolean
  readonly bytes: Buffer
}

const headerSize = 12
/** Seconds; short, since replicas come and go. */
const ttl = 5
/** The flag day's size: below any path's fragmentation. */
const ourSize = 1232
const mostTurns = 16

/** What a client asks; a code to refuse it with; undefined for what deserves no answer (no header, itself an answer). */
export function readQuery(bytes: Buffer): Query | Rcode | undefined {
  if (bytes.length < headerSize || (bytes[2]! & 0x80) !== 0) return undefined
  if ((bytes[2]! & 0x78) !== 0) return rcodes.unsupported
  if (bytes.readUInt16BE(4) !== 1) return rcodes.malformed
  let decoded: packet.DecodedPacket
  try {
    decoded = packet.decode(bytes)
  } catch {
    // the library throws whatever its reading past the end gives; the sender is told that it was not understood
    return rcodes.malformed
  }
  const question = decoded.questions?.[0]
  const end = questionEnd(bytes)
  if (!question || end === undefined) return rcodes.malformed
  const edns = decoded.additionals?.find(record => record.type === 'OPT')
  return {
    id: bytes.readUInt16BE(0),
    recursion: (bytes[2]! & 1) !== 0,
    name: question.name,
    type: question.type,
    end,
    size: edns ? Math.max(512, edns.udpPayloadSize) : 512,
    edns: edns !== undefined,
    bytes,
  }
}

/** The first question is never compressed: there is nothing before it to point at. */
function questionEnd(bytes: Buffer): number | undefined {
  let at = headerSize
  for (;;) {
    const length = bytes[at]
    if (length === undefined || length > 63) return undefined
    at += length + 1
    if (length === 0) break
  }
  return at + 4 <= bytes.length ? at + 4 : undefined
}

/** The query's header and question again, as a response with `rcode` and nothing in it; for queries that cannot be read, the header alone. */
export function refusal(bytes: Buffer, rcode: Rcode): Buffer {
  const end = bytes.readUInt16BE(4) === 1 ? questionEnd(bytes) : undefined
  const reply = Buffer.from(bytes.subarray(0, end ?? headerSize))
  reply[2] = 0x80 | (bytes[2]! & 0x79)
  reply[3] = 0x80 | rcode
  reply.writeUInt16BE(end === undefined ? 0 : 1, 4)
  reply.fill(0, 6, headerSize)
  return reply
}

/**
 * Authoritative answers for a name of ours, each with another of its addresses first, so that all members have their turn; no more than
 * `mostTurns`, with the addresses between. A name that has no address of the asked family is there, and empty.
 */
export function addressAnswers(query: Query, answer: Answer): readonly Buffer[] {
  const four = query.type === 'A' || query.type === 'ANY' ? answer.ipv4 : []
  const six = query.type === 'AAAA' || query.type === 'ANY' ? answer.ipv6 : []
  const members = Math.max(four.length, six.length, 1)
  const turns = Math.min(members, mostTurns)
  return Array.from({ length: turns }, (_, turn) => {
    const first = Math.floor((turn * members) / turns)
    return encode(query, [
      ...turned(four, first).map(data => ({ type: 'A' as const, name: query.name, ttl, data })),
      ...turned(six, first).map(data => ({ type: 'AAAA' as const, name: query.name, ttl, data })),
    ])
  })
}

function turned(addresses: readonly string[], first: number): readonly string[] {
  return [...addresses.slice(first), ...addresses.slice(0, first)]
}

export function nameAnswer(query: Query, name: string): Buffer {
  return encode(query, [{ type: 'PTR', name: query.name, ttl, data: name }])
}

function encode(query: Query, answers: packet.Answer[]): Buffer {
  const { RECURSION_AVAILABLE, RECURSION_DESIRED, AUTHORITATIVE_ANSWER } = packet
  const own = packet.encode({
    type: 'response',
    id: query.id,
    flags: AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | (query.recursion ? RECURSION_DESIRED : 0),
    answers,
    additionals: query.edns
      ? [
          {
            type: 'OPT',
            name: '.',
            udpPayloadSize: ourSize,
            extendedRcode: 0,
            ednsVersion: 0,
            flags: 0,
            flag_do: false,
            options: [],
          },
        ]
      : [],
  })
  // the question as it was sent, byte for byte: resolvers compare it, and some vary its case on purpose
  const question = query.bytes.subarray(headerSize, query.end)
  const reply = Buffer.concat([own.subarray(0, headerSize), question, own.subarray(headerSize)])
  reply.writeUInt16BE(1, 4)
  return reply
}

/** A response cut to what the client takes over UDP: without records and marked, so that the client asks again over TCP. */
export function fitted(response: Buffer, query: Query): Buffer {
  if (response.length <= query.size) return response
  const cut = Buffer.from(response.subarray(0, query.end))
  cut[2] = cut[2]! | 0x02
  cut.fill(0, 6, headerSize)
  return cut
}

/** Whether `response` answers `query` when it was sent with `id`. */
export function answers(response: Buffer, query: Query, id: number): boolean {
  if (response.length < query.end || (response[2]! & 0x80) === 0 || response.readUInt16BE(0) !== id) return false
  const asked = query.bytes.toString('latin1', headerSize, query.end).toLowerCase()
  return response.readUInt16BE(4) === 1 && response.toString('latin1', headerSize, query.end).toLowerCase() === asked
}

/** The address of "4.3.2.10.in-addr.arpa" or its ip6.arpa kind, in canonical form; undefined when it is no such name. */
export function reverseAddress(name: string): string | undefined {
  const folded = name.toLowerCase().replace(/\.$/, '')
  const four = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(folded)
  if (four) return four.slice(1).reverse().join('.')
  const six = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(folded)
  if (!six) return undefined
  const groups = six[1]!.replaceAll('.', '').split('').reverse().join('').match(/.{4}/g)!
  // the URL parser writes IPv6 as RFC 5952 wants it
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1)
}
