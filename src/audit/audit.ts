/** What a stack grants and risks, worst first. Reads the model alone: no engine is asked, no image opened. */
import type { Project } from '../model/project.ts'
import { capabilities } from './capabilities.ts'
import { builds, limits, publishedPorts, secretsInVariables } from './exposure.ts'
import { type Finding, type Rule, type Severity, severities } from './finding.ts'
import { devices, hostPaths } from './host-paths.ts'
import { hostNamespaces, privileges, securityOptions } from './namespaces.ts'

const rules: readonly Rule[] = [
  privileges,
  capabilities,
  hostPaths,
  devices,
  hostNamespaces,
  securityOptions,
  publishedPorts,
  secretsInVariables,
  builds,
  limits,
]

/** Of the services named, or of all; by severity, then by service and rule in the order they stand in. */
export function audit(project: Project, services = Object.keys(project.services)): readonly Finding[] {
  const findings = services.flatMap(name => {
    const service = project.services[name]!
    return rules.flatMap(rule =>
      [...rule(service, project)].map(risk => ({
        service: name,
        ...risk,
        place: project.place(['services', name, ...risk.path]),
      })),
    )
  })
  return findings.sort((a, b) => rank(a.severity) - rank(b.severity))
}

/** 0 for the worst. */
export function rank(severity: Severity): number {
  return severities.indexOf(severity)
}

export type Counts = Readonly<Record<Severity, number>>

export function count(findings: readonly Finding[]): Counts {
  const counts = { critical: 0, high: 0, medium: 0, low: 0 }
  for (const { severity } of findings) counts[severity]++
  return counts
}
