/**
 * Keeps a project as its files say, while they change: sources by develop.watch, and what defines the project by bringing it up
 * again. One thing is done after the other. What cannot be read keeps the last good state.
 */

import { imageEndpoints } from '../api/images.ts'
import { buildsOf } from '../apply/builds.ts'
import { look } from '../apply/converge.ts'
import { observe } from '../apply/observe.ts'
import type { Client } from '../client/client.ts'
import { isFailure, messageOf } from '../lib/failure.ts'
import type { Project } from '../model/project.ts'
import { imageName } from '../plan/names.ts'
import type { Plan } from '../plan/plan.ts'
import type { UpOptions } from '../plan/reconcile.ts'
import { planRestart } from '../plan/turn.ts'
import { Bursts } from './bursts.ts'
import { Development } from './development.ts'
import type { WatchEvent } from './events.ts'
import { definingFiles, ignoringFiles, type Loaded, watchedPaths } from './files.ts'
import { readIgnoreFiles } from './ignore-files.ts'
import { Paths } from './paths.ts'
import { type Rule, rulesOf } from './rules.ts'

/** What reading gave: the project, or why there is none; the files that were looked at either way. */
export type Read = Loaded | { readonly files: readonly string[]; readonly error: unknown }

export interface WatchOptions {
  readonly client: Client
  readonly loaded: Loaded
  /** Reads the stack again. */
  load(): Promise<Read>
  /** Brings the project up, and says what it does; no more than asked by `options`. */
  converge(project: Project, options: UpOptions): Promise<void>
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
  #loaded: Loaded
  #defining: ReadonlySet<string> = new Set()
  #ignoring: ReadonlySet<string> = new Set()
  #paths: Paths | undefined
  #watched = ''
  /** What was told of files that cannot be read. */
  #unreadable: string | undefined
  #turn: Promise<void> = Promise.resolve()

  constructor(options: WatchOptions) {
    this.#options = options
    this.#loaded = options.loaded
    this.#development = new Development({
      client: options.client,
      project: options.loaded.project.name,
      signal: this.#closing.signal,
      rebuild: services => this.#rebuild(services),
      restart: services => this.#restart(services),
      tell: options.tell,
      dryRun: options.dryRun ?? false,
    })
    this.#bursts = new Bursts({ quiet, longest, take: changed => this.#inTurn(() => this.#take(changed)) })
  }

  /** What is asked for by develop.watch. */
  get rules(): number {
    return this.#rulesOf(this.#loaded).rules.length
  }

  /** Resolves when everything is watched, and initial_sync is done. @throws Failure for what cannot be watched */
  async start(): Promise<void> {
    this.#use(this.#loaded, { warn: true })
    await this.#inTurn(() => this.#development.refresh(), { fail: true })
  }

  /** What is under way is ended as soon as it can be. */
  async close(): Promise<void> {
    this.#paths?.close()
    this.#closing.abort()
    await this.#bursts.close()
    await this.#turn
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
    await this.#converge({ ...(left ? { removeOrphans: true } : {}) })
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

  async #converge(options: UpOptions): Promise<void> {
    try {
      await this.#options.converge(this.#loaded.project, options)
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

  /** The images of these alone, then whatever is to be made of them, and what follows by `restart: true`. */
  async #rebuild(services: readonly string[]): Promise<void> {
    const { client, carryOut, converge, prune } = this.#options
    const { project } = this.#loaded
    const signal = this.#closing.signal
    const before = await look({ client, project, signal })
    const cause = 'a watched file has changed'
    await carryOut(await buildsOf(project, before, { services, when: 'always', cause }))
    const following = Object.values(project.services)
      .filter(({ dependsOn }) => services.some(name => dependsOn[name]?.restart))
      .map(({ name }) => name)
    await converge(project, { services: [...new Set([...services, ...following])], noDeps: true, quietOrphans: true })
    if (!prune) return
    const now = await look({ client, project, signal })
    for (const name of services) {
      const image = imageName(project, project.services[name]!)!
      const old = before.images.get(image)?.id
      if (old !== undefined && old !== now.images.get(image)?.id) await this.#prune(old)
    }
  }

  /** Unless it has another name, or somebody else uses it. */
  async #prune(id: string): Promise<void> {
    const { client } = this.#options
    try {
      const { RepoTags: tags } = await client.call(imageEndpoints.imageInspect, { params: { name: id } })
      if ((tags ?? []).length === 0) await client.call(imageEndpoints.imageRemove, { params: { name: id } })
    } catch (error) {
      if (!isFailure(error, 'conflict') && !isFailure(error, 'not-found')) throw error
    }
  }

  async #restart(services: readonly string[]): Promise<void> {
    const { client, carryOut } = this.#options
    const { project } = this.#loaded
    const observed = await observe(client, project.name, { signal: this.#closing.signal, containersOnly: true })
    await carryOut(planRestart(project, observed, { services }))
  }
}

function known(project: Project, name: string): boolean {
  return Object.hasOwn(project.services, name) || Object.hasOwn(project.disabledServices, name)
}
