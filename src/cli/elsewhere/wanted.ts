/** The stack and the options of `up` and `plan`, for a target that is not the engine. */
import type { Project } from '../../model/project.ts'
import { withRegistry } from '../../targets/built-images.ts'
import type { TargetName, Wish } from '../../targets/target.ts'
import { parseScale } from '../bring-up.ts'
import type { Call } from '../command.ts'
import { checkServices, loadProject } from '../project.ts'
import { isTruth } from '../values.ts'
import { refuseOptions } from './refuse-options.ts'

export interface Wanted {
  readonly project: Project
  readonly wish: Wish
}

/** What of `up` is about containers and volumes of one machine. */
const meaningless = [
  'no-recreate',
  'always-recreate-deps',
  'no-deps',
  'renew-anon-volumes',
  'recreate-volumes',
  'timeout',
  'build',
  'adopt',
  'isolated',
]

export async function wantedOf(call: Call, target: Exclude<TargetName, 'engine'>): Promise<Wanted> {
  refuseOptions(call, target, meaningless)
  const named = call.args
  const making = { services: named.length > 0 ? named : ('all' as const) }
  const loaded = await loadProject(call, {
    ...(named.length > 0 ? { services: named } : {}),
    making,
  })
  const project = withRegistry(loaded.project)
  const scale = parseScale(call.options['scale'] as readonly string[])
  const known = Object.keys(project.services)
  const services = checkServices(named, known)
  checkServices(Object.keys(scale), known)
  return {
    project,
    wish: {
      services,
      scale,
      force: call.options['force-recreate'] === true,
      removeOrphans: call.options['remove-orphans'] === true,
      quietOrphans: isTruth(call.env['COMPOSE_IGNORE_ORPHANS'] ?? ''),
    },
  }
}
