/** The pane of the terminal view that follows the logs of what is chosen: the newest lines, in the order in which they were written. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Client } from '../client/client.ts'
import { messageOf } from '../lib/failure.ts'
import { followLogs } from '../targets/engine/logs/follow.ts'
import type { FollowEvent } from '../targets/engine/logs/logs.ts'
import type { PaneLine, Row } from './model.ts'

/** Lines that are kept, and of those from before how many of each container. */
const most = 1000
const tail = 200
/** Milliseconds that a row stays chosen before it is read: whoever passes over it wants another. */
const settling = 80

export interface LogPaneOptions {
  readonly client: Client
  /** Others are to be shown. */
  changed(): void
}

export class LogPane {
  readonly #options: LogPaneOptions
  readonly #lines: PaneLine[] = []
  #shown: readonly PaneLine[] | undefined
  #key: string | undefined
  #reading: AbortController | undefined

  constructor(options: LogPaneOptions) {
    this.#options = options
  }

  /** Of the row that it follows: the same array as long as nothing comes. */
  get lines(): readonly PaneLine[] {
    return (this.#shown ??= [...this.#lines])
  }

  /** Begins anew where another row is chosen; undefined: follows nothing. */
  follow(row: Row | undefined): void {
    if (row?.key === this.#key) return
    this.#reading?.abort()
    this.#reading = undefined
    this.#key = row?.key
    this.#lines.length = 0
    this.#shown = undefined
    if (!row) return
    const reading = new AbortController()
    this.#reading = reading
    void this.#read(row, reading.signal)
  }

  close(): void {
    this.follow(undefined)
  }

  async #read({ stack, service }: Row, signal: AbortSignal): Promise<void> {
    const services = service ? { services: [service.name] } : {}
    try {
      await wait(settling, undefined, { signal })
      const events = followLogs(this.#options.client, stack.name, { ...services, tail, signal, endless: true })
      for await (const event of events) {
        if (signal.aborted) return
        this.#add(paneLine(event, service === undefined))
      }
    } catch (error) {
      if (!signal.aborted) this.#add({ who: '', text: messageOf(error), isNote: true })
    }
  }

  #add(line: PaneLine): void {
    this.#lines.push(line)
    if (this.#lines.length > most) this.#lines.shift()
    this.#shown = undefined
    this.#options.changed()
  }
}

function paneLine(event: FollowEvent, hasMany: boolean): PaneLine {
  const who = hasMany || event.kind !== 'line' ? nameOf(event) : ''
  if (event.kind === 'line') return { who, text: event.text, isNote: false }
  if (event.kind === 'unreadable') return { who, text: `cannot be read: ${event.text}`, isNote: true }
  return { who, text: `ended with ${event.exitCode}${event.restarts ? ', and is started again' : ''}`, isNote: true }
}

/** As `logs` names it: "web-2". */
function nameOf({ service, container, ...event }: FollowEvent): string {
  const number = 'number' in event ? event.number : undefined
  return number === undefined ? container : `${service}-${number}`
}
