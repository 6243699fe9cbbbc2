/** Looks at a stack for all who wait for something of it: the Engine API has no events of tasks, so they are asked for, once for everybody. */
import { setTimeout as pause } from 'node:timers/promises'
import { type SwarmNode, type SwarmService, type SwarmTask, swarmObjects } from '../../../api/swarm-objects.ts'
import type { Client } from '../../../client/client.ts'
import { Failure, isFailure } from '../../../lib/failure.ts'
import { stackFilter } from '../labels.ts'

/** Milliseconds from one look to the next, at least; a manager that takes long is asked less often. */
export const every = 250

export interface Look {
  /** By id. */
  readonly services: ReadonlyMap<string, SwarmService>
  readonly tasks: readonly SwarmTask[]
  /** By id. */
  readonly nodes: ReadonlyMap<string, SwarmNode>
}

export class Looks {
  readonly #client: Client
  readonly #stack: string
  #next: Promise<Look> | undefined
  #took = 0

  constructor(client: Client, stack: string) {
    this.#client = client
    this.#stack = stack
  }

  /** One that begins after it was asked for. @throws the signal's reason, as a Failure of its own or a cancelled one */
  async next(signal: AbortSignal): Promise<Look> {
    this.#next ??= this.#look()
    const stop = Promise.withResolvers<never>()
    const abort = () =>
      stop.reject(
        isFailure(signal.reason) ? signal.reason : new Failure('cancelled', 'Interrupted', { cause: signal.reason }),
      )
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    try {
      return await Promise.race([this.#next, stop.promise])
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  async #look(): Promise<Look> {
    // an update has its first effect a moment after it was asked for
    await pause(Math.max(every, 2 * this.#took))
    this.#next = undefined
    const began = performance.now()
    const query = { filters: stackFilter(this.#stack) }
    const [services, tasks, nodes] = await Promise.all([
      this.#client.call(swarmObjects.serviceList, { query: { ...query, status: true } }),
      this.#client.call(swarmObjects.taskList, { query }),
      this.#client.call(swarmObjects.nodeList, {}),
    ])
    this.#took = performance.now() - began
    return { services: byId(services), tasks, nodes: byId(nodes) }
  }
}

function byId<T extends { readonly ID: string }>(all: readonly T[]): ReadonlyMap<string, T> {
  return new Map(all.map(each => [each.ID, each]))
}
