/** All held stacks of one engine, its events, and what the engine is told of us. */

import { endpoints } from '../api/endpoints.ts'
import type { EventMessage } from '../api/events.ts'
import type { HoldRequest, Job, HeldStack as Shown } from '../api/keeper.ts'
import type { Client } from '../client/client.ts'
import type { Turning } from '../drift/drift.ts'
import type { LeaveInput } from '../drift/leaves.ts'
import { listen, projectOf } from '../drift/listen.ts'
import { keeperName } from '../holding/start.ts'
import { Failure, messageOf } from '../lib/failure.ts'
import { labels } from '../targets/engine/labels.ts'
import type { Records } from './records.ts'
import { HeldStack, type StackOptions } from './stack.ts'

export interface KeeperOptions {
  readonly client: Client
  readonly records: Records
  /** Whether the engine keeps us, and leaves the start of what we hold to us. */
  readonly isCompanion: boolean
  readonly phase: Exclude<LeaveInput['phase'], 'steady'>
  readonly say: (line: string) => void
  /** There is nothing to do for now. */
  readonly onRest: () => void
  /** No stack needs us any more. */
  readonly onIdle: () => void
}

/** How long somebody may take who has started us to say what for. */
const patience = 30_000

export class Keeper {
  readonly #options: KeeperOptions & Pick<StackOptions, 'onAbandoned'>
  readonly #stacks = new Map<string, HeldStack>()
  readonly #closing = new AbortController()
  #listening: Promise<void> | undefined
  #idle: NodeJS.Timeout | undefined
  #claims: Promise<void> = Promise.resolve()

  constructor(options: KeeperOptions) {
    this.#options = { ...options, onAbandoned: name => this.#abandon(name) }
    for (const name of options.records.names()) {
      const record = options.records.read(name)
      if (record) this.#stacks.set(name, new HeldStack(name, { ...this.#options, record }))
    }
  }

  /** Listens to the engine, and then looks at every stack. */
  start(): void {
    this.#listening = this.#listen()
    for (const stack of this.#stacks.values()) stack.start()
    this.#claim()
    this.#whenIdle(patience)
  }

  list(): readonly Shown[] {
    return [...this.#stacks.values()]
      .filter(stack => stack.isHeld)
      .map(stack => stack.shown)
      .sort((a, b) => (a.Name < b.Name ? -1 : 1))
  }

  async jobs(): Promise<readonly Job[]> {
    const held = [...this.#stacks.values()].filter(stack => stack.isHeld)
    return (await Promise.all(held.map(stack => stack.jobs.list()))).flat()
  }

  /** @throws Failure `not-found` */
  get(name: string): HeldStack {
    const stack = this.#stacks.get(name)
    if (!stack?.isHeld) throw new Failure('not-found', `Stack "${name}" is not held`)
    return stack
  }

  async hold(name: string, request: HoldRequest): Promise<void> {
    clearTimeout(this.#idle)
    await this.#openStack(name).hold(request)
    this.#claim()
    await this.#claims
  }

  /** @throws Failure `not-found` */
  async release(name: string): Promise<void> {
    const stack = this.get(name)
    this.#options.records.remove(name)
    stack.release()
    // whoever removes what is left of its jobs is alone with it
    await stack.jobs.close()
    if (stack.isVacant) await this.#forget(stack)
    this.#claim()
    await this.#claims
    this.#whenIdle(0)
  }

  #abandon(name: string): void {
    const { say } = this.#options
    say(`${name}: nothing of it is left, and it is held no more`)
    this.release(name).catch(error => say(`${name}: ${messageOf(error)}`))
  }

  /** @throws Failure `not-found` when it is not watched */
  async unwatch(name: string): Promise<void> {
    if (!(await this.get(name).unwatch())) await this.release(name)
  }

  /** A person's command has the stack for itself until the result is called. */
  async turn(name: string, by: Turning): Promise<() => void> {
    const stack = this.#openStack(name)
    clearTimeout(this.#idle)
    const end = await stack.turn(by)
    return () => {
      end()
      if (stack.isVacant) void this.#forget(stack)
      this.#whenIdle(0)
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle)
    this.#closing.abort()
    await Promise.all([...this.#stacks.values()].map(stack => stack.close()))
    await this.#listening
  }

  #openStack(name: string): HeldStack {
    const found = this.#stacks.get(name) ?? new HeldStack(name, { ...this.#options, phase: 'steady' })
    this.#stacks.set(name, found)
    return found
  }

  async #forget(stack: HeldStack): Promise<void> {
    if (this.#stacks.get(stack.name) === stack) this.#stacks.delete(stack.name)
    await stack.close()
  }

  #whenIdle(wait: number): void {
    clearTimeout(this.#idle)
    if (this.#stacks.size > 0) return
    this.#idle = setTimeout(() => this.#options.onIdle(), wait)
  }

  /** Has the engine leave the start of what is held to us; one that keeps no companions starts what it has by itself. */
  #claim(): void {
    const { client, isCompanion, say } = this.#options
    if (!isCompanion) return
    this.#claims = this.#claims.then(async () => {
      try {
        const own = (await client.call(endpoints.companionList, {})).find(({ Name }) => Name === keeperName)
        if (!own || own.Pid !== process.pid) return
        const Starts = this.list().map(({ Name }) => `${labels.project}=${Name}`)
        await client.call(endpoints.companionStarts, { params: { name: keeperName }, body: { Starts } })
      } catch (error) {
        say(`Cannot tell the engine what is held: ${messageOf(error)}`)
      }
    })
  }

  async #listen(): Promise<void> {
    const { client, say } = this.#options
    // what a watch has meanwhile is known before anything of its doing is heard
    await Promise.all([...this.#stacks.values()].map(stack => stack.standBack()))
    await listen({
      client,
      signal: this.#closing.signal,
      begun: isFirst => {
        for (const stack of this.#stacks.values())
          if (isFirst) stack.due()
          else stack.returned()
      },
      hear: (event, isPast) => this.#hear(event, isPast),
      lost: error =>
        say(
          error === undefined
            ? 'The engine has ended its events; they are asked for again'
            : `Cannot hear the engine: ${messageOf(error)}`,
        ),
    })
  }

  #hear(event: EventMessage, isPast: boolean): void {
    if (event.Type === 'container') this.#stacks.get(projectOf(event) ?? '')?.hear(event, isPast)
    // whose networks and images are the stacks know
    else for (const stack of this.#stacks.values()) stack.hear(event, isPast)
  }
}
