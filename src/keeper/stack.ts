/** One held stack: what is heard of it is followed up, by looking and by bringing it back to what was asked for. */
import type { EventMessage } from '../api/events.ts'
import type { HoldEvent, HoldRequest, HoldState, HeldStack as Shown } from '../api/keeper.ts'
import type { Client } from '../client/client.ts'
import { nothingAccepted } from '../drift/accepted.ts'
import { Drift, type Turning } from '../drift/drift.ts'
import type { LeaveInput } from '../drift/leaves.ts'
import { Failure, messageOf } from '../lib/failure.ts'
import { thaw } from '../model/frozen.ts'
import type { Project } from '../model/project.ts'
import { findWatch } from '../state/watch-seat.ts'
import type { EnginePlan } from '../targets/engine/engine-plan.ts'
import type { Act } from './act.ts'
import { joined, recordOf } from './asked.ts'
import type { HoldRecord, Records } from './records.ts'
import { StackJobs } from './stack-jobs.ts'
import { StackWatch } from './stack-watch.ts'

export interface StackOptions {
  readonly client: Client
  readonly records: Records
  /** One line of the log. */
  readonly say: (line: string) => void
  /** There is nothing to do for now. */
  readonly onRest: () => void
  /** All of it has been removed. */
  readonly onAbandoned: (name: string) => void
}

type Asked = Pick<Shown, 'Directory' | 'Files' | 'Reasons' | 'Since' | 'Watched'>

export class HeldStack {
  readonly name: string
  readonly jobs: StackJobs
  readonly #options: StackOptions
  readonly #drift: Drift
  readonly #watch: StackWatch
  readonly #listeners = new Set<(event: HoldEvent) => void>()
  #shown: Asked | undefined
  #replicas = new Map<string, number>()
  /** Commands that have it for themselves, and a watch of a person's. */
  #turns = 0
  #standsBack = false
  #error: string | undefined

  /** Undefined `record`: nothing is held of it yet, but a person's command is at work on it. */
  constructor(
    name: string,
    { record, phase, ...options }: StackOptions & { readonly record?: HoldRecord; readonly phase: LeaveInput['phase'] },
  ) {
    this.name = name
    this.#options = options
    this.jobs = new StackJobs({ client: options.client, say: options.say, folder: options.records.folder(name) })
    this.#drift = new Drift({
      phase,
      // what the command that it is opened for has done by then may be heard after that
      since: Date.now(),
      ...(record && { accepted: record.accepted }),
      project: () => this.#project(),
      wanted: service => this.#replicas.get(service) ?? 1,
      look: signal => this.#look(signal),
      accept: () => this.#save(),
      did: () => this.#watch.again(),
      failed: (error, again) => this.#failed(messageOf(error), again),
      rest: options.onRest,
    })
    this.#watch = new StackWatch({
      name,
      ...options,
      tell: event => this.#tell(event),
      develop: {
        client: options.client,
        free: signal => this.#drift.free(signal),
        carryOut: (plan, signal) => this.#apply(plan, signal),
        repair: async signal => void (await this.#look(signal)),
      },
      refresh: {
        pull: async (plan, signal) => (await import('./act.ts')).pull(plan, { client: options.client, signal }),
      },
      changed: (asked, isSame) => {
        this.#shown = this.#take(asked)
        if (!isSame) this.jobs.schedule(thaw(asked.project), Date.now())
        this.#drift.hurry()
      },
    })
    this.#shown = record && this.#take(record)
  }

  get isHeld(): boolean {
    return this.#shown !== undefined
  }

  get isVacant(): boolean {
    return this.#shown === undefined && this.#turns === 0
  }

  get shown(): Shown {
    if (!this.#shown) throw new Failure('not-found', `Stack "${this.name}" is not held`)
    const wrong = this.#watch.unreadable ?? this.#drift.error ?? this.#watch.failure
    const error = wrong === undefined ? {} : { Error: wrong }
    return { Name: this.name, ...this.#shown, State: this.#state, Notes: this.#drift.notes(), ...error }
  }

  get #state(): HoldState {
    if (this.#drift.isTurned) return 'waiting'
    if (this.#drift.isWorking || this.#watch.isWorking) return 'acting'
    const { unreadable, failure } = this.#watch
    return (this.#drift.error ?? unreadable ?? failure) === undefined ? 'settled' : 'failing'
  }

  /** What is to be held from now on. */
  async hold(request: HoldRequest): Promise<void> {
    const before = this.#options.records.read(this.name)
    const whole = request.services === undefined
    const accepted = whole || !before ? nothingAccepted : this.#drift.accepted
    const record = recordOf(this.name, before ? joined(before, request) : request, { accepted })
    this.#options.records.write(record)
    this.#shown = this.#take(record)
    this.#error = undefined
    this.jobs.schedule(thaw(request.project), Date.now())
    void this.#watch.follow(record)
    await this.standBack()
    this.#drift.ask(accepted)
  }

  /** Nothing is held of it any more. */
  release(): void {
    this.#shown = undefined
    void this.#watch.follow(undefined)
    this.#drift.pause()
  }

  /** Its jobs come due from now on. */
  start(): void {
    const record = this.#options.records.read(this.name)
    if (!record) return
    this.jobs.schedule(thaw(record.project), Date.parse(record.since))
    void this.#watch.follow(record)
  }

  /** Its files are no longer followed; false when nothing else has it held. @throws Failure `not-found` */
  async unwatch(): Promise<boolean> {
    const { records } = this.#options
    const record = records.read(this.name)
    if (!record?.watch) throw new Failure('not-found', `Stack "${this.name}" is not watched`)
    await this.#watch.follow(undefined)
    if (record.reasons.length === 0) return false
    const rest = { ...record, watch: undefined }
    records.write(rest)
    this.#shown = this.#take(rest)
    return true
  }

  /** `isPast`: from before we listened, when it may have been our own doing. */
  hear(event: EventMessage, isPast = false): void {
    // what of its images changes matters to a stack that is watched
    if (event.Type === 'image' && !this.#watch.isOn) return
    this.#drift.hear(event, isPast)
    if (!isPast && event.Type === 'container' && event.Action === 'start') this.#watch.started()
  }

  /** The engine has been away: events may have been missed. */
  returned(): void {
    this.#drift.returned()
  }

  /** It is to be looked at soon. */
  due(): void {
    this.#drift.due()
  }

  /** A person's command has it for itself until the result is called. */
  async turn(by: Turning): Promise<() => void> {
    this.#turns++
    const end = await this.#drift.turn(by)
    return () => {
      this.#turns--
      this.#save({ seen: Date.now() })
      this.#watch.again()
      end()
    }
  }

  /** A watch of a person's has it for itself: nothing is done until that has ended. True when there is one. */
  async standBack(): Promise<boolean> {
    if (this.#standsBack) return true
    const { client, say } = this.#options
    const watch = await findWatch({ host: client.host, project: this.name })
    if (!watch) return false
    if (this.#standsBack) {
      watch.leave()
      return true
    }
    this.#standsBack = true
    const { user = 'somebody', pid } = watch.holder ?? {}
    say(`${this.name}: ${user}${pid === undefined ? '' : ` (process ${pid})`} watches it, which repairs it meanwhile`)
    // whoever looks now waits for nothing: it must not wait for itself
    void this.turn('watching').then(async end => {
      await watch.ended
      this.#standsBack = false
      end()
    })
    return true
  }

  listen(listener: (event: HoldEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async close(): Promise<void> {
    await Promise.all([this.#drift.close(), this.jobs.close(), this.#watch.follow(undefined)])
  }

  /** What develop.watch leads to. */
  async #apply(plan: EnginePlan, signal: AbortSignal): Promise<void> {
    const { records } = this.#options
    const record = records.read(this.name)
    if (!record || plan.empty) return
    const { apply } = await import('./act.ts')
    const project = thaw(record.project)
    await apply(plan, { ...this.#held(record), project, attempt: undefined, signal })
  }

  #held(record: HoldRecord) {
    const { client, records, say } = this.#options
    const tell = (event: HoldEvent) => this.#tell(event)
    return { client, record, folder: records.folder(this.name), drift: this.#drift, say, tell }
  }

  async #look(signal: AbortSignal): Promise<boolean> {
    const { records, onAbandoned } = this.#options
    const record = records.read(this.name)
    if (!record || (await this.standBack())) return false
    const project = thaw(record.project)
    // what plans and carries out is loaded when it is needed first
    const { act } = await import('./act.ts')
    const attempt = this.#watch.attempt()
    const held = { ...this.#held(record), project, attempt, signal }
    const done = await act(held).catch((error: unknown) => this.#answered(error, { attempt, project, signal }))
    if (!done) return false
    const { files, changed, abandoned } = done
    if (abandoned) {
      if (!signal.aborted) onAbandoned(this.name)
      return false
    }
    attempt?.done()
    if (record.files === undefined) this.#save({ files })
    this.#error = undefined
    return changed
  }

  /** What the files of a watched stack say, and the names of its images, is tried once. @throws what is tried again by itself */
  #answered(error: unknown, { attempt, project, signal }: Pick<Act, 'attempt' | 'project' | 'signal'>): undefined {
    const answer = signal.aborted ? undefined : attempt?.failed(error, project)
    if (!answer) throw error
    const message = messageOf(error)
    this.#watch.tried(message)
    this.#tell({ kind: 'failed', time: now(), message, again: undefined })
    if (answer.goesOn) this.#drift.due()
  }

  #failed(message: string, again: number): void {
    if (message !== this.#error) this.#options.say(`${this.name}: ${message}`)
    this.#error = message
    this.#tell({ kind: 'failed', time: now(), message, again: new Date(again).toISOString() })
  }

  #project(): Project | undefined {
    const record = this.#shown && this.#options.records.read(this.name)
    return record && thaw(record.project)
  }

  #take(record: HoldRecord): Asked {
    const project: Project = thaw(record.project)
    this.#replicas = new Map(
      Object.values(project.services).map(({ name, replicas }) => [name, record.scale?.[name] ?? replicas]),
    )
    return {
      Directory: project.directory,
      Files: project.files,
      Reasons: [...record.reasons, ...(record.watch ? ['its files are watched'] : [])],
      ...(record.watch && { Watched: record.watch.files }),
      Since: record.since,
    }
  }

  /** What is remembered changes in part. */
  #save(change: Partial<Pick<HoldRecord, 'seen' | 'files'>> = {}): void {
    const { records, say } = this.#options
    try {
      const record = records.read(this.name)
      if (record) records.write({ ...record, ...change, accepted: this.#drift.accepted })
    } catch (error) {
      say(messageOf(error))
    }
  }

  #tell(event: HoldEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}

function now(): string {
  return new Date().toISOString()
}
