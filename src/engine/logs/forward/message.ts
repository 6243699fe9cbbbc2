/** A record of the log → a message for a server: lines without their newline, those that were cut marked as pieces. Pure. */
import { hash } from 'node:crypto'
import type { LogRecord } from '../records.ts'

export interface LogMessage {
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
  /** RFC 3339 in UTC, nine decimals at most. */
  readonly time: string
  /** A line that does not end here, or began before. */
  readonly piece: Piece | undefined
}

export interface Piece {
  /** The same for all pieces of a line, and when they are sent again. */
  readonly id: string
  /** From 1. */
  readonly ordinal: number
  readonly last: boolean
}

/** Lines of which more is to come, by stream. */
export interface OpenLines {
  readonly stdout?: OpenLine | undefined
  readonly stderr?: OpenLine | undefined
}

interface OpenLine {
  readonly id: string
  readonly pieces: number
}

/** What the monitor cuts lines at, in bytes: a shorter piece without newline is the end of all output. */
const longestPiece = 16 * 1024

export function messageOf(
  { stream, text, time }: LogRecord,
  { open, container }: { readonly open: OpenLines; readonly container: string },
): { readonly message: LogMessage; readonly open: OpenLines } {
  const ended = text.endsWith('\n')
  const before = open[stream]
  if (ended && !before)
    return {
      message: { stream, text: text.slice(0, -1), time, piece: undefined },
      open: { ...open, [stream]: undefined },
    }
  const id = before?.id ?? hash('sha256', `${container} ${stream} ${time}`)
  const ordinal = (before?.pieces ?? 0) + 1
  const goesOn = !ended && Buffer.byteLength(text) >= longestPiece
  return {
    message: { stream, text: ended ? text.slice(0, -1) : text, time, piece: { id, ordinal, last: ended } },
    open: { ...open, [stream]: goesOn ? { id, pieces: ordinal } : undefined },
  }
}
