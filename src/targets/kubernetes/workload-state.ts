/** Whether a workload is up, by its own status and its pods; pure. */
import { plural } from '../../lib/text.ts'
import type { Condition, Live, LivePod } from './live.ts'
import type { WaitCondition } from './operation.ts'

export type State =
  | { readonly kind: 'done' }
  | { readonly kind: 'waiting'; readonly are: number; readonly wanted: number; readonly why?: string }
  | { readonly kind: 'failed'; readonly why: string }

/** So often a container has failed, and it is said not to start. */
const failuresAtMost = 3

/** Whether as many pods are ready as are wanted; of a job, with `completed`, whether it has ended well. */
export function isUp(live: Live, completed = false): boolean {
  return stateOf(live, [], completed ? 'completed' : 'started').kind === 'done'
}

/** `pods`: those of the version that is meant. */
export function stateOf(live: Live, pods: readonly LivePod[], condition: WaitCondition): State {
  if (live.kind === 'CronJob') return { kind: 'done' }
  if (live.kind === 'Job') return ofJob(live, pods, condition)
  const { wanted, are, isSteady } = counts(live)
  const isSeen = number(live.status, 'observedGeneration') >= (live.metadata.generation ?? 0)
  if (isSeen && isSteady && are >= wanted) return { kind: 'done' }
  const stuck = conditionOf(live, 'Progressing')
  if (isSeen && stuck?.status === 'False')
    return { kind: 'failed', why: `does not become ready: ${stuck.message ?? stuck.reason}${because(pods)}` }
  const failed = pods.map(failureOf).find(each => each !== undefined)
  if (failed !== undefined) return { kind: 'failed', why: `does not start: ${failed}` }
  const unschedulable = pods.map(waitOf).find(each => each !== undefined)
  return { kind: 'waiting', are, wanted, ...(unschedulable === undefined ? {} : { why: unschedulable }) }
}

function counts({ kind, spec, status }: Live): {
  readonly wanted: number
  readonly are: number
  readonly isSteady: boolean
} {
  if (kind === 'DaemonSet') {
    const wanted = number(status, 'desiredNumberScheduled')
    return {
      wanted,
      are: number(status, 'numberAvailable'),
      isSteady: number(status, 'updatedNumberScheduled') >= wanted,
    }
  }
  const wanted = typeof spec?.['replicas'] === 'number' ? spec['replicas'] : 1
  const updated = number(status, 'updatedReplicas')
  const all = number(status, 'replicas')
  if (kind === 'StatefulSet') {
    const isCurrent = status?.['currentRevision'] === status?.['updateRevision'] || updated >= wanted
    return { wanted, are: number(status, 'readyReplicas'), isSteady: isCurrent && all <= wanted }
  }
  return { wanted, are: number(status, 'availableReplicas'), isSteady: updated >= wanted && all <= updated }
}

function ofJob(live: Live, pods: readonly LivePod[], condition: WaitCondition): State {
  const { spec, status } = live
  const wanted = typeof spec?.['completions'] === 'number' ? spec['completions'] : 1
  const ended = number(status, 'succeeded')
  if (conditionOf(live, 'Complete')?.status === 'True') return { kind: 'done' }
  const failed = conditionOf(live, 'Failed')
  if (failed?.status === 'True')
    return { kind: 'failed', why: `has failed: ${failed.message ?? failed.reason}${because(pods)}` }
  const running = pods.filter(({ status: of }) => of?.phase === 'Running').length
  if (condition === 'started' && running + ended >= Math.min(1, wanted)) return { kind: 'done' }
  const broken = pods.map(failureOf).find(each => each !== undefined)
  if (broken !== undefined) return { kind: 'failed', why: `does not start: ${broken}` }
  return { kind: 'waiting', are: condition === 'started' ? running : ended, wanted }
}

function because(pods: readonly LivePod[]): string {
  const why = pods.map(pod => failureOf(pod) ?? waitOf(pod)).find(each => each !== undefined)
  return why === undefined ? '' : ` (${why})`
}

/** What nobody has to wait for any longer. */
const hopeless: ReadonlySet<string> = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'CreateContainerConfigError',
  'CreateContainerError',
])

function failureOf({ metadata, status }: LivePod): string | undefined {
  if (metadata.deletionTimestamp !== undefined) return undefined
  for (const { name, state, lastState, restartCount = 0 } of [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
  ]) {
    const { reason, message } = state?.waiting ?? {}
    if (reason !== undefined && hopeless.has(reason)) return `${reason}${message ? `: ${message}` : ''}`
    const last = lastState?.terminated ?? state?.terminated
    if (restartCount >= failuresAtMost && last && !state?.running)
      return `container "${name}" has ended ${plural(restartCount, 'time')}, with ${last.exitCode}`
  }
  return undefined
}

/** Where it has no node yet, why. */
function waitOf({ status }: LivePod): string | undefined {
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled')
  return scheduled?.status === 'False' ? scheduled.message : undefined
}

function conditionOf({ status }: Live, type: string): Condition | undefined {
  const conditions = status?.['conditions']
  return Array.isArray(conditions)
    ? (conditions as unknown as readonly Condition[]).find(each => each.type === type)
    : undefined
}

function number(status: Live['status'], key: string): number {
  const value = status?.[key]
  return typeof value === 'number' ? value : 0
}
