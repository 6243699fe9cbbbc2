/**
 * Follows a project's containers from one run to the next. The engine's events say that something happened, the container itself
 * says what is: so an event that is late, doubled or lost changes nothing.
 */
import { containerEndpoints } from '../../../api/containers.ts'
import type { EventMessage } from '../../../api/events.ts'
import { systemEndpoints } from '../../../api/system.ts'
import type { Client } from '../../../client/client.ts'
import { Failure, isFailure } from '../../../lib/failure.ts'
import { labels, projectFilter } from '../labels.ts'
import { lastingName } from '../plan/names.ts'
import { Channel } from './channel.ts'
import { type FollowEvent, type FollowOptions, listSources, readLogs, type Source } from './logs.ts'
import { nanoseconds, Output } from './output.ts'

export interface FollowerOptions extends FollowOptions {
  /** End when every container that was seen has ended: attached `up`. */
  readonly untilExited?: boolean
  /** With `untilExited`: every one of these services, whatever else is followed. */
  readonly awaited?: readonly string[] | undefined
  /** With `untilExited`: not before this has settled, such as the apply that starts them. */
  readonly notBefore?: Promise<unknown>
  /** See `stay`. */
  readonly stays?: boolean
  /** Never end though all have ended: they may be started again. */
  readonly endless?: boolean
  /** End when every container has ended, once one has run: `logs -f`. True from the start where one ran before. */
  readonly whileRunning?: { readonly someRan: boolean }
  /** By name of a container: the time of the last of its lines that was read already. */
  readonly read?: ReadonlyMap<string, string>
}

interface Watched {
  /** As it is called now: what takes another's place gets its name when that has gone. */
  source: Source
  readonly output: Output
  state: 'running' | 'restarting' | 'ended'
  /** When the last run whose end was told began, as the engine says it. */
  told?: string
  /** When it ended last, in seconds. */
  diedAt?: number
}

export class Follower {
  readonly #client: Client
  readonly #project: string
  readonly #options: FollowerOptions
  readonly #channel = new Channel<FollowEvent>()
  readonly #closing = new AbortController()
  readonly #signal: AbortSignal
  readonly #watched = new Map<string, Watched>()
  readonly #ready = Promise.withResolvers<void>()
  readonly #begun = Date.now() / 1000
  #someRan: boolean
  #mayEnd: boolean
  #stays: boolean
  /** What is done one after the other: events, and looking at what is there. */
  #turn: Promise<void> = Promise.resolve()

  constructor(client: Client, project: string, options: FollowerOptions) {
    this.#client = client
    this.#project = project
    this.#options = options
    this.#mayEnd = options.notBefore === undefined
    this.#stays = options.stays ?? false
    this.#someRan = options.whileRunning?.someRan ?? false
    this.#signal = options.signal ? AbortSignal.any([options.signal, this.#closing.signal]) : this.#closing.signal
    this.#ready.promise.catch(() => undefined)
  }

  /** Resolves when the engine's events are listened to: what starts after is not missed. */
  get ready(): Promise<void> {
    return this.#ready.promise
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

  /** Listens to a container that is about to be started and whose output cannot be read later. */
  async attach(source: Source): Promise<void> {
    await this.#watch(source).output.attach()
  }

  /** From now on whatever comes of the project is followed, though all should have ended; or no more so, and what it was begun for is. */
  async stay(stays: boolean): Promise<void> {
    this.#stays = stays
    if (stays) await this.#inTurn(() => this.#look())
    else await this.finish()
  }

  /** Nothing more will be started: looks at what is there, and ends when none of it runs, or at once. */
  async finish(when: 'ended' | 'now' = 'ended'): Promise<void> {
    try {
      await this.#inTurn(async () => {
        await this.#look()
        // not before: of some that were started the start may not have been told yet
        this.#mayEnd = true
      })
      if (when === 'now' || this.#isOver()) await this.#end()
    } catch (error) {
      if (!this.#signal.aborted) throw error
    }
  }

  async #work(): Promise<void> {
    try {
      await this.#listen()
      await this.#end()
    } catch (error) {
      this.#ready.reject(error)
      this.#channel.end(this.#signal.aborted ? undefined : error)
    }
    await Promise.allSettled([...this.#watched.values()].map(({ output }) => output.ended))
  }

  /** All that has ended is shown to its last line. */
  async #end(): Promise<void> {
    const ended = [...this.#watched.values()].filter(({ state }) => state === 'ended')
    await Promise.all(ended.map(({ output }) => output.ended))
    this.#channel.end()
    this.#closing.abort()
  }

  async #listen(): Promise<void> {
    const { notBefore } = this.#options
    // first the subscription, then the list: what happens between the two is told by the events, and again by the list
    const query = {
      filters: { type: ['container'], ...projectFilter(this.#project) },
      since: nanoseconds(this.#begun),
    }
    const stream = await this.#client.stream(systemEndpoints.events, { query }, { signal: this.#signal })
    this.#ready.resolve()
    await this.#inTurn(() => this.#look())
    notBefore
      ?.catch(() => undefined)
      .then(() => this.finish())
      .catch((error: unknown) => this.#channel.end(error))
    if (this.#isOver()) return
    for await (const event of stream) {
      // an init container is none of those that are followed
      if (event.Actor.Attributes[labels.hook] !== undefined) continue
      const source = sourceOfEvent(event)
      if (!(this.#services?.includes(source.service) ?? true)) continue
      await this.#inTurn(() => this.#happened(source, event))
      if (this.#isOver()) return
    }
    throw new Failure('unavailable', 'Cannot follow the containers any longer: the engine ended its events')
  }

  /** Undefined: all. */
  get #services(): readonly string[] | undefined {
    return this.#stays ? undefined : this.#options.services
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const before = this.#turn
    const done = before.then(work)
    this.#turn = done.catch(() => undefined)
    await done
  }

  /** Brings what we know in line with what the engine lists. */
  async #look(): Promise<void> {
    const { untilExited } = this.#options
    const listed = new Set<string>()
    const asked = { signal: this.#options.signal, ...(this.#services && { services: this.#services }) }
    for (const { item, source } of await listSources(this.#client, this.#project, asked)) {
      listed.add(source.id)
      const known = this.#watched.get(source.id)
      const watched = this.#watch(source)
      if (item.State === 'running' || item.State === 'paused') {
        if (known === undefined || known.state === 'ended') this.#read(watched)
        watched.state = 'running'
        this.#someRan = true
      } else if (item.State === 'restarting') {
        if (known === undefined) this.#read(watched)
        watched.state = 'restarting'
        this.#someRan = true
      } else if (untilExited) await this.#foundEnded(watched)
      else if (known === undefined) this.#read(watched)
    }
    // of what is not asked for any more nothing is known, and nothing expected
    for (const [id, watched] of this.#watched) if (!listed.has(id)) watched.state = 'ended'
  }

  /** One that ended unseen, quicker than we or by an event that was lost: its output and end are shown all the same. */
  async #foundEnded(watched: Watched): Promise<void> {
    const { since } = this.#options
    const seen = watched.state !== 'ended'
    // of a run that was seen to begin the output is being read
    const read = watched.state === 'running'
    if (!seen && since === undefined) return
    const state = await this.#stateOf(watched.source.id)
    if (state === undefined || (state.Status !== 'exited' && state.Status !== 'dead')) return
    watched.state = 'ended'
    if (state.StartedAt === watched.told) return
    watched.told = state.StartedAt
    if (!seen && Date.parse(state.StartedAt) / 1000 < since!) return
    if (!read) this.#read(watched)
    await this.#exited(watched, state.ExitCode, false)
  }

  async #happened(source: Source, event: EventMessage): Promise<void> {
    const watched = this.#watch(source)
    if (event.Action === 'start') {
      // the start of the run that the list showed
      if (watched.state === 'running') return
      if (watched.told !== undefined) {
        // the start of a run whose end was told already
        const state = await this.#stateOf(source.id)
        if (state === undefined || state.StartedAt === watched.told) return
      }
      watched.state = 'running'
      this.#someRan = true
      this.#read(watched)
    } else if (event.Action === 'die' && watched.state === 'running') {
      const state = await this.#stateOf(source.id)
      const again = state !== undefined && Date.parse(state.StartedAt) > event.timeNano / 1e6
      const restarts = state !== undefined && (state.Restarting || state.Running || again)
      watched.state = restarts ? 'restarting' : 'ended'
      watched.diedAt = event.timeNano / 1e9
      if (state && !restarts) watched.told = state.StartedAt
      await this.#exited(watched, Number(event.Actor.Attributes['exitCode'] ?? 0), restarts)
    } else if (event.Action === 'destroy') watched.state = 'ended'
  }

  /** Not since its start was told: a process can have written before. */
  #read(watched: Watched): void {
    watched.output.read(watched.diedAt ?? this.#begun)
  }

  /** Its last lines come before the word of its end; one that runs again already is not waited for. */
  async #exited({ source, output }: Watched, exitCode: number, restarts: boolean): Promise<void> {
    if (!restarts) await output.ended
    const { name: container, service, number } = source
    await this.#channel.push({ kind: 'exited', service, container, number, exitCode, restarts })
  }

  async #stateOf(id: string) {
    try {
      const inspected = await this.#client.call(
        containerEndpoints.containerInspect,
        { params: { id } },
        { signal: this.#signal },
      )
      return inspected.State
    } catch (error) {
      if (isFailure(error, 'not-found')) return undefined
      throw error
    }
  }

  #isOver(): boolean {
    const { untilExited, whileRunning, awaited, endless = false } = this.#options
    if (this.#stays || endless) return false
    if (whileRunning ? !this.#someRan : !untilExited || !this.#mayEnd) return false
    return [...this.#watched.values()].every(
      ({ state, source }) => state === 'ended' || awaited?.includes(source.service) === false,
    )
  }

  #watch(source: Source): Watched {
    const found = this.#watched.get(source.id)
    if (found) {
      found.source = source
      return found
    }
    const { tail, since, until, timestamps, untilExited: listen = false, read } = this.#options
    const { id, service, number } = source
    const output = new Output(
      this.#client,
      id,
      { signal: this.#signal, tail, since, until, listen, last: read?.get(source.name) },
      {
        push: line =>
          this.#channel.push({
            kind: 'line',
            service,
            number,
            container: watched.source.name,
            ...line,
            time: timestamps ? line.time : undefined,
          }),
        unreadable: text => this.#channel.push({ kind: 'unreadable', service, container: watched.source.name, text }),
      },
    )
    const watched: Watched = { source, output, state: 'ended' }
    this.#watched.set(id, watched)
    return watched
  }
}

function sourceOfEvent({ Actor }: EventMessage): Source {
  const { Attributes: own, ID: id } = Actor
  const number = own[labels.number]
  return {
    id,
    name: lastingName(own['name'] ?? id),
    service: own[labels.service] ?? '',
    number: number === undefined ? undefined : Number(number),
  }
}

/** What is there and what is written and started later. */
export async function* follow(
  client: Client,
  project: string,
  options: FollowerOptions = {},
): AsyncGenerator<FollowEvent> {
  yield* new Follower(client, project, options).events()
}

/**
 * The same for whoever reads a log: what is there comes first, in order of time over all containers. It ends with the last that runs; what has
 * ended before is waited for, should it be started again. So it is with Compose. With `endless` it goes on.
 */
export async function* followLogs(
  client: Client,
  project: string,
  options: FollowOptions & Pick<FollowerOptions, 'endless'> = {},
): AsyncGenerator<FollowEvent> {
  const read = new Map<string, string>()
  const listed = await listSources(client, project, options)
  const someRan = listed.some(({ item }) => ['running', 'paused', 'restarting'].includes(item.State))
  // up to one moment of all: a log that is read longer would be told further, and out of order
  const { until = Date.now() / 1000 } = options
  // with times always: where the one reading ends the next begins
  for await (const event of readLogs(client, project, { ...options, until, timestamps: true })) {
    if (event.kind !== 'line') continue
    if (event.time !== undefined) read.set(event.container, event.time)
    yield options.timestamps ? event : { ...event, time: undefined }
  }
  if (options.signal?.aborted) return
  yield* new Follower(client, project, { ...options, read, whileRunning: { someRan } }).events()
}
