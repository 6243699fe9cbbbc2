/**
 * Keeps a project as its files say, while they change: sources by develop.watch, and what defines the project by bringing it up
 * again. One thing is done after the other. What cannot be read keeps the last good state.
 */

import type { EventMessage } from '../api/events.ts'
import type { ApplyEvent } from '../apply/events.ts'
import type { Client } from '../client/client.ts'
import { Drift } from '../drift/drift.ts'
import { heard } from '../drift/heard.ts'
import { listen, projectOf } from '../drift/listen.ts'
import { ownDoing, type Repair, repair } from '../drift/repair.ts'
import { type Attempt, Wish } from '../drift/wish.ts'
import { messageOf } from '../lib/failure.ts'
import type { Project } from '../model/project.ts'
import type { TurnWord } from '../state/watch-seat.ts'
import type { EnginePlan } from '../targets/engine/engine-plan.ts'
import { observe } from '../targets/engine/observe.ts'
import type { Observed } from '../targets/engine/observed.ts'
import { planRestart } from '../targets/engine/plan/turn.ts'
import { Bursts } from './bursts.ts'
import { Development } from './development.ts'
import type { WatchEvent } from './events.ts'
import { fileState } from './file-state.ts'
import { definingFiles, ignoringFiles, type Loaded, watchedPaths } from './files.ts'
import { readIgnoreFiles } from './ignore-files.ts'
import { Paths } from './paths.ts'
import { rebuild } from './rebuild.ts'
import { Refresh, refreshKey } from './refresh.ts'
import { type Rule, rulesOf } from './rules.ts'

/** What reading gave: the project, or why there is none; the files that were looked at either way. */
export type Read = Loaded | { readonly files: readonly string[]; readonly error: unknown }

/** Shows a plan and applies it; what is told on the way goes to `onEvent` too. */
export type CarryOut = (
  plan: EnginePlan,
  observed: Observed | undefined,
  onEvent: (event: ApplyEvent) => void,
) => Promise<void>

export interface WatchOptions {
  readonly client: Client
  readonly loaded: Loaded
  /** Reads the stack again. */
  load(): Promise<Read>
  /** What is asked for of the project. */
  readonly options: Repair['options']
  /** Services that have containers, when nothing is brought up first: only those are repaired until the files change. */
  readonly standing?: readonly string[] | undefined
  /** Has the project for `work`, which applies plans by what it is given; `isRead`: its files say something else than before. */
  apply(project: Project, isRead: boolean, work: (carryOut: CarryOut) => Promise<void>): Promise<void>
  /** Asks registries for images, without a word of how that goes. */
  pull(plan: EnginePlan): Promise<void>
  /** Applies a plan: of builds, of restarts. */
  carryOut(plan: EnginePlan, onEvent?: (event: ApplyEvent) => void): Promise<void>
  /** Those named; undefined for all. */
  readonly services?: readonly string[] | undefined
  /** Whether images may be built. */
  readonly build: boolean
  /** Remove an image that a rebuild has replaced. */
  readonly prune: boolean
  readonly dryRun?: boolean
  tell(event: WatchEvent): void
}

/** Long enough for an editor that writes in steps, short enough for a person who waits: ms. */
const quiet = 100
const longest = 5000

export class Watch {
  readonly #options: WatchOptions
  readonly #closing = new AbortController()
  readonly #development: Development
  readonly #bursts: Bursts
  readonly #drift: Drift
  #loaded: Loaded
  /** What is asked for of it. */
  #services: readonly string[] | undefined
  /** Service → replicas that commands have asked for since. */
  #scale: Readonly<Record<string, number>> = {}
  readonly #wish = new Wish()
  /** Milliseconds since 1970: starts of containers before that have been seen to. */
  #seen = 0
  /** What was told of a repair that failed. */
  #error: string | undefined
  #defining: ReadonlySet<string> = new Set()
  #ignoring: ReadonlySet<string> = new Set()
  #paths: Paths | undefined
  #watched = ''
  #refresh: Refresh | undefined
  /** Of what is asked for again by pull_policy. */
  #refreshed = ''
  /** What the files said when they were read last. */
  #state = ''
  /** What was told of files that cannot be read. */
  #unreadable: string | undefined
  #turn: Promise<void> = Promise.resolve()
  #listening: Promise<void> = Promise.resolve()

  /** @throws Failure `invalid` for a rule of develop.watch that cannot work */
  constructor(options: WatchOptions) {
    this.#options = options
    this.#loaded = options.loaded
    this.#rulesOf(options.loaded)
    this.#development = new Development({
      client: options.client,
      project: options.loaded.project.name,
      signal: this.#closing.signal,
      rebuild: services => this.#rebuild(services),
      restart: services => this.#restart(services),
      tell: options.tell,
      dryRun: options.dryRun ?? false,
    })
    this.#services = options.standing ?? options.options.services
    this.#drift = new Drift({
      phase: 'steady',
      project: () => this.#loaded.project,
      wanted: name => options.options.scale?.[name] ?? this.#loaded.project.services[name]?.replicas ?? 1,
      look: signal => this.#lookInTurn(signal),
      // it is remembered for as long as the watch goes on
      accept: () => undefined,
      did: () => this.#wish.again(),
      failed: error => this.#failed(error),
    })
    this.#bursts = new Bursts({ quiet, longest, take: changed => this.#inTurn(() => this.#take(changed)) })
  }

  /** As it was read last, or what is kept of it. */
  get project(): Project {
    return this.#loaded.project
  }

  /** What is asked for by develop.watch. */
  get rules(): number {
    return this.#rulesOf(this.#loaded).rules.length
  }

  /** Resolves when everything is watched, and initial_sync is done. @throws Failure for what cannot be watched */
  async start(): Promise<void> {
    this.#use(this.#loaded, { warn: true })
    if (!this.#options.dryRun) await this.#listen()
    await this.#inTurn(() => this.#development.refresh(), { fail: true })
    // what changed since they were read, while the stack was brought up, nobody has told
    if (!this.#options.dryRun) await this.#inTurn(() => this.#reload())
  }

  /** What is under way is ended as soon as it can be. */
  async close(): Promise<void> {
    this.#paths?.close()
    this.#closing.abort()
    await Promise.all([this.#bursts.close(), this.#drift.close(), this.#refresh?.close()])
    await this.#turn
    await this.#listening
  }

  /** A person's command has the stack for itself until the result is called; `scale`: what it asks for. */
  async turn({ making, scale }: TurnWord): Promise<() => void> {
    const end = await this.#drift.turn(making ? 'making' : 'turning')
    this.#scale = { ...this.#scale, ...scale }
    return () => {
      this.#seen = Date.now()
      this.#wish.again()
      end()
    }
  }

  async #listen(): Promise<void> {
    const { client, tell } = this.#options
    const ready = Promise.withResolvers<void>()
    let isLost = false
    this.#seen = Date.now()
    this.#listening = listen({
      client,
      signal: this.#closing.signal,
      begun: isFirst => {
        ready.resolve()
        if (isFirst) return
        isLost = false
        tell({ kind: 'found' })
        this.#drift.returned()
      },
      hear: (event, isPast) => this.#hear(event, isPast),
      lost: error => {
        if (!isLost) tell({ kind: 'lost', error })
        isLost = true
      },
    })
    await Promise.race([ready.promise, this.#listening])
  }

  /** After what is under way of the sources. */
  async #lookInTurn(signal: AbortSignal): Promise<boolean> {
    let changed = false
    const either = AbortSignal.any([signal, this.#closing.signal])
    await this.#inTurn(
      async () => {
        if (!signal.aborted) changed = await this.#look(either)
      },
      { fail: true },
    )
    if (this.#wish.failure === undefined) this.#error = undefined
    return changed
  }

  #failed(error: unknown, isLast = false): void {
    if (this.#closing.signal.aborted) return
    // what goes on is told once
    const text = messageOf(error)
    if (text !== this.#error) this.#options.tell({ kind: 'failed', doing: 'converge', error, isLast })
    this.#error = text
  }

  /** What the files say, and the names of images, is tried once. @throws what is tried again by itself */
  #answered(error: unknown, attempt: Attempt): void {
    const answer = this.#closing.signal.aborted ? undefined : attempt.failed(error, this.#loaded.project)
    if (!answer) throw error
    this.#failed(error, true)
    if (answer.goesOn) this.#drift.due()
  }

  /** Never two at once. A failure is told, unless it is to be the caller's. */
  #inTurn(work: () => Promise<void>, { fail = false } = {}): Promise<void> {
    const done = this.#turn.then(async () => {
      if (!this.#closing.signal.aborted) await work()
    })
    this.#turn = done.catch((error: unknown) => {
      if (!fail && !this.#closing.signal.aborted) this.#options.tell({ kind: 'failed', doing: 'develop', error })
    })
    return fail ? done : this.#turn
  }

  async #take(changed: ReadonlySet<string>): Promise<void> {
    if ([...changed].some(path => this.#defining.has(path))) await this.#reload()
    else if ([...changed].some(path => this.#ignoring.has(path))) this.#use(this.#loaded)
    await this.#development.take(changed)
  }

  async #reload(): Promise<void> {
    const { load, tell } = this.#options
    const read = await load()
    if ('error' in read) return this.#keep(read, read.error)
    try {
      this.#use(read, { warn: true })
    } catch (error) {
      return this.#keep(read, error)
    }
    if (this.#unreadable !== undefined) tell({ kind: 'readable' })
    this.#unreadable = undefined
    const state = fileState(read)
    if (state === this.#state) return
    this.#state = state
    const before = this.#loaded.project
    this.#loaded = read
    this.#services = this.#options.options.services
    // a service that was in the stack and is not any more goes with it
    const left = Object.keys(before.services).some(name => !known(read.project, name))
    this.#wish.changed({ left })
    this.#error = undefined
    this.#drift.hurry()
  }

  /** Brings it back to what its files say, and gives what is new what was synced. */
  async #look(signal: AbortSignal): Promise<boolean> {
    const { client, options, apply, tell } = this.#options
    const attempt = this.#wish.attempt()
    const { read } = attempt
    const { project } = this.#loaded
    let changed = false
    const work = apply(project, read !== undefined, async carryOut => {
      const result = await repair({
        ...{ client, project, drift: this.#drift, signal, attempt, watched: true, dryRun: this.#options.dryRun },
        options: { ...options, services: this.#services, scale: { ...options.scale, ...this.#scale } },
        seen: this.#seen,
        told: causes => tell({ kind: 'causes', causes }),
        hookFailed: error => tell({ kind: 'failed', doing: 'converge', error }),
        carryOut: (plan, observed) => carryOut(plan, observed, ownDoing(this.#drift)),
      })
      ;({ changed } = result)
    })
    try {
      await work
    } catch (error) {
      if (signal.aborted) throw error
      this.#answered(error, attempt)
      return false
    }
    attempt.done()
    if (changed || read) await this.#development.refresh()
    return changed
  }

  #hear(event: EventMessage, isPast: boolean): void {
    const { project } = this.#loaded
    if (event.Type === 'container' && projectOf(event) !== project.name) return
    this.#drift.hear(event, isPast)
    if (!isPast && heard(event)?.action === 'start') void this.#inTurn(() => this.#development.refresh())
  }

  /** The last good state; what was looked at is watched, so that its coming is seen. */
  #keep({ files }: { readonly files: readonly string[] }, error: unknown): void {
    const { project } = this.#loaded
    this.#watch({ project, files: [...new Set([...this.#loaded.files, ...files])] }, this.#rulesOf(this.#loaded).rules)
    const text = messageOf(error)
    if (text === this.#unreadable) return
    this.#unreadable = text
    this.#options.tell({ kind: 'failed', doing: 'read', error })
  }

  #rulesOf({ project }: Loaded) {
    const { services, build } = this.#options
    return rulesOf(project, { services, build, ignoreFiles: readIgnoreFiles(project) })
  }

  #use(loaded: Loaded, { warn = false } = {}): void {
    const { rules, warnings } = this.#rulesOf(loaded)
    if (warn) for (const text of warnings) this.#options.tell({ kind: 'warning', text })
    this.#watch(loaded, rules)
    this.#development.use(rules)
    this.#ask(loaded)
  }

  /** Asks for images by pull_policy from now on. */
  #ask({ project }: Loaded): void {
    const { client, options, pull, dryRun, tell } = this.#options
    const { services } = options
    const refreshed = dryRun ? '' : refreshKey(project, services)
    if (refreshed === this.#refreshed) return
    this.#refreshed = refreshed
    void this.#refresh?.close()
    this.#refresh = undefined
    if (refreshed === '') return
    this.#refresh = new Refresh({
      ...{ client, project, services },
      free: signal => this.#drift.free(signal),
      pull: plan => pull(plan),
      note: text => tell({ kind: 'warning', text }),
    })
    this.#refresh.open()
  }

  #watch(loaded: Loaded, rules: readonly Rule[]): void {
    this.#defining = definingFiles(loaded)
    this.#ignoring = new Set(ignoringFiles(loaded.project))
    const paths = watchedPaths(loaded, rules)
    // which folders are of interest depends on the patterns as well
    const watched = JSON.stringify([paths, rules])
    if (watched === this.#watched) return
    const before = this.#paths
    this.#paths = new Paths(paths, {
      changed: path => this.#bursts.push(path),
      skips: folder => !rules.some(rule => rule.reaches(folder)),
      failed: error => this.#options.tell({ kind: 'warning', text: error.message }),
    })
    this.#watched = watched
    before?.close()
  }

  async #rebuild(services: readonly string[]): Promise<void> {
    const { client, carryOut, prune } = this.#options
    const { project } = this.#loaded
    const signal = this.#closing.signal
    await rebuild(services, {
      ...{ client, project, signal, prune, carryOut },
      // an image that has become another one is a reason for its containers
      recreate: async () => void (await this.#look(signal)),
    })
  }

  async #restart(services: readonly string[]): Promise<void> {
    const { client, carryOut } = this.#options
    const { project } = this.#loaded
    const observed = await observe(client, project.name, { signal: this.#closing.signal, containersOnly: true })
    await carryOut(planRestart(project, observed, { services }), ownDoing(this.#drift))
    // what follows them
    this.#drift.due()
  }
}

function known(project: Project, name: string): boolean {
  return Object.hasOwn(project.services, name) || Object.hasOwn(project.disabledServices, name)
}
