/** develop.watch of a stack that is watched without a terminal: what changed sources lead to, done when nobody else works on the stack. */
import type { Client } from '../client/client.ts'
import { messageOf } from '../lib/failure.ts'
import { printable } from '../lib/text.ts'
import type { Project } from '../model/project.ts'
import type { EnginePlan } from '../targets/engine/engine-plan.ts'
import { observe } from '../targets/engine/observe.ts'
import { planRestart } from '../targets/engine/plan/turn.ts'
import { Bursts } from '../watch/bursts.ts'
import { Development } from '../watch/development.ts'
import type { WatchEvent } from '../watch/events.ts'
import { ignoringFiles } from '../watch/files.ts'
import { readIgnoreFiles } from '../watch/ignore-files.ts'
import { Paths } from '../watch/paths.ts'
import { rebuild } from '../watch/rebuild.ts'
import { rulesOf } from '../watch/rules.ts'

export interface StackSourcesOptions {
  readonly client: Client
  readonly project: Project
  /** Those that are to run; undefined: all. */
  readonly services: readonly string[] | undefined
  /** Resolves when nobody has the stack for themselves, or the signal fires. */
  free(signal: AbortSignal): Promise<void>
  /** Applies a plan: of builds, of restarts. */
  carryOut(plan: EnginePlan, signal: AbortSignal): Promise<void>
  /** Brings the stack back to what is asked for, with images as they are by now. */
  repair(signal: AbortSignal): Promise<void>
  /** One line, for the log and whoever listens. */
  note(text: string): void
}

/** Long enough for an editor that writes in steps, in ms. */
const quiet = 100
const longest = 5000

export class StackSources {
  readonly #options: StackSourcesOptions
  readonly #closing = new AbortController()
  readonly #development: Development
  readonly #bursts: Bursts
  readonly #ignoring: ReadonlySet<string>
  #paths: Paths | undefined
  #watched = ''
  #turn: Promise<void> = Promise.resolve()
  /** How much is being done, or waits for its turn. */
  #working = 0

  constructor(options: StackSourcesOptions) {
    this.#options = options
    const { client, project } = options
    this.#ignoring = new Set(ignoringFiles(project))
    this.#development = new Development({
      client,
      project: project.name,
      signal: this.#closing.signal,
      rebuild: services => this.#rebuild(services),
      restart: services => this.#restart(services),
      tell: event => this.#tell(event),
      dryRun: false,
    })
    this.#bursts = new Bursts({ quiet, longest, take: changed => this.#inTurn(() => this.#take(changed)) })
  }

  get isWorking(): boolean {
    return this.#working > 0
  }

  /** What is to be synced at the start is. */
  open(): void {
    void this.#inTurn(async () => {
      this.#use()
      await this.#development.refresh()
    })
  }

  /** A container has been started, by whomever: it may lack what was synced. */
  started(): void {
    void this.#inTurn(() => this.#development.refresh())
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#paths?.close()
    await Promise.all([this.#bursts.close(), this.#turn])
  }

  /** Never two at once; a failure is told, and nothing is tried again before something changes. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const { signal } = this.#closing
    this.#working++
    this.#turn = this.#turn.then(async () => {
      try {
        await this.#options.free(signal)
        if (!signal.aborted) await work()
      } catch (error) {
        if (!signal.aborted) this.#options.note(`develop.watch: ${messageOf(error)}`)
      } finally {
        this.#working--
      }
    })
    return this.#turn
  }

  async #take(changed: ReadonlySet<string>): Promise<void> {
    if ([...changed].some(path => this.#ignoring.has(path))) this.#use()
    await this.#development.take(changed)
  }

  #use(): void {
    const { project, services, note } = this.#options
    const { rules, warnings } = rulesOf(project, { services, build: true, ignoreFiles: readIgnoreFiles(project) })
    this.#development.use(rules)
    const paths = [
      ...[...this.#ignoring].map(path => ({ path, deep: false })),
      ...[...new Set(rules.map(({ path }) => path))].map(path => ({ path, deep: true })),
    ]
    const watched = JSON.stringify([paths, rules])
    if (watched === this.#watched) return
    if (this.#watched === '') for (const text of warnings) note(printable(text))
    const before = this.#paths
    this.#paths = new Paths(paths, {
      changed: path => this.#bursts.push(path),
      skips: folder => !rules.some(rule => rule.reaches(folder)),
      failed: error => note(printable(messageOf(error))),
    })
    this.#watched = watched
    before?.close()
  }

  async #rebuild(services: readonly string[]): Promise<void> {
    const { client, project, carryOut, repair } = this.#options
    const { signal } = this.#closing
    await rebuild(services, {
      ...{ client, project, signal, prune: true },
      carryOut: plan => carryOut(plan, signal),
      recreate: () => repair(signal),
    })
  }

  async #restart(services: readonly string[]): Promise<void> {
    const { client, project, carryOut } = this.#options
    const { signal } = this.#closing
    const observed = await observe(client, project.name, { signal, containersOnly: true })
    await carryOut(planRestart(project, observed, { services }), signal)
  }

  #tell(event: WatchEvent): void {
    const { note } = this.#options
    if (event.kind === 'said' || event.kind === 'warning') note(printable(event.text))
    else if (event.kind === 'output') note(printable(`${event.service}: ${event.text}`))
  }
}
