/** Containers of services that the stack does not have: told of, or taken away. */
import { list } from '../lib/text.ts'
import type { Project } from '../model/project.ts'
import { planRemoval } from './ending.ts'
import type { Observed } from './observed.ts'
import type { NodeId } from './operation.ts'
import type { Plan } from './plan.ts'
import { isOrphan } from './scope.ts'

export function warnOfOrphans(plan: Plan, project: Project, observed: Observed): void {
  const found = observed.containers.filter(container => isOrphan(project, container))
  if (found.length === 0) return
  // the word and the names are what scripts look for
  plan.warn(
    `Found orphan containers (${list(found.map(o => o.name))}), of services that are not in the stack: --remove-orphans removes them`,
  )
}

export interface OrphansInput {
  readonly project: Project
  readonly observed: Observed
  /** Seconds. */
  readonly timeout: number | undefined
  /** Those that are stopped before, by id. */
  readonly stopped: ReadonlyMap<string, NodeId>
}

export function planRemovalOfOrphans(plan: Plan, { project, observed, timeout, stopped }: OrphansInput): void {
  for (const orphan of observed.containers.filter(container => isOrphan(project, container))) {
    const cause = orphan.oneOff ? 'it was made by run' : `service ${orphan.service} is not in the stack`
    planRemoval(plan, orphan, { cause, service: undefined, timeout, stopped })
  }
}
