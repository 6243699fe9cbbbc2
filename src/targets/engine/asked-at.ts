/** Where in a stack what failed of its plan was asked for. */
import type { FailedNode, PlanFailure } from '../../apply/plan-failure.ts'
import type { Problem } from '../../lib/problems.ts'
import type { Project } from '../../model/project.ts'
import { labels } from './labels.ts'
import type { Operation } from './operation.ts'

type Path = readonly string[]

/** `failure` with the places of what it tells of. */
export function placed(failure: PlanFailure, stack: Project): PlanFailure {
  const known = new Set([...stack.places(deepest)].map(([path]) => JSON.stringify(path)))
  return failure.placed(({ node, failure: { kind, message, hint } }: FailedNode): Problem => {
    const path = askedAt(node.operation as Operation, message).find(path => known.has(JSON.stringify(path))) ?? []
    const place = path.length > 0 ? stack.place(path) : undefined
    return { severity: 'error', code: kind, place, path, message, ...(hint === undefined ? {} : { hint }) }
  })
}

/** Keys of the longest path that is looked for: `services.web.ports`. */
const deepest = 3

/** Paths that may stand in the stack, the nearest to the cause first. */
function askedAt(operation: Operation, message: string): readonly Path[] {
  switch (operation.kind) {
    case 'create-network':
      return ofSection('networks', operation.body.Labels?.[labels.network])
    case 'create-volume':
      return ofSection('volumes', operation.body.Labels?.[labels.volume])
    case 'pull-image':
      return ofService(operation.services[0], ['image'])
    case 'build-image':
      return ofService(operation.services[0], ['build'])
    case 'run-hook':
      return ofService(operation.service, [operation.phase])
    case 'run-init':
      return ofService(operation.service, ['pre_start'])
    case 'connect-network':
    case 'disconnect-network':
      return ofService(operation.service, ['networks'])
    case 'wait-container':
    case 'monitor-container':
      return ofService(operation.service, message.includes(' is unhealthy') ? ['healthcheck'] : [])
    case 'create-container':
    case 'update-container':
    case 'start-container':
    case 'restart-container':
      return ofService(operation.service, attributes.find(([said]) => said.test(message))?.[1] ?? [])
    default:
      return 'service' in operation ? ofService(operation.service, []) : []
  }
}

/** What an engine says, and of which attributes: Docker's words, which our own engine has for the same. */
const attributes: ReadonlyArray<readonly [said: RegExp, of: readonly string[]]> = [
  [/port is already allocated|address already in use|external connectivity/i, ['ports']],
  [/exec: |executable file|exec format/i, ['entrypoint', 'command']],
  [/unable to find (?:user|group)|no matching entries in (?:passwd|group)/i, ['user']],
  [/cannot mkdir|\bchdir\b/i, ['working_dir']],
  [/invalid (?:config for network|endpoint settings)|user specified ip/i, ['networks']],
  [/\bmount|bind source/i, ['volumes']],
  [/device/i, ['devices']],
]

function ofService(service: string | undefined, fields: readonly string[]): readonly Path[] {
  if (service === undefined) return []
  return [...fields.map(field => ['services', service, field]), ['services', service]]
}

function ofSection(section: string, name: string | undefined): readonly Path[] {
  return name === undefined ? [] : [[section, name]]
}
