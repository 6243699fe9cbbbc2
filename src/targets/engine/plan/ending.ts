/** How a container is ended: its hooks, its stop, its removal. */
import type { Service } from '../../../model/service.ts'
import type { NodeId } from '../../../plan/operation.ts'
import type { EnginePlan } from '../engine-plan.ts'
import { labels } from '../labels.ts'
import type { ObservedContainer } from '../observed.ts'
import { planHooks } from './hooks.ts'

export interface EndOptions {
  readonly cause: string
  /** Its service, where the stack has it: for pre_stop. */
  readonly service: Service | undefined
  readonly timeout: number | undefined
  readonly after?: readonly NodeId[]
}

export interface RemovalOptions extends EndOptions {
  /** Containers already stopped by a node. */
  readonly stopped?: ReadonlyMap<string, NodeId>
  /** Anonymous volumes too. */
  readonly volumes?: boolean
  /** What it has printed stays: another takes its place, or it is one of several. */
  readonly keepsLog?: boolean
}

/** Whether it has a process that must be stopped. */
export function isLive(container: ObservedContainer): boolean {
  return container.state === 'running' || container.state === 'paused' || container.state === 'restarting'
}

/** What every operation on a container says of it. */
export function on(container: ObservedContainer) {
  return { name: container.name, service: container.service || undefined, container: container.id }
}

/** Runs pre_stop in what runs, and stops it. */
export function planStopping(plan: EnginePlan, container: ObservedContainer, options: EndOptions): NodeId {
  const { cause, service, timeout, after = [] } = options
  const before =
    container.state === 'running' && !container.oneOff
      ? planHooks(plan, 'pre_stop', { service, on: on(container), after })
      : after
  return plan.add({ kind: 'stop-container', cause, ...on(container), timeout }, before)
}

/** Stops, if it runs, and removes a container; returns the last node. */
export function planRemoval(plan: EnginePlan, container: ObservedContainer, options: RemovalOptions): NodeId {
  const { cause, after = [], volumes = false, keepsLog } = options
  const stopped = options.stopped?.get(container.id)
  const before =
    stopped !== undefined ? [...after, stopped] : isLive(container) ? [planStopping(plan, container, options)] : after
  // an up that was killed may have asked for its start, of which nobody hears any more
  const force = container.labels[labels.hook] !== undefined && !isLive(container)
  const rest = { force, volumes, ...(keepsLog ? { keepsLog } : {}) }
  return plan.add({ kind: 'remove-container', cause, ...on(container), ...rest }, before)
}
