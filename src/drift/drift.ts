/**
 * What happens to one stack behind its back, followed up by looking: for whoever keeps it as it should be, the keeper or a watch of
 * a person's. It hears events, tells whose doing they were, and has its owner look and repair, never twice at once and never while
 * a person's command has the stack for itself.
 */
import type { EventMessage } from '../api/events.ts'
import { messageOf } from '../lib/failure.ts'
import type { Project } from '../model/project.ts'
import type { ObservedContainer } from '../targets/engine/observed.ts'
import { isLive } from '../targets/engine/plan/ending.ts'
import { type Accepted, nothingAccepted } from './accepted.ts'
import { BackOff } from './back-off.ts'
import { type Unmet, waitsFor } from './conditions.ts'
import { type Deed, Deeds } from './deeds.ts'
import { type Cause, follow, type Heard, heard, type Known, nothingKnown } from './heard.ts'
import type { LeaveInput } from './leaves.ts'
import { Recoveries } from './recoveries.ts'
import { type Diagnosis, diagnose, noteOf } from './unhealthy.ts'
import { Windows } from './windows.ts'
import type { Meanings } from './wish.ts'

export interface DriftOptions {
  /** As it is to be; undefined: nothing is to be of it for now. */
  project(): Project | undefined
  /** Service → replicas that are wanted. */
  wanted(service: string): number
  readonly phase: LeaveInput['phase']
  /** What has happened until then, in milliseconds since 1970, is not followed up: it was done while nobody was to know of it. */
  readonly since?: number
  readonly accepted?: Accepted
  /** Looks, and brings it back; true when something was done. */
  look(signal: AbortSignal): Promise<boolean>
  /** What a person has changed is another thing than before. */
  accept(accepted: Accepted): void
  /** Somebody has done something to what runs. */
  did?(): void
  /** `again`: when it is tried next, in milliseconds since 1970. */
  failed(error: unknown, again: number): void
  /** There is nothing to do for now. */
  rest?(): void
}

export interface Taken {
  /** Names of containers that others have started, whose hooks are to be run. */
  readonly hooksDue: ReadonlySet<string>
  /** Ids of containers that have ended by themselves. */
  readonly crashed: ReadonlySet<string>
}

/** By whom a person's turn is: an `up`, another command, or a watch that repairs it meanwhile. */
export type Turning = Extract<Cause, 'making' | 'turning' | 'watching'>

/** What happens at once is looked at once, in ms: an end may be told to be a stop by a word of its own, */
const gathering = 100
/** and what was signalled most often is. */
const settling = 200
/** What nobody has told of is found now and then. */
const lookAgain = 10 * 60_000
const firstDelay = 1000
const longestDelay = 60_000

export class Drift {
  readonly #options: DriftOptions
  readonly #windows = new Windows()
  readonly #deeds = new Deeds()
  readonly #backOff = new BackOff()
  readonly #later = new Set<NodeJS.Timeout>()
  #known: Omit<Known, 'accepted'> = nothingKnown
  #accepted: Accepted
  #phase: LeaveInput['phase']
  /** Ids of containers that were stopped while nobody listened, and not started since. */
  readonly #stoppedBefore = new Set<string>()
  #hooksDue = new Set<string>()
  #crashed = new Set<string>()
  #taken: Taken | undefined
  /** Container → what it waits for. */
  #waiting: ReadonlyMap<string, Unmet> = new Map()
  /** Id → name of the containers it had when it was looked at last: networks tell ids only. */
  #names: ReadonlyMap<string, string> = new Map()
  readonly #turns = new Set<symbol>()
  readonly #waiters = new Set<() => void>()
  #closed = false
  #isDue = false
  #working: Promise<void> | undefined
  #abort: AbortController | undefined
  #timer: NodeJS.Timeout | undefined
  #idle: NodeJS.Timeout | undefined
  #recheck: NodeJS.Timeout | undefined
  #delay = 0
  /** How often in a row there was something to do. */
  #rounds = 0
  readonly #health = new Recoveries()
  #treated: Diagnosis['treated'] = new Map()
  #error: string | undefined

  constructor(options: DriftOptions) {
    this.#options = options
    this.#phase = options.phase
    this.#accepted = options.accepted ?? nothingAccepted
  }

  get accepted(): Accepted {
    return this.#accepted
  }

  get phase(): LeaveInput['phase'] {
    return this.#phase
  }

  get killed(): ReadonlySet<string> {
    return this.#known.killed
  }

  /** Service → when it was well again. */
  get recovered(): ReadonlyMap<string, number> {
    return this.#health.recovered
  }

  get isTurned(): boolean {
    return this.#turns.size > 0
  }

  get isWorking(): boolean {
    return this.#working !== undefined
  }

  /** Why it could not be brought back the last time. */
  get error(): string | undefined {
    return this.#error
  }

  /** Container → what a reader of `ps` should know of it. */
  notes(): Readonly<Record<string, string>> {
    const now = Date.now()
    const treated = [...this.#treated].map(([name, each]): [string, string] => {
      const id = [...this.#names].find(known => known[1] === name)?.[0]
      return [name, noteOf(each, id !== undefined && this.#accepted.stopped.includes(id), now)]
    })
    const waiting = [...this.#waiting].map(([name, unmet]): [string, string] => [name, waitsFor(unmet)])
    return Object.fromEntries([...treated, ...waiting])
  }

  /** It is asked for anew: `accepted` is what stays of what a person has changed. */
  ask(accepted: Accepted): void {
    this.#accepted = accepted
    this.#error = undefined
    this.#treated = new Map()
    this.due()
  }

  /** `isPast`: from before anybody listened, when it may have been our own doing. */
  hear(event: EventMessage, isPast = false): void {
    if (event.Type === 'image') {
      const project = isPast ? undefined : this.#options.project()
      if (project) this.#did(this.#deeds.hearImage(event, project))
      return
    }
    if (event.Type === 'network') {
      if (!isPast) this.#hearNetwork(event)
      return
    }
    const container = heard(event)
    if (container) this.#hearContainer(container, isPast || Math.floor(container.at) <= (this.#options.since ?? 0))
  }

  /** The engine has been away: events may have been missed. */
  returned(): void {
    if (this.#phase === 'steady') this.#phase = 'returned'
    this.due(0)
  }

  /** It is to be looked at soon. */
  due(wait = gathering): void {
    this.#isDue = true
    if (this.#closed || this.isTurned || this.#working) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#begin(), wait)
  }

  /** It is to be looked at at once, whatever failed before. */
  hurry(): void {
    this.#delay = 0
    this.due(0)
  }

  /** Somebody has it for themselves until the result is called. */
  async turn(by: Turning): Promise<() => void> {
    const turn = Symbol(by)
    this.#turns.add(turn)
    clearTimeout(this.#timer)
    this.#abort?.abort()
    await this.#working
    const end = this.#windows.open(by)
    return () => {
      end()
      if (!this.#turns.delete(turn)) return
      this.hurry()
      if (!this.isTurned) for (const go of this.#waiters) go()
    }
  }

  /** Resolves when nobody has it for themselves, or the signal fires. */
  async free(signal: AbortSignal): Promise<void> {
    while (this.isTurned && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const go = () => resolve()
      this.#waiters.add(go)
      signal.addEventListener('abort', go, { once: true })
      await promise
      this.#waiters.delete(go)
      signal.removeEventListener('abort', go)
    }
  }

  /** From now until the result is called, what happens to this container is our own doing. */
  own(name: string): () => void {
    return this.#windows.open('mine', name)
  }

  /** What was heard since it was taken last, and is to be seen to: again, when that fails. */
  take(): Taken {
    const taken = { hooksDue: this.#hooksDue, crashed: this.#crashed }
    this.#taken = taken
    this.#hooksDue = new Set()
    this.#crashed = new Set()
    return taken
  }

  /** Names of containers that wait for what they need, and are to be started then. */
  get waiting(): ReadonlySet<string> {
    return new Set(this.#waiting.keys())
  }

  /** These services wait for what they need; given back: container → what it has waited for, and need not any more. */
  wait(containers: readonly ObservedContainer[], unmet: ReadonlyMap<string, Unmet>): ReadonlyMap<string, Unmet> {
    const before = this.#waiting
    this.#waiting = new Map(
      containers.flatMap(each => {
        const reason = unmet.get(each.service)
        return reason === undefined || each.oneOff || each.state === 'running' ? [] : [[each.name, reason] as const]
      }),
    )
    return new Map([...before].filter(([name]) => !this.#waiting.has(name)))
  }

  /** What is there, and what of what was heard holds, in sentences. */
  see(containers: readonly ObservedContainer[], images?: Meanings): readonly string[] {
    this.#names = new Map(containers.map(({ id, name }) => [id, name]))
    const ended = new Set(containers.filter(each => !isLive(each)).map(({ id }) => id))
    const { stopped, paused, scale } = this.#accepted
    // what runs again, by whatever means, is no longer stopped on purpose
    const still = [...new Set([...stopped, ...this.#stoppedBefore])].filter(id => ended.has(id))
    this.#stoppedBefore.clear()
    if (JSON.stringify(still) !== JSON.stringify(stopped)) this.#accept({ stopped: still, paused, scale })
    return this.#deeds.confirm(containers, images)
  }

  /** What is to be done for those that are unhealthy. */
  diagnose(project: Project, containers: readonly ObservedContainer[]): Pick<Diagnosis, 'restart' | 'stop'> {
    const now = Date.now()
    const found = diagnose(project, containers, { treated: this.#treated, now })
    this.#treated = found.treated
    if (found.stop.length > 0) {
      const { stopped, ...rest } = this.#accepted
      this.#accept({ ...rest, stopped: [...stopped, ...found.stop.map(({ id }) => id)] })
    }
    clearTimeout(this.#recheck)
    if (found.again !== undefined) this.#recheck = setTimeout(() => this.due(), found.again - now)
    return found
  }

  /** Nothing is looked at any more, until it is due again. */
  pause(): void {
    for (const timer of [this.#timer, this.#idle, this.#recheck, ...this.#later]) clearTimeout(timer)
    this.#later.clear()
    this.#abort?.abort()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.pause()
    await this.#working
  }

  #hearContainer(event: Heard, isPast: boolean): void {
    if (isPast && event.action === 'stop') this.#stoppedBefore.add(event.id)
    if (isPast && event.action === 'start') this.#stoppedBefore.delete(event.id)
    this.#health.hear(event)
    const cause = this.#windows.causeOf(event)
    const before = this.#accepted
    const known = { ...this.#known, accepted: before }
    const { accepted, look, hooks, ...rest } = follow(known, event, { cause, wanted: this.#options.wanted })
    this.#known = rest
    if (isPast) return
    if (JSON.stringify(before) !== JSON.stringify(accepted)) this.#accept(accepted)
    if (hooks) this.#hooksDue.add(event.name)
    const killed = rest.killed.has(event.id)
    if (cause !== 'other') return
    if (event.action === 'die' && !killed) this.#crashed.add(event.id)
    const deed = this.#deeds.hear(event, killed)
    if (deed) this.#did(deed)
    else if (look) this.due()
  }

  #hearNetwork({ Action, Actor, timeNano }: EventMessage): void {
    const { container: id, name: network } = Actor.Attributes
    const name = id === undefined ? undefined : this.#names.get(id)
    if (id === undefined || name === undefined) return
    if (this.#windows.causeOf({ name, at: timeNano / 1e6 }) !== 'other') return
    if (Action === 'disconnect' && network !== undefined) this.#did(this.#deeds.hearDisconnect(id, network))
    else this.due()
  }

  /** The same thing is not undone over and over without a pause. */
  #did(deed: Deed | undefined): void {
    if (!deed) return
    if (deed.kind === 'image') {
      // it may have been asked for again and again, and be what it was: that is seen when one looks
      this.due()
      return
    }
    this.#options.did?.()
    const who = 'name' in deed ? deed.name : (this.#names.get(deed.id) ?? deed.id)
    const wait = this.#backOff.wait(`${deed.kind} ${who}`, Date.now())
    if (wait === 0) {
      this.due(deed.kind === 'killed' ? settling : gathering)
      return
    }
    const timer = setTimeout(() => {
      this.#later.delete(timer)
      this.due()
    }, wait)
    this.#later.add(timer)
  }

  #accept(accepted: Accepted): void {
    this.#accepted = accepted
    this.#options.accept(accepted)
  }

  #begin(): void {
    this.#isDue = false
    clearTimeout(this.#idle)
    const abort = new AbortController()
    this.#abort = abort
    this.#working = this.#look(abort.signal)
      .catch((error: unknown) => {
        for (const name of this.#taken?.hooksDue ?? []) this.#hooksDue.add(name)
        for (const id of this.#taken?.crashed ?? []) this.#crashed.add(id)
        if (!abort.signal.aborted) this.#failed(error)
      })
      .finally(() => {
        this.#working = undefined
        this.#options.rest?.()
        if (this.#closed || this.isTurned) return
        if (this.#isDue) this.due(Math.min(gathering * 2 ** Math.max(0, this.#rounds - 1), longestDelay))
        else if (this.#error === undefined) this.#idle = setTimeout(() => this.due(), lookAgain)
        else this.#timer = setTimeout(() => this.#begin(), this.#delay)
      })
  }

  async #look(signal: AbortSignal): Promise<void> {
    const phase = this.#phase
    const changed = await this.#options.look(signal)
    this.#error = undefined
    this.#delay = 0
    // whether that was all is seen by looking; what is never right is looked at less and less often
    this.#rounds = changed ? this.#rounds + 1 : 0
    if (changed) this.#isDue = true
    if (this.#phase === phase) this.#phase = 'steady'
  }

  #failed(error: unknown): void {
    this.#delay = Math.min(this.#delay === 0 ? firstDelay : this.#delay * 2, longestDelay)
    this.#options.failed(error, Date.now() + this.#delay)
    this.#error = messageOf(error)
  }
}
