/** The logs of many containers as one stream of lines. */
import { type ContainerSummary, containerEndpoints } from '../api/containers.ts'
import type { EventMessage } from '../api/events.ts'
import { systemEndpoints } from '../api/system.ts'
import type { Client } from '../client/client.ts'
import { isFailure } from '../lib/failure.ts'
import { labels, projectFilter } from '../plan/labels.ts'
import { observedContainer } from '../plan/observed.ts'
import { Channel } from './channel.ts'
import { type Line, readLog } from './log-lines.ts'

export interface LogLine {
  readonly service: string
  /** Container name. */
  readonly container: string
  readonly number: number | undefined
  readonly stream: 'stdout' | 'stderr'
  /** RFC 3339 with nanoseconds, when asked for. */
  readonly time: string | undefined
  /** Without its newline. */
  readonly text: string
}

export type FollowEvent =
  | ({ readonly kind: 'line' } & LogLine)
  | {
      readonly kind: 'exited'
      readonly service: string
      readonly container: string
      readonly exitCode: number
      /** The engine starts it again by its restart policy. */
      readonly restarts: boolean
    }

export interface FollowOptions {
  readonly signal?: AbortSignal | undefined
  /** Undefined: all. */
  readonly services?: readonly string[]
  /** Go on with what is written later, and with containers that are started later. */
  readonly follow?: boolean
  /** Lines of each container's past; undefined: all. */
  readonly tail?: number
  /** Seconds since 1970, with a fraction. */
  readonly since?: number
  readonly until?: number
  readonly timestamps?: boolean
  /** End when every container that was seen has ended: attached `up`. */
  readonly untilExited?: boolean
  /** With `untilExited`: not before this has settled, such as the `run` that starts them. */
  readonly notBefore?: Promise<unknown>
  /** Called once the engine's events are listened to: what starts after is not missed. */
  readonly onReady?: () => void
}

interface Source {
  readonly id: string
  readonly name: string
  readonly service: string
  readonly number: number | undefined
}

/** Ends when there is no more to come, or when the signal fires. */
export async function* follow(
  client: Client,
  projectName: string,
  options: FollowOptions = {},
): AsyncGenerator<FollowEvent> {
  if (options.follow) {
    yield* new Follower(client, projectName, options).events()
    return
  }
  const sources = (await list(client, projectName, options)).map(({ source }) => source)
  yield* merged(client, sources, options)
}

async function list(client: Client, projectName: string, { services, signal }: FollowOptions) {
  const query = { all: true, filters: projectFilter(projectName) }
  const items = await client.call(containerEndpoints.containerList, { query }, { signal })
  return items
    .map(item => ({ item, source: sourceOf(item) }))
    .filter(({ source }) => services === undefined || services.includes(source.service))
    .sort((a, b) => (a.source.name < b.source.name ? -1 : 1))
}

function sourceOf(item: ContainerSummary): Source {
  const { id, name, service, number } = observedContainer(item)
  return { id, name, service, number }
}

function nanoseconds(seconds: number | undefined): bigint | undefined {
  return seconds === undefined ? undefined : BigInt(Math.round(seconds * 1e6)) * 1000n
}

/** What is there, in order of time over all containers. */
async function* merged(
  client: Client,
  sources: readonly Source[],
  options: FollowOptions,
): AsyncGenerator<FollowEvent> {
  const { signal, tail, timestamps = false } = options
  const query = {
    follow: false,
    tail,
    since: nanoseconds(options.since),
    until: nanoseconds(options.until),
    // to merge by
    timestamps: timestamps || sources.length > 1,
  }
  const logs = sources.map(source => ({ source, lines: readLog(client, source.id, { query, signal }) }))
  type Head = { source: Source; lines: AsyncGenerator<Line>; line: Line }
  const next = async ({ source, lines }: Omit<Head, 'line'>): Promise<Head | undefined> => {
    const { value, done } = await lines.next()
    return done ? undefined : { source, lines, line: value }
  }
  try {
    let heads = (await Promise.all(logs.map(next))).filter(head => head !== undefined)
    while (heads.length > 0) {
      const first = heads.reduce((a, b) => ((b.line.time ?? '') < (a.line.time ?? '') ? b : a))
      const { id: _, name, ...who } = first.source
      const line = { ...first.line, time: timestamps ? first.line.time : undefined }
      yield { kind: 'line', ...who, container: name, ...line }
      const following = await next(first)
      heads = heads.flatMap(head => (head === first ? (following ?? []) : head))
    }
  } finally {
    await Promise.all(logs.map(({ lines }) => lines.return(undefined)))
  }
}

/** Follows containers that run or are started; one reader a run of a container. */
class Follower {
  readonly #client: Client
  readonly #project: string
  readonly #options: FollowOptions
  readonly #channel = new Channel<FollowEvent>()
  readonly #closing = new AbortController()
  readonly #signal: AbortSignal
  /** By container: what reads its present run. */
  readonly #readers = new Map<string, Promise<void>>()
  readonly #running = new Set<string>()
  /** When each one ended last, in seconds. */
  readonly #died = new Map<string, number>()
  /** Ended, and about to be started again by the engine. */
  readonly #waiting = new Set<string>()
  #mayEnd: boolean

  constructor(client: Client, project: string, options: FollowOptions) {
    this.#client = client
    this.#project = project
    this.#options = options
    this.#mayEnd = options.notBefore === undefined
    this.#signal = options.signal ? AbortSignal.any([options.signal, this.#closing.signal]) : this.#closing.signal
  }

  async *events(): AsyncGenerator<FollowEvent> {
    const stop = (): void => this.#channel.end()
    if (this.#signal.aborted) return
    this.#signal.addEventListener('abort', stop, { once: true })
    const work = this.#work()
    try {
      yield* this.#channel
    } finally {
      this.#closing.abort()
      await work
    }
  }

  async #work(): Promise<void> {
    try {
      await this.#watch()
      this.#channel.end()
    } catch (error) {
      this.#channel.end(this.#signal.aborted ? undefined : error)
    }
    await Promise.all(this.#readers.values())
  }

  async #watch(): Promise<void> {
    const { services, onReady, notBefore } = this.#options
    // listening first: a container started between the list and the events would be missed
    const begin = Date.now() / 1000
    const query = { filters: { type: ['container'], ...projectFilter(this.#project) }, since: nanoseconds(begin) }
    const stream = await this.#client.stream(systemEndpoints.events, { query }, { signal: this.#signal })
    onReady?.()
    const listed = new Set<string>()
    const ended: Promise<void>[] = []
    for (const { item, source } of await list(this.#client, this.#project, this.#options)) {
      const live = item.State === 'running' || item.State === 'paused'
      if (live) {
        listed.add(source.id)
        this.#running.add(source.id)
      } else if (item.State === 'restarting') this.#waiting.add(source.id)
      if (live || !this.#options.untilExited) this.#read(source, this.#options.since)
      else if (this.#options.since !== undefined) ended.push(this.#endedAlready(source, this.#options.since))
    }
    await Promise.all(ended)
    const listedAt = Date.now()
    void notBefore?.then(
      () => this.#allowEnd(),
      () => this.#allowEnd(),
    )
    if (this.#isOver()) return
    for await (const event of stream) {
      const source = sourceOfEvent(event)
      if (services !== undefined && !services.includes(source.service)) continue
      // what happened before the list is in it already
      if (listed.has(source.id) && event.timeNano / 1e6 < listedAt) continue
      if (event.Action === 'start' && !this.#running.has(source.id)) {
        this.#running.add(source.id)
        // not since the start: a process can have written before its start was told
        this.#read(source, this.#died.get(source.id) ?? begin)
      } else if (event.Action === 'die' && this.#running.has(source.id)) {
        await this.#ended(source, event)
        if (this.#isOver()) return
      }
    }
  }

  async #ended(source: Source, event: EventMessage): Promise<void> {
    this.#running.delete(source.id)
    this.#died.set(source.id, event.timeNano / 1e9)
    // its last lines come before the word of its end
    await this.#readers.get(source.id)
    const exitCode = Number(event.Actor.Attributes['exitCode'] ?? 0)
    const restarts = await this.#restarts(source.id)
    if (restarts) this.#waiting.add(source.id)
    else this.#waiting.delete(source.id)
    await this.#channel.push({ kind: 'exited', service: source.service, container: source.name, exitCode, restarts })
  }

  /** One that ran since then, and was quicker than we: its output and end are shown all the same. */
  async #endedAlready(source: Source, since: number): Promise<void> {
    const params = { id: source.id }
    const { State } = await this.#client.call(containerEndpoints.containerInspect, { params }, { signal: this.#signal })
    if (State.Status !== 'exited' || Date.parse(State.StartedAt) / 1000 < since) return
    this.#read(source, since)
    await this.#readers.get(source.id)
    const { service, name: container } = source
    await this.#channel.push({ kind: 'exited', service, container, exitCode: State.ExitCode, restarts: false })
  }

  async #restarts(id: string): Promise<boolean> {
    try {
      const params = { id }
      const { State } = await this.#client.call(
        containerEndpoints.containerInspect,
        { params },
        { signal: this.#signal },
      )
      return State.Restarting || State.Running
    } catch (error) {
      if (isFailure(error, 'not-found')) return false
      throw error
    }
  }

  #isOver(): boolean {
    if (!this.#options.untilExited || !this.#mayEnd) return false
    for (const id of this.#running) this.#waiting.delete(id)
    return this.#running.size === 0 && this.#waiting.size === 0
  }

  #allowEnd(): void {
    this.#mayEnd = true
    // nothing may run any more, and then no event will come to notice it
    if (this.#isOver()) this.#closing.abort()
  }

  #read(source: Source, since: number | undefined): void {
    const before = this.#readers.get(source.id)
    this.#readers.set(
      source.id,
      (async () => {
        await before
        await this.#copy(source, since)
      })(),
    )
  }

  async #copy(source: Source, since: number | undefined): Promise<void> {
    const { tail, until, timestamps = false } = this.#options
    const query = { follow: true, tail, since: nanoseconds(since), until: nanoseconds(until), timestamps }
    const { id, name, ...who } = source
    try {
      for await (const line of readLog(this.#client, id, { query, signal: this.#signal }))
        await this.#channel.push({ kind: 'line', ...who, container: name, ...line })
    } catch (error) {
      // removed while it was read
      if (isFailure(error, 'not-found') || this.#signal.aborted) return
      this.#channel.end(error)
    }
  }
}

function sourceOfEvent({ Actor }: EventMessage): Source {
  const { Attributes: own, ID: id } = Actor
  const number = own[labels.number]
  return {
    id,
    name: own['name'] ?? id,
    service: own[labels.service] ?? '',
    number: number === undefined ? undefined : Number(number),
  }
}
