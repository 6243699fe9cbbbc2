/** What an `up` that gave up waiting had waited for: each service that is not ready, what it has come to, what was not begun because of it. */
import { containerEndpoints } from '../api/containers.ts'
import type { ApplyEvent } from '../apply/events.ts'
import type { FailedNode } from '../apply/plan-failure.ts'
import type { Client } from '../client/client.ts'
import { messageOf } from '../lib/failure.ts'
import { list } from '../lib/text.ts'
import type { NodeId, PlannedOperation } from '../plan/operation.ts'
import type { Plan, PlanNode } from '../plan/plan.ts'
import type { WaitCondition } from '../targets/engine/operation.ts'
import { readinessText } from '../view/readiness.ts'

export interface NotReady {
  readonly service: string
  /** Undefined for a service that was not begun. */
  readonly container: string | undefined
  readonly reason: string
}

interface Wait {
  readonly service: string
  readonly container: string
  readonly condition: WaitCondition
  readonly since: number
}

type WaitOperation = PlannedOperation & { readonly condition: WaitCondition }

const conditions: Readonly<Record<WaitCondition, string>> = {
  healthy: 'to be healthy',
  completed: 'to end with 0',
  ready: 'to be ready',
  serving: 'to serve',
}

/** Listens to an apply, and tells afterwards what it still waited for. */
export class Waits {
  readonly #nodes: ReadonlyMap<NodeId, PlanNode>
  readonly #now: () => number
  /** In the order of their nodes. */
  readonly #open = new Map<NodeId, Wait>()
  /** Starts of containers that were not begun. */
  readonly #left: PlanNode[] = []
  readonly #started = new Set<NodeId>()

  constructor({ nodes }: Pick<Plan, 'nodes'>, now: () => number = Date.now) {
    this.#nodes = new Map(nodes.map(node => [node.id, node]))
    this.#now = now
  }

  take({ kind, node }: ApplyEvent): void {
    const { operation, id } = node
    if (kind === 'started') this.#started.add(id)
    if (kind === 'started' && operation.kind === 'wait-container') {
      const { name, service = name, condition } = operation as WaitOperation
      this.#open.set(id, { service, container: name, condition, since: this.#now() })
    } else if (kind === 'done') this.#open.delete(id)
    else if (kind === 'skipped' && operation.kind === 'start-container' && !this.#started.has(id)) this.#left.push(node)
  }

  /** Containers that were waited for when it ended, without those that had failed by then. */
  get containers(): readonly string[] {
    return [...new Set([...this.#open.values()].map(({ container }) => container))]
  }

  /** One row a container that is waited for, or that failed, then one a service that was not begun. */
  async rows(client: Client): Promise<readonly NotReady[]> {
    const byContainer = new Map([...this.#open.values()].map(wait => [wait.container, wait]))
    const waited = await Promise.all(
      [...byContainer.values()].map(async ({ service, container, condition, since }) => {
        const seconds = Math.round((this.#now() - since) / 1000)
        const reason = `waited ${seconds} s ${conditions[condition]}: ${await stateOf(client, container)}`
        return { service, container, reason }
      }),
    )
    const left = new Map<string, ReadonlySet<string>>()
    for (const node of this.#left) {
      const { name, service = name } = node.operation
      left.set(service, this.#behind(node).union(left.get(service) ?? new Set()))
    }
    return [...waited.sort(byService), ...[...left].map(notStarted).sort(byService)]
  }

  /** The services that are waited for before `node`, as far as what comes before it was not begun either. */
  #behind({ after }: PlanNode): ReadonlySet<string> {
    const services = new Set<string>()
    const before = new Set(after)
    // what is added on the way is walked too
    for (const id of before) {
      const wait = this.#open.get(id)
      if (wait) services.add(wait.service)
      else if (!this.#started.has(id)) for (const earlier of this.#nodes.get(id)?.after ?? []) before.add(earlier)
    }
    return services
  }
}

function notStarted([service, behind]: readonly [string, ReadonlySet<string>]): NotReady {
  const reason = behind.size === 0 ? 'not started' : `not started: it waits for ${list([...behind].sort())}`
  return { service, container: undefined, reason }
}

function byService(a: NotReady, b: NotReady): number {
  return a.service < b.service ? -1 : a.service > b.service ? 1 : 0
}

/** Whether it was time that ran out. */
export function isLate(failed: readonly FailedNode[]): boolean {
  return failed.some(each => each.late === true)
}

/** Whether the container of a node may say why it failed. */
export function hasOutput({ operation: { kind } }: PlanNode): boolean {
  return kind === 'start-container' || kind === 'wait-container' || kind === 'monitor-container'
}

async function stateOf(client: Client, container: string): Promise<string> {
  try {
    return readinessText((await client.call(containerEndpoints.containerInspect, { params: { id: container } })).State)
  } catch (error) {
    // it is told of a failure already: this is what else is known
    return messageOf(error)
  }
}
