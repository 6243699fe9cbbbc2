/** All held stacks of one engine, its events, and what the engine is told of us. */

import { setTimeout as pause } from 'node:timers/promises'
import { endpoints } from '../api/endpoints.ts'
import type { EventMessage } from '../api/events.ts'
import type { HoldRequest, Job, HeldStack as Shown } from '../api/keeper.ts'
import type { Client } from '../client/client.ts'
import { keeperName } from '../holding/start.ts'
import { Failure, messageOf } from '../lib/failure.ts'
import { labels } from '../targets/engine/labels.ts'
import { heard, heardActions } from './heard.ts'
import type { Records } from './records.ts'
import type { LeaveInput } from './repair.ts'
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
/** By which the name of an image may have come to mean another one. */
const imageActions = ['tag', 'pull', 'load'] as const
const firstDelay = 100
const longestDelay = 5000

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
    this.#openStack(name).hold(request)
    clearTimeout(this.#idle)
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
  async turn(name: string, making: boolean): Promise<() => void> {
    const stack = this.#openStack(name)
    clearTimeout(this.#idle)
    const end = await stack.turn(making)
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
    const { signal } = this.#closing
    let delay = firstDelay
    let since = 1n
    for (;;) {
      const startedAt = Date.now()
      try {
        const query = {
          filters: { type: ['container', 'network', 'image'], event: [...heardActions, ...imageActions] },
          since,
        }
        const events = await client.stream(endpoints.events, { query }, { signal })
        delay = firstDelay
        for (const stack of this.#stacks.values())
          if (since === 1n) stack.due()
          else stack.returned()
        for await (const event of events) {
          this.#hear(event, startedAt)
          since = BigInt(Math.floor(event.timeNano)) + 1n
        }
        if (signal.aborted) return
        say('The engine has ended its events; they are asked for again')
      } catch (error) {
        if (signal.aborted) return
        if (delay === firstDelay) say(`Cannot hear the engine: ${messageOf(error)}`)
      }
      if (since === 1n) since = BigInt(startedAt) * 1_000_000n
      await pause(delay, undefined, { signal }).catch(() => undefined)
      if (signal.aborted) return
      delay = Math.min(delay * 2, longestDelay)
    }
  }

  #hear(event: EventMessage, startedAt: number): void {
    const container = heard(event)
    if (container) {
      this.#stacks.get(container.project)?.hear(container, container.at < startedAt)
      return
    }
    if (event.Type === 'image') {
      for (const stack of this.#stacks.values()) if (stack.isWatched) stack.due()
      return
    }
    const id = event.Type === 'network' ? event.Actor.Attributes['container'] : undefined
    if (id === undefined || event.timeNano / 1e6 < startedAt) return
    for (const stack of this.#stacks.values()) if (stack.knows(id)) stack.touched(event.timeNano / 1e6, id)
  }
}
