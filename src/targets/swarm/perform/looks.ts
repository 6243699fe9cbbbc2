/** Looks at a stack for all who wait for something of it: the Engine API has no events of tasks, so they are asked for, once for everybody. */
import { setTimeout as pause } from 'node:timers/promises'
import { type SwarmNode, type SwarmService, type SwarmTask, swarmObjects } from '../../../api/swarm-objects.ts'
import type { Client } from '../../../client/client.ts'
import { Failure, isFailure } from '../../../lib/failure.ts'
import { stackFilter } from '../labels.ts'

/** Milliseconds from one look to the next, at least; a manager that takes long is asked less often. */
export const every = 250

/** Of the time that the last who came has waited, what lies between two looks: what takes long is asked for less often, and told that much later. */
const share = 0.1
/** Milliseconds that this makes at most. */
const longest = 5_000

export interface Look {
  /** By id; where somebody waits by them. */
  readonly services: ReadonlyMap<string, SwarmService>
  readonly tasks: readonly SwarmTask[]
  /** By id; where somebody waits by them. */
  readonly nodes: ReadonlyMap<string, SwarmNode>
}

/** What there is to see beside tasks. */
export type Sight = 'services' | 'nodes'

/** Milliseconds before the next look. `took`: the last one; `waited`: by whoever came last. */
export function pauseBefore({ took, waited }: { readonly took: number; readonly waited: number }): number {
  return Math.max(every, 2 * took, Math.min(longest, share * waited))
}

export class Looks {
  readonly #client: Client
  readonly #stack: string
  readonly #sights = new Set<Sight>()
  #next: Promise<Look> | undefined
  #took = 0
  #began = 0

  constructor(client: Client, stack: string) {
    this.#client = client
    this.#stack = stack
  }

  /** Somebody waits from now on. */
  begin(): void {
    this.#began = performance.now()
  }

  /** One that begins after it was asked for. @throws the signal's reason, as a Failure of its own or a cancelled one */
  async next(sight: Sight, signal: AbortSignal): Promise<Look> {
    this.#sights.add(sight)
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
    await pause(pauseBefore({ took: this.#took, waited: performance.now() - this.#began }))
    this.#next = undefined
    const began = performance.now()
    const sights = new Set(this.#sights)
    this.#sights.clear()
    const query = { filters: stackFilter(this.#stack) }
    const [services, tasks, nodes] = await Promise.all([
      sights.has('services') ? this.#client.call(swarmObjects.serviceList, { query: { ...query, status: true } }) : [],
      this.#client.call(swarmObjects.taskList, { query }),
      sights.has('nodes') ? this.#client.call(swarmObjects.nodeList, {}) : [],
    ])
    this.#took = performance.now() - began
    return { services: byId(services), tasks, nodes: byId(nodes) }
  }
}

function byId<T extends { readonly ID: string }>(all: readonly T[]): ReadonlyMap<string, T> {
  return new Map(all.map(each => [each.ID, each]))
}
