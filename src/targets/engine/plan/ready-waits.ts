/** What `--wait` waits for at the end of a plan. */
import { isJob } from '../../../model/deploy.ts'
import type { Project } from '../../../model/project.ts'
import type { Service } from '../../../model/service.ts'
import type { EnginePlan } from '../engine-plan.ts'
import type { Planned } from './jobs.ts'
import { isDone, isReady } from './replicas.ts'

export interface ReadyWaits {
  readonly project: Project
  readonly service: Service
  readonly planned: readonly Planned[]
  /** Whether somebody in the plan waits for that of this replica anyway. */
  isWaitedFor(number: number, condition: 'healthy' | 'completed'): boolean
}

/** What somebody waits for to complete is waited for that long, everything else until it is healthy, or runs. */
export function planReadyWaits(plan: EnginePlan, { project, service, planned, isWaitedFor }: ReadyWaits): void {
  const isNeededDone = ({ dependsOn }: Service) => dependsOn[service.name]?.condition === 'completed'
  const job = isJob(service) || Object.values(project.services).some(isNeededDone)
  const condition = job ? 'completed' : 'ready'
  for (const { replica, started, name, container } of planned) {
    if (isWaitedFor(replica.number, 'healthy') || isWaitedFor(replica.number, 'completed')) continue
    if (replica.kind === 'keep' && (job ? isDone(service, replica.container) : isReady(replica.container))) continue
    const wait = { kind: 'wait-container', cause: 'asked for', name, service: service.name, container } as const
    plan.add({ ...wait, condition, required: true }, started === undefined ? [] : [started])
  }
}
