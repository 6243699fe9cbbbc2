/** The names by which a service's containers are linked to: those that they have once what was decided is done. */
import type { Project } from '../../../model/project.ts'
import type { Observed } from '../observed.ts'
import type { Decisions } from './follow-changes.ts'
import { containerName } from './names.ts'
import { isReplica } from './replicas.ts'

export interface NamesInput {
  readonly project: Project
  readonly observed: Observed
  /** Of a service that is not among them, what is there stays as it is. */
  readonly decisions: Decisions
}

/** In order of number. A container that has its name for a while only counts by the one that it is to have. */
export function replicaNames({ project, observed, decisions }: NamesInput, needed: string): readonly string[] {
  const service = project.services[needed]
  const decided = decisions.get(needed)
  const numbers = decided
    ? decided.filter(isReplica).map(({ number }) => number)
    : observed.containers.flatMap(each => (each.service === needed && !each.oneOff ? (each.number ?? []) : []))
  if (!service) return []
  return [...new Set(numbers)].sort((a, b) => a - b).map(number => containerName(project, service, number))
}
