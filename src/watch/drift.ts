/** Listens to an engine while a project runs, and says what somebody has done to it. Goes on when the engine has been away. */
import { setTimeout as pause } from 'node:timers/promises'
import type { EventMessage } from '../api/events.ts'
import { systemEndpoints } from '../api/system.ts'
import type { Client } from '../client/client.ts'
import type { Project } from '../model/project.ts'
import { labels, projectFilter } from '../targets/engine/labels.ts'
import { observe } from '../targets/engine/observe.ts'
import { type Finding, Suspicions } from './suspicions.ts'

export interface DriftOptions {
  readonly client: Client
  readonly signal: AbortSignal
  project(): Project
  /** There is something to look at: call `look` when nothing else is being done. */
  suspect(): void
  /** A container was started, by whomever. */
  started(): void
  /** The engine cannot be reached, once; what it does meanwhile is not heard. */
  lost(error: unknown): void
  /** It can again: all is to be looked at. */
  back(): void
}

/** What is told in steps is told within so many ms: a stop after the end that it caused, */
const settling = 200
/** the other networks of a container, the services of an image. */
const together = 20
/** Between attempts to reach an engine, ms. */
const retry = [200, 500, 1000, 2000, 5000]

export class Drift {
  readonly #options: DriftOptions
  readonly #suspicions = new Suspicions()
  readonly #ready = Promise.withResolvers<void>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: DriftOptions) {
    this.#options = options
    this.#ready.promise.catch(() => undefined)
  }

  /** Resolves when the engine is listened to for the first time. */
  get ready(): Promise<void> {
    return this.#ready.promise
  }

  /** Until the signal fires; never fails. */
  async run(): Promise<void> {
    const { signal, lost, back } = this.#options
    let failures = 0
    while (!signal.aborted) {
      try {
        await this.#listen(() => {
          if (failures > 0) back()
          failures = 0
          this.#ready.resolve()
        })
        if (signal.aborted) break
        // an engine that ends closes its streams in order
        if (failures++ === 0) lost(undefined)
      } catch (error) {
        if (signal.aborted) break
        if (failures++ === 0) lost(error)
      }
      await pause(retry[Math.min(failures, retry.length) - 1], undefined, { signal }).catch(() => undefined)
    }
    clearTimeout(this.#timer)
    this.#ready.resolve()
  }

  /** What holds of all that was suspect. */
  async look(): Promise<readonly Finding[]> {
    if (!this.#suspicions.any) return []
    const { client, project, signal } = this.#options
    const { containers } = await observe(client, project().name, { signal, containersOnly: true })
    return this.#suspicions.confirm(containers)
  }

  /** Services none of whose containers was stopped by request. */
  async wanted(): Promise<readonly string[]> {
    const { client, project, signal } = this.#options
    const { containers } = await observe(client, project().name, { signal, containersOnly: true })
    const stopped = new Set(containers.filter(({ id }) => this.#suspicions.isStopped(id)).map(({ service }) => service))
    return Object.keys(project().services).filter(name => !stopped.has(name))
  }

  async #listen(ready: () => void): Promise<void> {
    const { client, signal, project } = this.#options
    const over = new AbortController()
    const either = { signal: AbortSignal.any([signal, over.signal]) }
    try {
      const all: readonly Readonly<Record<string, readonly string[]>>[] = [
        { type: ['container'], ...projectFilter(project().name) },
        // which have no labels of the project
        { type: ['network', 'image'], event: ['disconnect', 'tag', 'pull', 'load'] },
      ]
      const streams = await Promise.all(
        all.map(filters => client.stream(systemEndpoints.events, { query: { filters } }, either)),
      )
      ready()
      // the first that ends ends it all
      await Promise.race(streams.map(stream => this.#follow(stream)))
    } finally {
      over.abort()
    }
  }

  async #follow(stream: AsyncIterable<EventMessage>): Promise<void> {
    for await (const event of stream) {
      this.#suspicions.hear(event, this.#options.project())
      if (event.Type === 'container' && event.Action === 'start' && event.Actor.Attributes[labels.oneOff] !== 'True')
        this.#options.started()
      if (!this.#suspicions.any) continue
      const { sure } = this.#suspicions
      if (this.#timer && !sure) continue
      clearTimeout(this.#timer)
      this.#timer = setTimeout(
        () => {
          this.#timer = undefined
          this.#options.suspect()
        },
        sure ? together : settling,
      )
    }
  }
}
