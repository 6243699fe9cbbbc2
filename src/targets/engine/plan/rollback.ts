/** What follows an update that has failed: back to the containers before, which are still there, or what has been replaced cleared away. */
import type { Rollout as Config } from '../../../model/deploy.ts'
import type { Service } from '../../../model/service.ts'
import type { FailureAction } from '../../../plan/batches.ts'
import type { NodeId } from '../../../plan/operation.ts'
import type { EnginePlan, EngineRollout } from '../engine-plan.ts'
import { isLive, on } from './ending.ts'
import { planHooks } from './hooks.ts'
import { planDelay, planDraining, planMonitor, planRetired, planTakeOver } from './rollout.ts'
import type { UpdateOrder } from './update-order.ts'
import type { Turn } from './update-turn.ts'

export interface Recovery {
  readonly service: Service
  readonly turns: readonly Turn[]
  /** `rollback_config`. */
  readonly config: Config
  readonly order: UpdateOrder
  /** Ports and names can pass from one container to another. */
  readonly handsOver: boolean
  readonly timeout: number | undefined
  readonly renewAnonVolumes: boolean
}

type Done = (node: NodeId) => boolean

/** The update stays where it is: what has been replaced for good goes, so that nothing starts it again. */
export function planPause(plan: EnginePlan, { service, turns, renewAnonVolumes }: Recovery, done: Done): undefined {
  for (const { old, name, named, retired } of turns) {
    const isThere = done(named) && plan.nodes[retired - 1]!.operation.kind === 'rename-container'
    const cause = `the update of ${service.name} is paused`
    if (isThere) planRetired(plan, { old, name, cause, volumes: renewAnonVolumes }, [])
  }
}

/** Back to the containers before: first where the update was broken off, all at once; then the rest, in batches, the last that came first. */
export function planRollback(plan: EnginePlan, recovery: Recovery, done: Done): EngineRollout | undefined {
  const { service, turns, config } = recovery
  const begun = turns.filter(turn => done(turn.created)).toReversed()
  const broken = begun.filter(turn => !done(turn.named))
  const whole = begun.filter(turn => done(turn.named))
  const size = config.parallelism === 0 ? whole.length : (config.parallelism ?? 1)
  const back: Turn[] = []
  let begin: readonly NodeId[] = []
  const batches = [broken, ...chunks(whole, size)].filter(batch => batch.length > 0)
  for (const [i, batch] of batches.entries()) {
    const restored = batch.map(turn => planReturn(plan, recovery, { turn, begin, done }))
    back.push(...restored)
    begin = restored.map(turn => turn.named)
    if (i === batches.length - 1 || !config.delay) continue
    begin = [planDelay(plan, service, config.delay, begin)]
  }
  if (back.length === 0) return undefined
  const action: FailureAction = config.failureAction === 'continue' ? 'continue' : 'pause'
  const maxFailureRatio = config.maxFailureRatio ?? 0
  return { service: service.name, turns: back, action, maxFailureRatio, recover: () => undefined }
}

function chunks<T>(list: readonly T[], size: number): T[][] {
  const found: T[][] = []
  for (let at = 0; at < list.length; at += Math.max(1, size)) found.push(list.slice(at, at + Math.max(1, size)))
  return found
}

interface Return {
  readonly turn: Turn
  readonly begin: readonly NodeId[]
  readonly done: Done
}

/** One container before in the place of the one that came. */
function planReturn(plan: EnginePlan, recovery: Recovery, { turn, begin, done }: Return): Turn {
  const { service, timeout, config, order } = recovery
  const { old, name, container } = turn
  const first = plan.nodes.length + 1
  const cause = `the update of ${service.name} is taken back`
  const isOf = { cause, name, service: service.name }
  const comes = { ...isOf, container: old.id }
  const goes = { ...isOf, container }
  const wasStopped = turn.stopped !== undefined && done(turn.stopped)
  const isTrial = new Set<NodeId>()
  let last: readonly NodeId[] = begin
  let stopped: NodeId | undefined
  const stop = (): void => {
    if (!done(turn.started)) return
    stopped = plan.add({ kind: 'stop-container', ...goes, timeout }, last)
    last = [stopped]
  }
  const passBack = (): void => {
    last = [planTakeOver(plan, service, { ...comes, from: container }, last)]
    last = [planDraining(plan, goes, timeout, last)]
  }
  const isPassed = turn.takenOver !== undefined && done(turn.takenOver)
  const comesFirst = wasStopped && isLive(old) && order.first === 'start'
  const passes = comesFirst && recovery.handsOver
  // it runs still, and has only to have back what is its own
  if (!wasStopped && isPassed) passBack()
  if (!comesFirst) stop()
  let started = plan.nodes.length
  if (wasStopped && isLive(old)) {
    started = plan.add({ kind: 'start-container', ...comes, ...(passes ? { successorOf: container } : {}) }, last)
    const up = planHooks(plan, 'post_start', { service, on: comes, after: [started] })
    last = [plan.add({ kind: 'wait-container', condition: 'serving', required: true, ...comes }, up)]
    if (config.monitor) last = [planMonitor(plan, comes, config.monitor, last)]
    for (let id = started; id <= plan.nodes.length; id++) isTrial.add(id)
  }
  if (passes) passBack()
  if (comesFirst) stop()
  const removed = plan.add({ kind: 'remove-container', ...goes, force: true, volumes: false, keepsLog: true }, last)
  const named = done(turn.retired) ? plan.add({ kind: 'rename-container', ...on(old), ...comes }, [removed]) : removed
  const nodes = Array.from({ length: plan.nodes.length - first + 1 }, (_, i) => first + i)
  return {
    name,
    container: old.id,
    old,
    trials: [...isTrial],
    nodes,
    created: first,
    started,
    takenOver: undefined,
    stopped,
    retired: removed,
    named,
  }
}
