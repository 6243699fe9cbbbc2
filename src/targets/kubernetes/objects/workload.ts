/** The object that runs a service: a Deployment, StatefulSet, DaemonSet, Job or CronJob around its pods. */
import type { Service } from '../../../model/service.ts'
import { filled, given } from '../../members.ts'
import { annotations, labelsOf, selectorOf } from '../labels.ts'
import { type JsonMap, manifest } from '../manifest.ts'
import { objectName } from '../names.ts'
import { type Input, replicasOf, type Wanted } from './given-input.ts'
import { type Pod, podOf } from './pod.ts'
import { seconds } from './quantities.ts'
import { claimTemplates, holdsVolume } from './volumes.ts'
import { workloadOf } from './workload-kind.ts'

/** The workload, and what its pods have mounted. */
export function workload(input: Input, service: Service): readonly Wanted[] {
  const { name, deploy } = service
  const kind = workloadOf(input.project, service, replicasOf(input, service))
  const isJob = kind === 'Job' || kind === 'CronJob'
  const { restart } = service
  const pod = podOf(
    input,
    service,
    isJob ? (restart.kind === 'on-failure' || deploy?.restartAttempts ? 'OnFailure' : 'Never') : 'Always',
  )
  const metadata = {
    name: objectName(name),
    namespace: input.home.namespace,
    labels: labelsOf(input.home, name),
    annotations: { ...deploy?.labels, [annotations.name]: name },
  }
  const spec = specOf(kind, input, service, pod)
  return [...pod.objects, { manifest: manifest(kind, metadata, { spec }), service: name, path: ['services', name] }]
}

function specOf(kind: ReturnType<typeof workloadOf>, input: Input, service: Service, { template }: Pod): JsonMap {
  const selector = { matchLabels: selectorOf(input.project.name, service.name) }
  const replicas = replicasOf(input, service)
  const minReadySeconds = readySeconds(service)
  switch (kind) {
    case 'Deployment':
      return given<JsonMap>({ replicas, selector, minReadySeconds, strategy: strategy(input, service), template })
    case 'StatefulSet':
      return given<JsonMap>({
        replicas,
        selector,
        serviceName: objectName(service.name),
        podManagementPolicy: 'Parallel',
        minReadySeconds,
        template,
        volumeClaimTemplates: filled(claimTemplates(input, service)),
      })
    case 'DaemonSet':
      return given<JsonMap>({ selector, minReadySeconds, updateStrategy: strategy(input, service), template })
    case 'Job':
      return jobSpec(service, replicas, template)
    default:
      return cronSpec(input, service, template)
  }
}

/** How long a new pod must be well before the next one is replaced. */
function readySeconds({ deploy }: Service): number | undefined {
  const longest = Math.max(deploy?.update?.monitor ?? 0, deploy?.update?.delay ?? 0)
  return longest === 0 ? undefined : seconds(longest)
}

/** Undefined: as the cluster does it, a quarter at a time. */
function strategy(input: Input, service: Service): JsonMap | undefined {
  const { update, mode } = service.deploy ?? {}
  const startFirst = update?.order === 'start-first'
  const holds =
    mode !== 'global' && (holdsVolume(input, service) || service.ports.some(({ mode: port }) => port === 'host'))
  if (holds && !startFirst) return { type: 'Recreate' }
  if (!update) return undefined
  // as in a swarm, 0 is all at once
  const several = update.parallelism === 0 ? '100%' : (update.parallelism ?? 1)
  const rollingUpdate = startFirst ? { maxSurge: several, maxUnavailable: 0 } : { maxSurge: 0, maxUnavailable: several }
  return { type: 'RollingUpdate', rollingUpdate }
}

/** Beyond any number of failures that is waited for. */
const noLimit = 2 ** 31 - 1

function jobSpec({ restart, deploy }: Service, replicas: number, template: JsonMap): JsonMap {
  const retries = restart.kind === 'on-failure' ? restart.maxRetries || (deploy?.restartAttempts ?? noLimit) : 0
  return { parallelism: replicas, completions: replicas, backoffLimit: retries, template }
}

function cronSpec(input: Input, service: Service, template: JsonMap): JsonMap {
  const { schedule, name } = service
  const { cron = '', timezone, concurrency, missed, history } = schedule ?? {}
  if (!cron.startsWith('@') && cron.trim().split(/\s+/).length !== 5)
    input.refuse(['services', name, 'x-schedule'], {
      code: 'schedule',
      message: `Cannot run service "${name}" by "${cron}" in a cluster: it takes five fields, minutes to days of the week`,
      hint: 'Leave out seconds and years',
    })
  const policies = { forbid: 'Forbid', allow: 'Allow', replace: 'Replace' } as const
  return given<JsonMap>({
    schedule: cron,
    timeZone: timezone,
    concurrencyPolicy: policies[concurrency ?? 'forbid'],
    // what was due longer ago is left out
    startingDeadlineSeconds: missed === 'run' ? undefined : 60,
    successfulJobsHistoryLimit: history,
    failedJobsHistoryLimit: history,
    jobTemplate: { spec: jobSpec(service, 1, template) },
  })
}
