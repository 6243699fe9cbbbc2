/** What an audit finds: something a stack grants, what that risks, and the smallest change that takes the risk away. */
import type { Place } from '../lib/problems.ts'
import type { Project } from '../model/project.ts'
import type { Service } from '../model/service.ts'

/** critical: the host is the container's. high: a way to the host or to all of its traffic. medium: to data or neighbours. low: one wall less. */
export const severities = ['critical', 'high', 'medium', 'low'] as const
export type Severity = (typeof severities)[number]

/** What a rule says of a service. */
export interface Risk {
  /** Stable, kebab-case: `host-path`. */
  readonly rule: string
  readonly severity: Severity
  /** Below the service, in the stack file's names: ['cap_add', '0']. */
  readonly path: readonly string[]
  /** As short as it stands in the stack: "cap_add SYS_ADMIN". */
  readonly grants: string
  readonly risk: string
  /** What to write instead. */
  readonly change: string
}

export interface Finding extends Risk {
  readonly service: string
  readonly place: Place | undefined
}

export type Rule = (service: Service, project: Project) => Iterable<Risk>
