/**
 * Waits until a service is up, by its tasks; a task that has a health check is `running` once it is healthy (swarmkit's executor waits for that).
 */
import type { SwarmService, SwarmTask, TaskSpec } from '../../../api/swarm-objects.ts'
import type { Outcome } from '../../../apply/events.ts'
import type { PerformContext } from '../../../apply/performer.ts'
import { Failure } from '../../../lib/failure.ts'
import { stableHash } from '../../../lib/stable-json.ts'
import type { SwarmOperation } from '../operation.ts'
import { hasEnded, isLost } from '../task-states.ts'
import { every, type Looks } from './looks.ts'

type Gone = Pick<Extract<SwarmOperation, { readonly kind: 'wait-gone' }>, 'id'>
type Wait = Extract<SwarmOperation, { readonly kind: 'wait-service' }>

/** So many tasks of a version that failed, and it is said to fail. */
const failuresAtMost = 3

/** @throws Failure when its tasks fail, or its update is paused or rolled back */
export async function waitForService(
  looks: Looks,
  id: string,
  operation: Wait,
  { signal, onProgress, onWarning }: PerformContext,
): Promise<Outcome> {
  const since = Date.now()
  looks.begin()
  let said = ''
  for (;;) {
    const { services, tasks } = await looks.next('services', signal)
    const service = services.get(id)
    if (!service) throw new Failure('not-found', `service ${operation.name} has been removed meanwhile`)
    const own = tasks.filter(({ ServiceID }) => ServiceID === id)
    const state = stateOf(service, own, { ...operation, since })
    if (state.kind === 'done') return operation.condition === 'completed' ? 'exited' : 'running'
    if (state.kind === 'failed') {
      if (operation.required)
        throw new Failure('conflict', `service ${operation.name} ${state.why}`, { hint: state.hint })
      onWarning(`optional dependency "${operation.service}" failed to start: ${state.why}`)
      return 'unready'
    }
    const text = `${state.are} of ${state.wanted}${state.why === undefined ? '' : `: ${state.why}`}`
    if (text !== said) onProgress(text)
    said = text
  }
}

type State =
  | { readonly kind: 'done' }
  /** `why`: what keeps a task from a node. */
  | { readonly kind: 'waiting'; readonly are: number; readonly wanted: number; readonly why?: string }
  | { readonly kind: 'failed'; readonly why: string; readonly hint: string }

/** Pure. `since`: milliseconds since 1970; tasks that failed before tell nothing. */
export function stateOf(
  service: SwarmService,
  tasks: readonly SwarmTask[],
  { condition, before, since }: Pick<Wait, 'condition' | 'before'> & { readonly since: number },
): State {
  const { Mode, TaskTemplate } = service.Spec
  const status = service.UpdateStatus
  const update = status?.StartedAt !== undefined && status.StartedAt !== before ? status.State : undefined
  const told = status?.Message === undefined ? '' : `: ${status.Message}`
  const failures = tasks.filter(each => failed(each) && Date.parse(each.CreatedAt) >= since - every)
  const reason = [...failures].sort((a, b) => (a.CreatedAt < b.CreatedAt ? 1 : -1))[0]?.Status.Err
  const because = reason === undefined ? told : `: ${reason}`
  if (update?.startsWith('rollback_') && update !== 'rollback_started')
    return {
      kind: 'failed',
      why: `could not be updated, and went back to what it was${because}`,
      hint: 'Mend what failed, and run up again',
    }
  if (update === 'paused')
    return {
      kind: 'failed',
      why: `could not be updated, and its update is paused${because}`,
      hint: 'Run up again to go on with it',
    }
  const iteration = service.JobStatus?.JobIteration.Index
  const isJob = iteration !== undefined
  const key = versionOf(TaskTemplate)
  const own = tasks.filter(each => (isJob ? each.JobIteration?.Index === iteration : versionOf(each.Spec) === key))
  const ended = own.filter(each => each.Status.State === 'complete').length
  const running = own.filter(each => each.DesiredState === 'running' && each.Status.State === 'running').length
  const mayEnd = isJob || TaskTemplate.RestartPolicy?.Condition !== 'any'
  const { DesiredTasks = 0 } = service.ServiceStatus ?? {}
  const wanted =
    Mode.Replicated?.Replicas ?? Mode.ReplicatedJob?.TotalCompletions ?? Math.max(DesiredTasks, isJob ? own.length : 0)
  const others = tasks.filter(
    each => !own.includes(each) && each.DesiredState === 'running' && each.Status.State === 'running',
  ).length
  const are = condition === 'completed' ? ended : running + (mayEnd ? ended : 0)
  const isSteady = update !== 'updating' && update !== 'rollback_started' && others === 0 && !isToBegin(service, tasks)
  // no node may be one for a global service
  const enough = are >= wanted && (condition !== 'completed' || ended > 0) && (isJob || mayEnd || are === wanted)
  if (enough && isSteady) return { kind: 'done' }
  const ownFailures = failures.filter(each => own.includes(each))
  const attempts = TaskTemplate.RestartPolicy?.Condition === 'none' ? 1 : failuresAtMost
  if (update !== 'updating' && ownFailures.length >= attempts)
    return {
      kind: 'failed',
      why: `does not start${because}`,
      hint: 'See what its tasks say: tscompose ps, tscompose logs',
    }
  const why = own.find(({ DesiredState, Status }) => DesiredState === 'running' && Status.State === 'pending')?.Status
    .Err
  return { kind: 'waiting', are, wanted, ...(why ? { why } : {}) }
}

/** A task does not tell with which ports it was made: new ones are had by an update, which takes a moment to begin (swarmkit clears its status before). */
function isToBegin({ Spec, PreviousSpec, UpdateStatus }: SwarmService, tasks: readonly SwarmTask[]): boolean {
  if (PreviousSpec === undefined || UpdateStatus !== undefined) return false
  const isOther = stableHash(PreviousSpec.EndpointSpec ?? {}) !== stableHash(Spec.EndpointSpec ?? {})
  return isOther && tasks.some(({ DesiredState }) => DesiredState === 'running')
}

function failed({ Status }: SwarmTask): boolean {
  return Status.State === 'failed' || Status.State === 'rejected'
}

/** Of what a task is made; a swarm moves no task that stands well when its placement alone has changed. */
function versionOf({ ContainerSpec, Resources, Networks, LogDriver, ForceUpdate = 0 }: TaskSpec): string {
  return stableHash({
    ContainerSpec,
    Resources,
    Networks: Networks ?? [],
    LogDriver,
    ForceUpdate,
  })
}

/** Until no task of a removed service has anything left, as far as its node can tell. */
export async function waitUntilGone(looks: Looks, { id }: Gone, signal: AbortSignal): Promise<void> {
  looks.begin()
  for (;;) {
    const { tasks, nodes } = await looks.next('nodes', signal)
    // not by the service, which is not there any more
    const own = tasks.filter(({ ServiceID }) => ServiceID === id)
    if (own.every(task => hasEnded(task.Status.State) || isLost(task, nodes))) return
  }
}
