/** rlimits and the out-of-memory score of the process itself. */
import { Failure } from '../../lib/failure.ts'
import type { FileLimit } from '../given-files.ts'
import type { RlimitSpec } from '../spec.ts'
import { type Step, step } from '../steps.ts'

/** In the order of their numbers (asm-generic/resource.h). */
const resources =
  'cpu fsize data stack core rss nproc nofile memlock as locks sigpending msgqueue nice rtprio rttime'.split(' ')

/** `files`: those that may be opened when the limits do not say. */
export function rlimitSteps(rlimits: readonly RlimitSpec[], files: FileLimit | undefined): Step[] {
  const told = rlimits.map(({ name, soft, hard }) =>
    step('rlimit', { resource: rlimitResource(name), soft, hard }, 'HostConfig.Ulimits'),
  )
  if (files === undefined || rlimits.some(({ name }) => name === 'nofile')) return told
  return [...told, step('rlimit', { resource: rlimitResource('nofile'), ...files })]
}

/** RLIMIT_*. @throws Failure `invalid`. */
export function rlimitResource(name: string): number {
  const resource = resources.indexOf(name)
  if (resource < 0) throw new Failure('invalid', `Cannot set ulimit "${name}": it is not known`)
  return resource
}

export function rlimitName(resource: number): string {
  return resources[resource] ?? String(resource)
}

/** By the host's own procfs, before the root changes. */
export function oomScoreStep(score: number): Step {
  return step('write', { path: '/proc/self/oom_score_adj', value: String(score) }, 'HostConfig.OomScoreAdj')
}
