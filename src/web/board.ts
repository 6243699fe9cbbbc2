/** All stacks of the engine as they are now, told to whoever watches when they change: looked at after each event, many events at once. */
import { setTimeout as pause } from 'node:timers/promises'
import { endpoints } from '../api/endpoints.ts'
import type { EventMessage } from '../api/events.ts'
import type { HeldStack } from '../api/keeper.ts'
import { keeperEndpoints } from '../api/keeper.ts'
import type { Client } from '../client/client.ts'
import { findKeeper } from '../holding/keeper.ts'
import { isFailure, messageOf } from '../lib/failure.ts'
import { labels } from '../targets/engine/labels.ts'
import { type StackRow, stackRows } from '../view/stacks.ts'
import { KnownRows } from './known-rows.ts'
import { report } from './report.ts'
import type { StackPlace } from './roads.ts'
import type { BoardMessage, Drift, EngineState, HeldState, StackState, Trouble } from './wire.ts'

export interface BoardOptions {
  readonly client: Client
  readonly env: Readonly<Record<string, string | undefined>>
  /** Stacks that are known though nothing of them is there. */
  known(): Iterable<StackPlace>
  jobOf(stack: string): string | undefined
  driftOf(stack: string): Drift | undefined
  /** Told of each event of the engine. */
  heard(event: EventMessage): void
  /** Told of each look; what is wrong is told back by `trouble`. */
  looked(rows: readonly StackRow[], held: ReadonlyMap<string, HeldStack>): void
  now?(): number
}

/** Milliseconds in which events are gathered before a look. */
const gather = 20
/** After which what the keeper has to say is asked for again without an event. */
const again = 5000
/** Of an engine that cannot be reached. */
const patience = 1000

export class Board {
  readonly #options: BoardOptions
  readonly #listeners = new Set<(message: BoardMessage) => void>()
  readonly #stacks = new KnownRows<StackState>(({ name }) => name)
  readonly #troubles = new KnownRows<Trouble>(({ id }) => id)
  readonly #closing = new AbortController()
  #engine: EngineState
  #due: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #lookAgain = false
  #begun = false
  #held: ReadonlyMap<string, HeldStack> = new Map()
  #asking = false

  constructor(options: BoardOptions) {
    this.#options = options
    this.#engine = { host: options.client.host }
  }

  /** The first look, and from then on at each event. */
  async start(): Promise<void> {
    if (this.#begun) return
    this.#begun = true
    void this.#listen()
    await this.look()
  }

  close(): void {
    this.#closing.abort()
    clearTimeout(this.#due)
  }

  get stacks(): readonly StackState[] {
    return this.#stacks.all
  }

  get troubles(): readonly Trouble[] {
    return this.#troubles.all
  }

  get(name: string): StackState | undefined {
    return this.#stacks.get(name)
  }

  get isWatched(): boolean {
    return this.#listeners.size > 0
  }

  /** Everything at once, then what changes, until the result is called. */
  watch(listener: (message: BoardMessage) => void): () => void {
    listener({
      engine: this.#engine,
      stacks: { whole: true, set: this.stacks, gone: [] },
      troubles: { whole: true, set: this.troubles, gone: [] },
    })
    this.#listeners.add(listener)
    // what is only known while somebody looks
    if (this.#begun) this.due()
    return () => this.#listeners.delete(listener)
  }

  /** Something has happened, or is about to show. */
  due(): void {
    this.#due ??= setTimeout(() => {
      this.#due = undefined
      void this.look()
    }, gather)
  }

  /** What is wrong now: all of it. */
  tellTroubles(troubles: readonly Trouble[]): void {
    const patch = this.#troubles.update(troubles)
    if (patch) this.#tell({ troubles: patch })
  }

  /** One look at a time; what happens meanwhile has another one follow. */
  async look(): Promise<void> {
    if (this.#looking) {
      this.#lookAgain = true
      return await this.#looking
    }
    this.#looking = this.#look()
    try {
      await this.#looking
    } finally {
      this.#looking = undefined
    }
    if (this.#lookAgain && !this.#closing.signal.aborted) {
      this.#lookAgain = false
      this.due()
    }
  }

  async #look(): Promise<void> {
    const { client, known, looked } = this.#options
    try {
      void this.#askKeeper()
      const query = { all: true, filters: { label: [labels.project] } }
      const containers = await client.call(endpoints.containerList, { query }, { signal: this.#closing.signal })
      const held = this.#held
      const found = stackRows(containers)
      const names = new Set(found.map(row => row.name))
      const rows = [...found, ...[...known()].filter(({ name }) => !names.has(name)).map(emptyRow)]
      this.#reach(undefined)
      const patch = this.#stacks.update(rows.map(row => this.#stateOf(row, held.get(row.name))))
      if (patch) this.#tell({ stacks: patch })
      looked(found, held)
    } catch (error) {
      if (this.#closing.signal.aborted) return
      this.#reach(messageOf(error))
    }
  }

  #stateOf(row: StackRow, held: HeldStack | undefined): StackState {
    const { jobOf, driftOf } = this.#options
    const job = jobOf(row.name)
    const drift = driftOf(row.name)
    return {
      ...row,
      ...(held && { held: heldState(held) }),
      ...(job !== undefined && { job }),
      ...(drift && { drift }),
    }
  }

  /** What the keeper holds; nothing where there is none, or it is just going. Nobody waits for it: what is new shows with another look. */
  async #askKeeper(): Promise<void> {
    if (this.#asking) return
    this.#asking = true
    const before = JSON.stringify([...this.#held])
    try {
      this.#held = await this.#heldNow()
    } catch (error) {
      if (!isFailure(error)) report(error)
      this.#held = new Map()
    } finally {
      this.#asking = false
    }
    if (JSON.stringify([...this.#held]) !== before && !this.#closing.signal.aborted) this.due()
  }

  async #heldNow(): Promise<ReadonlyMap<string, HeldStack>> {
    const { client, env } = this.#options
    const keeper = await findKeeper({ host: client.host, env })
    if (!keeper) return new Map()
    try {
      const stacks = await keeper.call(keeperEndpoints.stackList, {}, { signal: this.#closing.signal })
      return new Map(stacks.map(stack => [stack.Name, stack]))
    } finally {
      keeper.close()
    }
  }

  async #listen(): Promise<void> {
    const { client, heard, now = Date.now } = this.#options
    const { signal } = this.#closing
    let since = now() / 1000 - 3600
    const clock = setInterval(() => this.due(), again)
    signal.addEventListener('abort', () => clearInterval(clock))
    while (!signal.aborted) {
      try {
        const query = { since: BigInt(Math.round(since * 1000)) * 1_000_000n }
        const stream = await client.stream(endpoints.events, { query }, { signal })
        this.#reach(undefined)
        this.due()
        for await (const event of stream) {
          since = event.timeNano / 1e9 + 0.001
          heard(event)
          if (event.Type === 'container' && !event.Action.startsWith('exec_')) this.due()
        }
      } catch (error) {
        if (signal.aborted) return
        this.#reach(messageOf(error))
      }
      await pause(patience, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  #reach(error: string | undefined): void {
    if (this.#engine.error === error) return
    const { host } = this.#options.client
    this.#engine = { host, ...(error !== undefined && { error }) }
    this.#tell({ engine: this.#engine })
  }

  #tell(message: BoardMessage): void {
    for (const listener of this.#listeners) listener(message)
  }
}

function emptyRow({ name, directory, files }: StackPlace): StackRow {
  return { name, directory, files, condition: 'stopped', services: [], urls: [] }
}

function heldState({ State, Reasons, Error: error, Watched }: HeldStack): HeldState {
  return {
    state: State,
    reasons: Reasons,
    watched: Watched !== undefined,
    ...(error !== undefined && { error }),
  }
}
