/** A line of Docker's json-file log to a record: pure. */

export interface LogRecord {
  readonly stream: 'stdout' | 'stderr'
  /** With its newline, unless the line was too long for one record or the process ended within it. */
  readonly text: string
  /** As written: RFC 3339 with up to nine decimals. */
  readonly time: string
}

/** The record of a line; undefined when it is not one, as after a torn write. */
export function parseRecord(line: string): LogRecord | undefined {
  let data: unknown
  try {
    data = JSON.parse(line)
  } catch {
    // A power cut can leave half a line behind; what follows is readable again.
    return undefined
  }
  if (typeof data !== 'object' || data === null) return undefined
  const { log, stream, time } = data as { log?: unknown; stream?: unknown; time?: unknown }
  if (typeof log !== 'string' || typeof time !== 'string') return undefined
  return { stream: stream === 'stderr' ? 'stderr' : 'stdout', text: log, time }
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
