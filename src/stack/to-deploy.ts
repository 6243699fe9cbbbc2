/** `deploy` and `restart` of a finished service. */
import type { Deploy, RestartPolicy, Rollout } from '../model/deploy.ts'
import type { DeviceRequest } from '../model/device.ts'
import type { View } from './view.ts'

export function toDeploy(view: View): Deploy {
  const reservations = view.at('resources').at('reservations')
  const placement = view.at('placement')
  return {
    mode: view.text('mode') as Deploy['mode'],
    endpointMode: view.text('endpoint_mode'),
    labels: view.strings('labels'),
    update: view.has('update_config') ? toRollout(view.at('update_config')) : undefined,
    rollback: view.has('rollback_config') ? toRollout(view.at('rollback_config')) : undefined,
    restartDelay: view.at('restart_policy').number('delay'),
    restartWindow: view.at('restart_policy').number('window'),
    restartAttempts: isCounted(view) ? undefined : view.at('restart_policy').number('max_attempts'),
    placement: {
      constraints: placement.texts('constraints'),
      spread: placement.views('preferences').flatMap(preference => preference.text('spread') ?? []),
      maxReplicasPerNode: placement.number('max_replicas_per_node'),
    },
    cpuReservation: reservations.number('cpus'),
    devices: reservations.views('devices').map(toDeviceRequest),
    genericResources: reservations.views('generic_resources').flatMap(view => {
      const counted = view.at('discrete_resource_spec')
      const kind = counted.text('kind')
      return kind === undefined ? [] : [{ kind, value: counted.number('value') ?? 0 }]
    }),
  }
}

function toRollout(view: View): Rollout {
  return {
    parallelism: view.number('parallelism'),
    delay: view.number('delay'),
    failureAction: view.text('failure_action'),
    monitor: view.number('monitor'),
    maxFailureRatio: view.number('max_failure_ratio'),
    order: view.text('order') as 'start-first' | 'stop-first' | undefined,
  }
}

/** Whether the engines' own policy has the number of attempts. */
function isCounted(deploy: View): boolean {
  return deploy.at('restart_policy').text('condition') === 'on-failure' || isJobMode(deploy)
}

function isJobMode(deploy: View): boolean {
  return deploy.text('mode')?.endsWith('-job') ?? false
}

/** Whether it speaks of when it is started again. */
export function saysRestart(view: View): true | undefined {
  const condition = view.at('deploy').at('restart_policy').text('condition')
  return view.text('restart') === undefined && condition === undefined ? undefined : true
}

/** `deploy.restart_policy` wins over `restart`, as in Compose. */
export function toRestart(view: View): RestartPolicy {
  const deploy = view.at('deploy')
  const policy = deploy.at('restart_policy')
  if (policy.node?.kind === 'map') {
    const condition = policy.text('condition') ?? 'no'
    // without a word of when it says nothing, as in Compose
    if (condition === 'none' || condition === 'no') return { kind: 'no' }
    // a job that has done what it was for is not started again
    if (condition === 'on-failure' || isJobMode(deploy))
      return { kind: 'on-failure', maxRetries: policy.number('max_attempts') ?? 0 }
    return condition === 'unless-stopped' ? { kind: 'unless-stopped' } : { kind: 'always' }
  }
  const [kind, retries] = (view.text('restart') ?? 'no').split(':')
  if (kind === 'on-failure') return { kind, maxRetries: Number(retries ?? 0) || 0 }
  return kind === 'always' || kind === 'unless-stopped' ? { kind } : { kind: 'no' }
}

export function toDeviceRequest(view: View): DeviceRequest {
  return {
    capabilities: view.texts('capabilities'),
    driver: view.text('driver'),
    count: view.number('count'),
    deviceIds: view.texts('device_ids'),
    options: view.strings('options'),
  }
}
