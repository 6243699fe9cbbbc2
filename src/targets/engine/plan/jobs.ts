/** Jobs: containers that run to their end, no more of them at once than `update_config.parallelism` says. */
import { isJob } from '../../../model/deploy.ts'
import type { Service } from '../../../model/service.ts'
import type { NodeId, Ref } from '../../../plan/operation.ts'
import type { EnginePlan } from '../engine-plan.ts'
import { isDone, type Replica } from './replicas.ts'

/** A replica in the plan: its container, and the node after which it runs; undefined when it runs already. */
export interface Planned {
  readonly replica: Replica
  readonly name: string
  readonly container: Ref
  readonly started: NodeId | undefined
}

/** What the next container of a job waits for, with those before it in their order: the end of the one that many before. */
export function jobTurn(plan: EnginePlan, service: Service, before: readonly Planned[]): readonly NodeId[] {
  const most = service.deploy?.update?.parallelism ?? 0
  if (!isJob(service) || most === 0 || before.length < most) return []
  const { replica, name, container, started } = before[before.length - most]!
  if (replica.kind === 'keep' && isDone(service, replica.container)) return []
  const cause = `at most ${most} of ${service.name} at once`
  const wait = {
    kind: 'wait-container',
    cause,
    name,
    service: service.name,
    container,
    condition: 'completed',
  } as const
  return [plan.add({ ...wait, required: true }, started === undefined ? [] : [started])]
}
