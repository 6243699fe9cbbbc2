/** The update of a service by its `deploy.update_config`, with the way back by `rollback_config`. */

import type { Rollout as Config } from '../../../model/deploy.ts'
import type { FailureAction, Pace } from '../../../plan/batches.ts'
import type { EnginePlan } from '../engine-plan.ts'
import { planPause, planRollback } from './rollback.ts'
import { planTurns, type Update } from './rollout.ts'
import { type UpdateOrder, updateOrder } from './update-order.ts'
import type { Turn } from './update-turn.ts'

/** The turns of those that are replaced, in their order. */
export function planUpdate(plan: EnginePlan, given: Omit<Update, 'config' | 'order'>): readonly Turn[] {
  const { service, timeout, renewAnonVolumes } = given
  const config = service.deploy?.update ?? {}
  const forth = updateOrder(service, config, given)
  if (config.order === 'start-first' && forth.why !== undefined)
    plan.warn(`Service "${service.name}" is updated stop-first: ${forth.why}`)
  const turns = planTurns(plan, { ...given, config, order: forth })
  const action = (config.failureAction ?? 'pause') as FailureAction
  // what cannot be beside the other on the way forth cannot on the way back
  const back = { ...service.deploy?.rollback, order: service.deploy?.rollback?.order ?? config.order }
  const order = updateOrder(service, back, given)
  const recovery = { service, turns, timeout, renewAnonVolumes, config: back, order, handsOver: given.handsOver }
  plan.roll({
    service: service.name,
    turns,
    action,
    maxFailureRatio: config.maxFailureRatio ?? 0,
    shape: {
      ...paceOf(config, forth),
      batches: batchesOf(turns, config),
      onFailure: action,
      ...(config.maxFailureRatio ? { maxFailureRatio: config.maxFailureRatio } : {}),
      ...(action === 'rollback' ? { back: paceOf(back, order) } : {}),
    },
    recover: (later, done) =>
      action === 'rollback' ? planRollback(later, recovery, done) : planPause(later, recovery, done),
  })
  return turns
}

function paceOf({ parallelism = 1, delay, monitor }: Config, { first, why }: UpdateOrder): Pace {
  return {
    parallelism,
    order: `${first}-first`,
    ...(why === undefined ? {} : { why }),
    ...(delay ? { delay: Math.round(delay / 1e6) } : {}),
    ...(monitor ? { monitor: Math.round(monitor / 1e6) } : {}),
  }
}

function batchesOf(turns: readonly Turn[], { parallelism = 1 }: Config): readonly (readonly string[])[] {
  const size = parallelism === 0 ? turns.length : parallelism
  const names = turns.map(({ name }) => name)
  return Array.from({ length: Math.ceil(names.length / size) }, (_, i) => names.slice(i * size, (i + 1) * size))
}
