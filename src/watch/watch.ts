/**
 * Keeps a project as its files say, while they change: sources by develop.watch, and what defines the project by bringing it up
 * again. One thing is done after the other. What cannot be read keeps the last good state.
 */

import type { Client } from '../client/client.ts'
import { messageOf } from '../lib/failure.ts'
import type { Project } from '../model/project.ts'
import type { Plan } from '../plan/plan.ts'
import { observe } from '../targets/engine/observe.ts'
import type { UpOptions } from '../targets/engine/plan/reconcile.ts'
import { planRestart, planUnpause } from '../targets/engine/plan/turn.ts'
import { BackOff } from './back-off.ts'
import { Bursts } from './bursts.ts'
import { Development } from './development.ts'
import { Drift } from './drift.ts'
import type { WatchEvent } from './events.ts'
import { definingFiles, ignoringFiles, type Loaded, watchedPaths } from './files.ts'
import { readIgnoreFiles } from './ignore-files.ts'
import { Paths } from './paths.ts'
import { rebuild } from './rebuild.ts'
import { type Rule, rulesOf } from './rules.ts'
import type { Finding } from './suspicions.ts'

/** What reading gave: the project, or why there is none; the files that were looked at either way. */
export type Read = Loaded | { readonly files: readonly string[]; readonly error: unknown }

export interface WatchOptions {
  readonly client: Client
  readonly loaded: Loaded
  /** Reads the stack again. */
  load(): Promise<Read>
  /** Brings the project up, and says what it does and why; no more than asked by `options`. */
  converge(project: Project, options: UpOptions, causes: readonly string[]): Promise<void>
  /** Applies a plan: of builds, of restarts. */
  carryOut(plan: Plan): Promise<void>
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
  readonly #backOff = new BackOff()
  readonly #later = new Set<NodeJS.Timeout>()
  #loaded: Loaded
  #defining: ReadonlySet<string> = new Set()
  #ignoring: ReadonlySet<string> = new Set()
  #paths: Paths | undefined
  #watched = ''
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
    this.#drift = new Drift({
      client: options.client,
      signal: this.#closing.signal,
      project: () => this.#loaded.project,
      suspect: () => void this.#inTurn(() => this.#repair()),
      started: () => void this.#inTurn(() => this.#development.refresh()),
      lost: error => options.tell({ kind: 'lost', error }),
      back: () => void this.#inTurn(() => this.#lookAgain()),
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
    if (!this.#options.dryRun) {
      this.#listening = this.#drift.run()
      await this.#drift.ready
    }
    await this.#inTurn(() => this.#development.refresh(), { fail: true })
  }

  /** What is under way is ended as soon as it can be. */
  async close(): Promise<void> {
    this.#paths?.close()
    this.#closing.abort()
    for (const timer of this.#later) clearTimeout(timer)
    await this.#bursts.close()
    await this.#turn
    await this.#listening
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
    const before = this.#loaded.project
    this.#loaded = read
    // a service that was in the stack and is not any more goes with it
    const left = Object.keys(before.services).some(name => !known(read.project, name))
    await this.#converge({ ...(left ? { removeOrphans: true } : {}) }, ['its files have changed'])
  }

  /** What somebody has done to containers, undone; the same service not over and over without a pause. */
  async #repair(): Promise<void> {
    const findings = await this.#drift.look()
    const now = Date.now()
    const due = findings.map(finding => {
      const waits = finding.services.map(service => this.#backOff.wait(`${finding.kind} ${service}`, now))
      return { finding, wait: Math.max(...waits) }
    })
    await this.#undo(due.filter(({ wait }) => wait === 0).map(({ finding }) => finding))
    for (const { finding, wait } of due.filter(each => each.wait > 0)) {
      const timer = setTimeout(() => {
        this.#later.delete(timer)
        void this.#inTurn(() => this.#undo([finding]))
      }, wait)
      this.#later.add(timer)
    }
  }

  async #undo(findings: readonly Finding[]): Promise<void> {
    const { client, carryOut, services: named, tell } = this.#options
    const { project } = this.#loaded
    const ours = findings.filter(({ services }) => services.some(name => isOurs(project, name, named)))
    const paused = ours.filter(({ kind }) => kind === 'paused')
    if (paused.length > 0) {
      tell({ kind: 'causes', causes: paused.map(({ cause }) => cause) })
      const observed = await observe(client, project.name, { signal: this.#closing.signal, containersOnly: true })
      await carryOut(planUnpause(project, observed, { services: paused.flatMap(({ services }) => services) }))
    }
    const rest = ours.filter(({ kind }) => kind !== 'paused')
    if (rest.length === 0) return
    // what was stopped by request waits for its new image until it is started again
    const wanted = rest.some(({ kind }) => kind === 'image') ? await this.#drift.wanted() : undefined
    const services = rest
      .flatMap(({ kind, services: own }) => (kind === 'image' ? own.filter(name => wanted!.includes(name)) : own))
      .filter(name => isOurs(project, name, named))
    if (services.length === 0) return
    await this.#converge(
      { services: withFollowers(project, services), noDeps: true, quietOrphans: true },
      rest.map(({ cause }) => cause),
    )
  }

  /** After the engine was away nobody knows what has happened. */
  async #lookAgain(): Promise<void> {
    this.#options.tell({ kind: 'found' })
    const { services: named } = this.#options
    const { project } = this.#loaded
    const services = (await this.#drift.wanted()).filter(name => isOurs(project, name, named))
    await this.#converge({ services, noDeps: true, quietOrphans: true }, ['the engine was away'])
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

  async #converge(options: UpOptions, causes: readonly string[]): Promise<void> {
    try {
      await this.#options.converge(this.#loaded.project, options, causes)
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#options.tell({ kind: 'failed', doing: 'converge', error })
      return
    }
    await this.#development.refresh()
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
    const { client, carryOut, converge, prune } = this.#options
    const { project } = this.#loaded
    const signal = this.#closing.signal
    await rebuild(services, {
      ...{ client, project, signal, prune, carryOut },
      recreate: () => {
        const all = withFollowers(project, services)
        return converge(project, { services: all, noDeps: true, quietOrphans: true }, [])
      },
    })
  }

  async #restart(services: readonly string[]): Promise<void> {
    const { client, carryOut } = this.#options
    const { project } = this.#loaded
    const observed = await observe(client, project.name, { signal: this.#closing.signal, containersOnly: true })
    await carryOut(planRestart(project, observed, { services }))
  }
}

/** Those that depend on them with `restart: true` too, and so on. */
function withFollowers(project: Project, services: readonly string[]): readonly string[] {
  const all = new Set(services)
  for (const name of all)
    for (const { name: other, dependsOn } of Object.values(project.services))
      if (dependsOn[name]?.restart) all.add(other)
  return [...all]
}

function isOurs(project: Project, name: string, named: readonly string[] | undefined): boolean {
  return Object.hasOwn(project.services, name) && (named === undefined || named.includes(name))
}

function known(project: Project, name: string): boolean {
  return Object.hasOwn(project.services, name) || Object.hasOwn(project.disabledServices, name)
}
