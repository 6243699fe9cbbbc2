/** develop.watch at work: what changed files lead to, in the containers of a project. */
import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '../client/client.ts'
import { errnoOf, isFailure } from '../lib/failure.ts'
import { observe } from '../targets/engine/observe.ts'
import type { ObservedContainer } from '../targets/engine/observed.ts'
import { runHook } from '../targets/engine/perform/hook.ts'
import { planned } from '../targets/engine/plan/hooks.ts'
import type { WatchEvent } from './events.ts'
import { type Actions, actionsOf, type Rule, syncs } from './rules.ts'
import { sync } from './sync.ts'

export interface DevelopmentOptions {
  readonly client: Client
  /** The name of the project. */
  readonly project: string
  readonly signal: AbortSignal
  /** Builds the images of these services anew, and their containers from them. */
  rebuild(services: readonly string[]): Promise<void>
  restart(services: readonly string[]): Promise<void>
  tell(event: WatchEvent): void
  /** Says what would be done, and does not. */
  readonly dryRun: boolean
}

type Files = ReadonlyMap<string, string>

export class Development {
  readonly #options: DevelopmentOptions
  #rules: readonly Rule[] = []
  /** By service: all that was synced, which a container that is made anew lacks. */
  readonly #synced = new Map<string, Map<string, string>>()
  /** Containers that have it. */
  readonly #fresh = new Set<string>()

  constructor(options: DevelopmentOptions) {
    this.#options = options
  }

  use(rules: readonly Rule[]): void {
    this.#rules = rules
  }

  /** What a burst of changes leads to, in the order rebuild, sync, restart, exec. @throws Failure of the first that fails */
  async take(changed: Iterable<string>): Promise<void> {
    const actions = actionsOf(this.#rules, changed)
    if (this.#options.dryRun) return this.#foretell(actions)
    if (actions.rebuild.length > 0) await this.#rebuild(actions.rebuild)
    for (const [service, files] of actions.sync) await this.#sync(service, files)
    if (actions.restart.length > 0) {
      await this.#options.restart(actions.restart)
      this.#say(`service(s) ${quoted(actions.restart)} restarted`)
    }
    await Promise.all(actions.exec.map(rule => this.#exec(rule)))
  }

  /** Gives containers that are new what was synced so far, and what is to be synced at the start. */
  async refresh(): Promise<void> {
    const services = [...new Set(this.#rules.filter(syncs).map(({ service }) => service))]
    if (services.length === 0 || this.#options.dryRun) return
    const initial = new Map<string, Map<string, string>>()
    for (const container of await this.#containers(services)) {
      if (this.#fresh.has(container.id)) continue
      const first = initial.get(container.service) ?? this.#initial(container.service)
      initial.set(container.service, first)
      const files = new Map([...first, ...(this.#synced.get(container.service) ?? [])])
      if (files.size > 0) await this.#syncTo(container, files)
      this.#fresh.add(container.id)
    }
  }

  async #rebuild(services: readonly string[]): Promise<void> {
    this.#say(`Rebuilding service(s) ${quoted(services)} after changes were detected...`)
    await this.#options.rebuild(services)
    this.#say(`service(s) ${quoted(services)} successfully built`)
    await this.refresh()
  }

  async #sync(service: string, files: Files): Promise<void> {
    this.#say(`Syncing service "${service}" after ${files.size} changes were detected`)
    const containers = await this.#containers([service])
    const known = this.#synced.get(service) ?? new Map<string, string>()
    this.#synced.set(service, known)
    for (const [path, target] of files) known.set(path, target)
    await Promise.all(containers.map(container => this.#syncTo(container, files)))
  }

  async #syncTo({ id, name }: ObservedContainer, files: Files): Promise<void> {
    const { client, signal, tell } = this.#options
    const warn = (text: string) => tell({ kind: 'warning', text })
    try {
      await sync(client, { id, name }, { files, signal, warn })
    } catch (error) {
      // removed in the meantime: the one that takes its place is given all
      if (!isFailure(error, 'not-found')) throw error
    }
  }

  async #exec({ service, exec }: Rule): Promise<void> {
    const { client, tell } = this.#options
    const containers = await this.#containers([service])
    await Promise.all(
      containers.map(({ id, name }) =>
        runHook(client, id, {
          kind: 'run-hook',
          cause: 'a file has changed',
          phase: 'post_start',
          hook: planned(exec!),
          name,
          service,
          container: id,
          onOutput: text => tell({ kind: 'output', service, text }),
        }),
      ),
    )
  }

  #foretell({ rebuild, sync: synced, restart, exec }: Actions): void {
    if (rebuild.length > 0) this.#say(`service(s) ${quoted(rebuild)} would be rebuilt`)
    for (const [service, files] of synced) this.#say(`${files.size} changes would be synced to service "${service}"`)
    if (restart.length > 0) this.#say(`service(s) ${quoted(restart)} would be restarted`)
    for (const { service, exec: hook } of exec)
      this.#say(`${quoted(hook?.command ?? [])} would be run in service "${service}"`)
  }

  /** Those that run; what does not is forgotten, since it misses what is synced meanwhile. */
  async #containers(services: readonly string[]): Promise<readonly ObservedContainer[]> {
    const { client, project, signal } = this.#options
    const { containers } = await observe(client, project, { signal, containersOnly: true })
    const own = containers.filter(each => !each.oneOff && services.includes(each.service))
    for (const { id, state } of own) if (state !== 'running') this.#fresh.delete(id)
    return own.filter(({ state }) => state === 'running')
  }

  /** All that the rules with initial_sync are about. */
  #initial(service: string): Map<string, string> {
    const files = new Map<string, string>()
    const walk = (rule: Rule, path: string): void => {
      if (rule.concerns(path)) files.set(path, rule.targetOf(path)!)
      if (!rule.reaches(path)) return
      for (const name of namesIn(path)) walk(rule, join(path, name))
    }
    for (const rule of this.#rules)
      if (rule.service === service && rule.initialSync && syncs(rule) && isThere(rule.path)) walk(rule, rule.path)
    return files
  }

  #say(text: string): void {
    this.#options.tell({ kind: 'said', text })
  }
}

/** As Go prints a list of texts by %q. */
function quoted(texts: readonly string[]): string {
  return `[${texts.map(text => JSON.stringify(text)).join(' ')}]`
}

/** None of what is no folder, or of one that cannot be read, of which the watch itself tells. */
function namesIn(path: string): readonly string[] {
  try {
    if (!lstatSync(path).isDirectory()) return []
    return readdirSync(path).sort()
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return []
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}
