/** One held stack: what is heard of it is followed up, by looking and by bringing it back to what was asked for. */
import type { HoldEvent, HoldRequest, HoldState, HeldStack as Shown } from '../api/keeper.ts'
import type { Client } from '../client/client.ts'
import { Failure, messageOf } from '../lib/failure.ts'
import { thaw } from '../model/frozen.ts'
import type { Project } from '../model/project.ts'
import type { ObservedContainer } from '../targets/engine/observed.ts'
import { isLive } from '../targets/engine/plan/ending.ts'
import { joined, recordOf } from './asked.ts'
import { follow, type Heard } from './heard.ts'
import { type HoldRecord, nothingAccepted, type Records } from './records.ts'
import type { LeaveInput } from './repair.ts'
import { StackJobs } from './stack-jobs.ts'
import { StackWatch } from './stack-watch.ts'
import { type Diagnosis, diagnose, noteOf } from './unhealthy.ts'
import { Windows } from './windows.ts'

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

/** What happens at once is looked at once: a stop is told by a signal, an end and a word of its own. */
const gathering = 100
/** What nobody has told of is found now and then. */
const lookAgain = 10 * 60_000
const firstDelay = 1000
const longestDelay = 60_000

export class HeldStack {
  readonly name: string
  readonly jobs: StackJobs
  readonly #options: StackOptions
  readonly #windows = new Windows()
  readonly #listeners = new Set<(event: HoldEvent) => void>()
  #shown: Asked | undefined
  #accepted: HoldRecord['accepted']
  #replicas = new Map<string, number>()
  #phase: LeaveInput['phase']
  #killed: ReadonlySet<string> = new Set()
  #signalled: ReadonlySet<string> = new Set()
  /** Ids of containers that were stopped while nobody listened, and not started since. */
  readonly #stoppedBefore = new Set<string>()
  /** Names of containers that others have started, whose hooks are to be run. */
  #hooksDue = new Set<string>()
  /** Id → name of the containers it had when it was looked at last: networks tell ids only. */
  #names: ReadonlyMap<string, string> = new Map()
  #turns = 0
  #closed = false
  #isDue = false
  #working: Promise<void> | undefined
  #abort: AbortController | undefined
  #timer: NodeJS.Timeout | undefined
  #idle: NodeJS.Timeout | undefined
  #delay = 0
  /** How often in a row there was something to do. */
  #rounds = 0
  /** Names of containers that are unhealthy, and services that have been: when they were well again. */
  readonly #ailing = new Set<string>()
  readonly #recovered = new Map<string, number>()
  #treated: Diagnosis['treated'] = new Map()
  #recheck: NodeJS.Timeout | undefined
  #error: string | undefined
  readonly #watch: StackWatch

  /** Undefined `record`: nothing is held of it yet, but a person's command is at work on it. */
  constructor(
    name: string,
    { record, phase, ...options }: StackOptions & { readonly record?: HoldRecord; readonly phase: LeaveInput['phase'] },
  ) {
    this.name = name
    this.#options = options
    this.jobs = new StackJobs({ client: options.client, say: options.say, folder: options.records.folder(name) })
    this.#watch = new StackWatch({
      name,
      ...options,
      tell: event => this.#tell(event),
      changed: (asked, isSame) => {
        this.#shown = this.#take(asked)
        if (!isSame) this.jobs.schedule(thaw(asked.project), Date.now())
        this.#delay = 0
        this.due(0)
      },
    })
    this.#phase = phase
    this.#accepted = record?.accepted ?? nothingAccepted
    this.#shown = record && this.#take(record)
  }

  get isHeld(): boolean {
    return this.#shown !== undefined
  }

  /** What of its images changes is looked at too. */
  get isWatched(): boolean {
    return this.#watch.isOn
  }

  get isVacant(): boolean {
    return this.#shown === undefined && this.#turns === 0
  }

  get shown(): Shown {
    if (!this.#shown) throw new Failure('not-found', `Stack "${this.name}" is not held`)
    const wrong = this.#watch.unreadable ?? this.#error
    const error = wrong === undefined ? {} : { Error: wrong }
    return { Name: this.name, ...this.#shown, State: this.#state, Notes: this.#notes(), ...error }
  }

  #notes(): Readonly<Record<string, string>> {
    const now = Date.now()
    return Object.fromEntries(
      [...this.#treated].map(([name, treated]) => {
        const id = [...this.#names].find(each => each[1] === name)?.[0]
        return [name, noteOf(treated, id !== undefined && this.#accepted.stopped.includes(id), now)]
      }),
    )
  }

  get #state(): HoldState {
    if (this.#turns > 0) return 'waiting'
    if (this.#working) return 'acting'
    return this.#error === undefined && this.#watch.unreadable === undefined ? 'settled' : 'failing'
  }

  /** What is to be held from now on. */
  hold(request: HoldRequest): void {
    const before = this.#options.records.read(this.name)
    const whole = request.services === undefined
    const accepted = whole || !before ? nothingAccepted : this.#accepted
    const record = recordOf(this.name, before ? joined(before, request) : request, { accepted })
    this.#options.records.write(record)
    this.#accepted = accepted
    this.#shown = this.#take(record)
    this.#error = undefined
    this.#delay = 0
    this.#treated = new Map()
    this.jobs.schedule(thaw(request.project), Date.now())
    void this.#watch.follow(record)
    this.due()
  }

  /** Nothing is held of it any more. */
  release(): void {
    this.#shown = undefined
    void this.#watch.follow(undefined)
    clearTimeout(this.#timer)
    clearTimeout(this.#idle)
    clearTimeout(this.#recheck)
    this.#abort?.abort()
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

  knows(containerId: string): boolean {
    return this.#names.has(containerId)
  }

  /** One of its containers was put into a network, or taken from one. */
  touched(at: number, id: string): void {
    const event = { action: 'connect', id, name: this.#names.get(id) ?? '', service: '', at, signal: undefined }
    if (this.#windows.causeOf(event) === 'other') this.due()
  }

  /** `isPast`: from before we listened, when it may have been our own doing. */
  hear(event: Heard, isPast = false): void {
    if (isPast && event.action === 'stop') this.#stoppedBefore.add(event.id)
    if (isPast && event.action === 'start') this.#stoppedBefore.delete(event.id)
    this.#hearHealth(event)
    const cause = this.#windows.causeOf(event)
    const before = this.#accepted
    const follows = follow(
      {
        accepted: before,
        killed: this.#killed,
        signalled: this.#signalled,
        wanted: service => before.scale[service] ?? this.#replicas.get(service) ?? 1,
      },
      event,
      cause,
    )
    this.#killed = follows.killed
    this.#signalled = follows.signalled
    if (isPast) return
    this.#accepted = follows.accepted
    if (JSON.stringify(before) !== JSON.stringify(follows.accepted)) this.#save()
    if (follows.hooks) this.#hooksDue.add(event.name)
    if (follows.look) this.due()
  }

  #hearHealth({ action, name, service, at }: Heard): void {
    if (action === 'health_status: unhealthy') this.#ailing.add(name)
    // what has been started since is followed for that
    else if (action === 'start') this.#ailing.delete(name)
    else if (action === 'health_status: healthy' && this.#ailing.delete(name)) this.#recovered.set(service, at)
  }

  /** The engine has been away: events may have been missed. */
  returned(): void {
    if (this.#phase === 'steady') this.#phase = 'returned'
    this.due(0)
  }

  /** It is to be looked at soon. */
  due(wait = gathering): void {
    this.#isDue = true
    if (this.#closed || this.#turns > 0 || this.#working) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#begin(), wait)
  }

  /** A person's command has it for itself until the result is called. */
  async turn(making: boolean): Promise<() => void> {
    this.#turns++
    clearTimeout(this.#timer)
    this.#abort?.abort()
    await this.#working
    const end = this.#windows.open(making ? 'making' : 'turning')
    return () => {
      end()
      this.#turns--
      this.#save({ seen: Date.now() })
      this.#delay = 0
      this.due()
    }
  }

  listen(listener: (event: HoldEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    clearTimeout(this.#idle)
    clearTimeout(this.#recheck)
    this.#abort?.abort()
    await Promise.all([this.#working, this.jobs.close(), this.#watch.follow(undefined)])
  }

  #begin(): void {
    this.#isDue = false
    clearTimeout(this.#idle)
    const abort = new AbortController()
    this.#abort = abort
    this.#working = this.#look(abort.signal)
      .then(
        wanted => {
          this.#error = undefined
          this.#delay = 0
          if (!wanted && !abort.signal.aborted) this.#options.onAbandoned(this.name)
        },
        error => {
          if (!abort.signal.aborted) this.#failed(messageOf(error))
        },
      )
      .finally(() => {
        this.#working = undefined
        this.#options.onRest()
        if (this.#closed || this.#turns > 0) return
        if (this.#isDue) this.due(Math.min(gathering * 2 ** Math.max(0, this.#rounds - 1), longestDelay))
        else if (this.#error === undefined) this.#idle = setTimeout(() => this.due(), lookAgain)
        else this.#timer = setTimeout(() => this.#begin(), this.#delay)
      })
  }

  #failed(message: string): void {
    this.#delay = Math.min(this.#delay === 0 ? firstDelay : this.#delay * 2, longestDelay)
    if (message !== this.#error) this.#options.say(`${this.name}: ${message}`)
    this.#error = message
    const again = new Date(Date.now() + this.#delay).toISOString()
    this.#tell({ kind: 'failed', time: now(), message, again })
  }

  /** False when there is nothing left to hold. */
  async #look(signal: AbortSignal): Promise<boolean> {
    const { client, records } = this.#options
    const record = records.read(this.name)
    if (!record) return true
    const project = thaw(record.project)
    // what plans and carries out is loaded when it is needed first
    const { repair } = await import('./act.ts')
    const phase = this.#phase
    const hooksDue = this.#hooksDue
    const { read } = this.#watch
    this.#hooksDue = new Set()
    const { files, changed, abandoned } = await repair({
      client,
      record,
      folder: records.folder(this.name),
      accepted: () => this.#accepted,
      project,
      phase,
      killed: this.#killed,
      recovered: this.#recovered,
      hooksDue,
      read,
      signal,
      seen: containers => this.#seen(containers),
      diagnose: containers => this.#diagnose(project, containers),
      own: name => this.#windows.open('mine', name),
      say: this.#options.say,
      tell: event => this.#tell(event),
    })
    // whether that was all is seen by looking; what is never right is looked at less and less often
    this.#rounds = changed ? this.#rounds + 1 : 0
    if (changed) this.#isDue = true
    this.#watch.done(read)
    if (this.#phase === phase) this.#phase = 'steady'
    if (record.files === undefined) this.#save({ files })
    return !abandoned
  }

  #diagnose(project: Project, containers: readonly ObservedContainer[]): Diagnosis {
    const now = Date.now()
    const found = diagnose(project, containers, { treated: this.#treated, now })
    this.#treated = found.treated
    if (found.stop.length > 0) {
      const { stopped, ...rest } = this.#accepted
      this.#accepted = { ...rest, stopped: [...stopped, ...found.stop.map(({ id }) => id)] }
      this.#save()
    }
    clearTimeout(this.#recheck)
    if (found.again !== undefined) this.#recheck = setTimeout(() => this.due(), found.again - now)
    return found
  }

  #seen(containers: readonly ObservedContainer[]): void {
    this.#names = new Map(containers.map(({ id, name }) => [id, name]))
    const ended = new Set(containers.filter(each => !isLive(each)).map(({ id }) => id))
    const { stopped, paused, scale } = this.#accepted
    // what runs again, by whatever means, is no longer stopped on purpose
    const still = [...new Set([...stopped, ...this.#stoppedBefore])].filter(id => ended.has(id))
    this.#stoppedBefore.clear()
    if (JSON.stringify(still) === JSON.stringify(stopped)) return
    this.#accepted = { stopped: still, paused, scale }
    this.#save()
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
      if (record) records.write({ ...record, ...change, accepted: this.#accepted })
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
