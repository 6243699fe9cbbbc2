/** A line of Docker's json-file log to a record: pure. */
import type { OutputChunk } from '../../api/frames.ts'

export interface LogRecord {
  readonly stream: 'stdout' | 'stderr'
  /** With its newline, unless the line was too long for one record or the process ended within it. */
  readonly text: string
  /** As written: RFC 3339 with up to nine decimals. */
  readonly time: string
  /** Labels, variables and tag, where the log was asked to keep them. */
  readonly attributes: Readonly<Record<string, string>>
}

const none = {}

/** The record of a line; undefined when it is not one, as after a torn write. */
export function parseRecord(line: string): LogRecord | undefined {
  return plainRecord(line) ?? anyRecord(line)
}

const start = '{"log":"'
const streams = { stdout: '","stream":"stdout","time":"', stderr: '","stream":"stderr","time":"' }
/** "2026-01-01T00:00:00.000000000Z" */
const timeSize = 30
const endSize = streams.stdout.length + timeSize + '"}'.length

/** In the very form in which our monitor writes a line without attributes and without anything to be escaped, as most are. */
function plainRecord(line: string): LogRecord | undefined {
  const end = line.length - endSize
  if (end < start.length || !line.startsWith(start) || !line.endsWith('Z"}')) return undefined
  const stream = line.startsWith(streams.stdout, end) ? 'stdout' : 'stderr'
  if (stream === 'stderr' && !line.startsWith(streams.stderr, end)) return undefined
  const backslash = line.indexOf('\\', start.length)
  const newline = backslash === end - 2 && line[backslash + 1] === 'n'
  if ((backslash >= 0 && !newline) || line.indexOf('"', start.length) !== end) return undefined
  const text = line.slice(start.length, newline ? backslash : end)
  const time = line.slice(end + streams.stdout.length, end + streams.stdout.length + timeSize)
  return { stream, text: newline ? `${text}\n` : text, time, attributes: none }
}

const startBytes = Buffer.from(start)
const streamBytes = [
  ['stdout', Buffer.from(streams.stdout)],
  ['stderr', Buffer.from(streams.stderr)],
] as const
const [quote, backslash, newline] = Buffer.from('"\\\n') as unknown as [number, number, number]
const [letterN, letterZ, brace] = Buffer.from('nZ}') as unknown as [number, number, number]

/**
 * What a record in that very form says, cut out of the line that stands there without its newline: no text is made of it, and nothing is copied.
 * The two characters that stand for the newline become the one, so the line is no record any more.
 */
export function cutRecord(bytes: Buffer, from: number, to: number): OutputChunk | undefined {
  const end = to - endSize
  const first = from + start.length
  if (end < first || bytes[to - 3] !== letterZ || bytes[to - 2] !== quote || bytes[to - 1] !== brace) return undefined
  if (!standsAt(bytes, from, startBytes)) return undefined
  const stream = streamBytes.find(([, text]) => standsAt(bytes, end, text))?.[0]
  if (stream === undefined) return undefined
  const isWhole = end - 2 >= first && bytes[end - 2] === backslash && bytes[end - 1] === letterN
  const last = isWhole ? end - 2 : end
  for (let at = first; at < last; at++) if (bytes[at] === quote || bytes[at] === backslash) return undefined
  if (!isWhole) return { stream, data: bytes.subarray(first, last) }
  bytes[last] = newline
  return { stream, data: bytes.subarray(first, last + 1) }
}

function standsAt(bytes: Buffer, at: number, text: Buffer): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false
  return true
}

function anyRecord(line: string): LogRecord | undefined {
  let data: unknown
  try {
    data = JSON.parse(line)
  } catch {
    // A power cut can leave half a line behind; what follows is readable again.
    return undefined
  }
  if (typeof data !== 'object' || data === null) return undefined
  const { log, stream, time, attrs = none } = data as Readonly<Record<string, unknown>>
  if (typeof log !== 'string' || typeof time !== 'string' || typeof attrs !== 'object') return undefined
  return {
    stream: stream === 'stderr' ? 'stderr' : 'stdout',
    text: log,
    time,
    attributes: attrs as Readonly<Record<string, string>>,
  }
}

/** "a=1,b=two+words": what `details` shows before a line, as Go's url.QueryEscape writes it. */
export function details({ attributes }: LogRecord): string {
  return Object.entries(attributes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${queryEscaped(name)}=${queryEscaped(value)}`)
    .join(',')
}

function queryEscaped(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replace(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
}

/** Nanoseconds since the epoch of an RFC 3339 time in UTC. */
export function nanoseconds(time: string): bigint {
  const [, whole, fraction = ''] = /^(.{19})(?:\.(\d+))?/.exec(time) ?? []
  const seconds = Date.parse(`${whole}Z`) / 1000
  return Number.isNaN(seconds) ? 0n : BigInt(seconds) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'))
}

/** Nine decimals, so that times line up: what `timestamps` shows before a line. */
export function timestamp(time: string): string {
  const [, whole, fraction = ''] = /^(.{19})(?:\.(\d+))?/.exec(time) ?? []
  return whole ? `${whole}.${fraction.slice(0, 9).padEnd(9, '0')}Z` : time
}
