/** What containers of a stack print, merged by time, filtered here and sent many lines at once. */
import type { Client } from '../client/client.ts'
import { followLogs } from '../targets/engine/logs/follow.ts'
import { type FollowEvent, type FollowOptions, readLogs } from '../targets/engine/logs/logs.ts'
import { LogFilter } from '../view/log-filter.ts'
import type { LogLevel } from '../view/log-level.ts'
import type { LogEntry, LogMessage, LogWish } from './wire.ts'

/** Milliseconds in which lines are gathered. */
const pace = 60
/** Lines of one message; of more the last. */
const most = 2000
/** Of each container's past: read where nothing is looked for, and where something is. */
const tails = { all: 500, filtered: 20_000 }
/** Lines that a search gives, the last there are. */
export const mostFound = 5000

export interface LogsOf {
  readonly client: Client
  readonly stack: string
  readonly wish: LogWish
  readonly signal: AbortSignal
}

export async function sendLogs({ client, stack, wish, signal }: LogsOf, send: (message: LogMessage) => Promise<void>) {
  const filter = new LogFilter({ grep: wish.grep, level: wish.level as LogLevel | undefined })
  const isFiltered = wish.grep !== undefined || wish.level !== undefined
  const bounded = wish.since !== undefined || wish.until !== undefined
  const options: FollowOptions = {
    ...optionsOf(wish, signal),
    ...(bounded || !wish.follow ? {} : { tail: isFiltered ? tails.filtered : tails.all }),
  }
  const events = wish.follow
    ? followLogs(client, stack, { ...options, endless: true })
    : readLogs(client, stack, options)
  const limit = wish.follow ? most : mostFound
  let lines: LogEntry[] = []
  let notes: { container: string; text: string }[] = []
  let left = 0
  let due: NodeJS.Timeout | undefined
  const flush = async (): Promise<void> => {
    clearTimeout(due)
    due = undefined
    if (lines.length === 0 && notes.length === 0) return
    const message: LogMessage = { lines, ...(left > 0 && { left }), ...(notes.length > 0 && { notes }) }
    lines = []
    notes = []
    left = 0
    await send(message)
  }
  try {
    for await (const event of events) {
      if (signal.aborted) return
      const entry = event.kind === 'line' ? entryOf(event, filter) : undefined
      if (entry) lines.push(entry)
      else if (event.kind !== 'line') notes.push(noteOf(event))
      // a search is told whole, what is followed as it comes
      if (lines.length > 2 * limit) {
        left += lines.length - limit
        lines = lines.slice(-limit)
      }
      if (wish.follow) due ??= setTimeout(() => void flush(), pace)
    }
    if (lines.length > limit) {
      left += lines.length - limit
      lines = lines.slice(-limit)
    }
    await flush()
  } finally {
    clearTimeout(due)
  }
}

/** As text, a line each, for a file. */
export async function* logText({ client, stack, wish, signal }: LogsOf): AsyncGenerator<string> {
  const filter = new LogFilter({ grep: wish.grep, level: wish.level as LogLevel | undefined })
  for await (const event of readLogs(client, stack, optionsOf(wish, signal)))
    if (event.kind === 'line' && filter.take(event) !== undefined)
      yield `${event.time ?? ''} ${event.container} ${event.text}\n`
}

function optionsOf({ services, since, until }: LogWish, signal: AbortSignal): FollowOptions {
  return {
    signal,
    timestamps: true,
    ...(services && services.length > 0 && { services }),
    ...(since !== undefined && { since: since / 1000 }),
    ...(until !== undefined && { until: until / 1000 }),
  }
}

function entryOf(event: Extract<FollowEvent, { kind: 'line' }>, filter: LogFilter): LogEntry | undefined {
  const level = filter.take(event)
  if (level === undefined) return undefined
  const { time, service, container, stream, text } = event
  return { time: time === undefined ? undefined : Date.parse(time), service, container, level, stream, text }
}

function noteOf(event: Exclude<FollowEvent, { kind: 'line' }>): { container: string; text: string } {
  const { container } = event
  if (event.kind === 'unreadable') return { container, text: `cannot be read: ${event.text}` }
  return { container, text: `ended with ${event.exitCode}${event.restarts ? ', and is started again' : ''}` }
}
