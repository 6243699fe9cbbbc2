/** Containers of services that the stack does not have: told of, or taken away. */
import { list } from '../../../lib/text.ts'
import type { Project } from '../../../model/project.ts'
import type { NodeId } from '../../../plan/operation.ts'
import type { EnginePlan } from '../engine-plan.ts'
import type { Observed } from '../observed.ts'
import { planRemoval } from './ending.ts'
import { filesOfContainer, otherFilesTest } from './owner.ts'
import { orphanTest, serviceOf } from './scope.ts'

export function warnOfOrphans(plan: EnginePlan, project: Project, observed: Observed): void {
  const found = observed.containers.filter(orphanTest(project, observed))
  // the word and the names are what scripts look for
  if (found.length > 0)
    plan.warn(
      `Found orphan containers (${list(found.map(o => o.name))}), of services that are not in the stack: --remove-orphans removes them`,
    )
  warnOfOthers(plan, project, observed)
}

/** Of other files, so that nobody wonders why they stay. */
function warnOfOthers(plan: EnginePlan, project: Project, observed: Observed): void {
  const isOther = otherFilesTest(project, observed)
  const others = observed.containers.filter(
    each => !each.oneOff && serviceOf(project, each.service) === undefined && isOther(each),
  )
  if (others.length === 0) return
  const files = [...new Set(others.flatMap(filesOfContainer))].sort()
  plan.warn(
    `Containers of the same project but of other stack files are no orphan containers of this one, and stay: ${list(others.map(o => o.name))}, of ${list(files)}`,
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

export function planRemovalOfOrphans(plan: EnginePlan, { project, observed, timeout, stopped }: OrphansInput): void {
  warnOfOthers(plan, project, observed)
  for (const orphan of observed.containers.filter(orphanTest(project, observed))) {
    const cause = orphan.oneOff ? 'it was made by run' : `service ${orphan.service} is not in the stack`
    planRemoval(plan, orphan, { cause, service: undefined, timeout, stopped })
  }
}
