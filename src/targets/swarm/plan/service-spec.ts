/** A service of the stack as a swarm is told of it; every default that the engine would fill in is said. */
import type { ServiceSpec, SwarmPort, SwarmRollout } from '../../../api/swarm-objects.ts'
import { isJob, type Rollout } from '../../../model/deploy.ts'
import type { Service } from '../../../model/service.ts'
import { labels, serviceName } from '../labels.ts'
import { type SpecInput, taskTemplate } from './task-template.ts'

export function serviceSpec(input: SpecInput): ServiceSpec {
  const { project, service } = input
  const { deploy } = service
  // a job has no updates: its next run is of the new version
  const rollouts = isJob(service)
    ? {}
    : {
        UpdateConfig: rollout(deploy?.update),
        RollbackConfig: rollout(deploy?.rollback),
      }
  return {
    Name: serviceName(project.name, service.name),
    Labels: {
      ...deploy?.labels,
      [labels.stack]: project.name,
      [labels.image]: service.image ?? '',
      [labels.project]: project.name,
      [labels.service]: service.name,
    },
    TaskTemplate: taskTemplate(input),
    Mode: mode(input),
    ...rollouts,
    EndpointSpec: {
      Mode: deploy?.endpointMode ?? 'vip',
      Ports: service.ports.map(portOf),
    },
  }
}

function mode({ service, replicas }: SpecInput): ServiceSpec['Mode'] {
  switch (service.deploy?.mode) {
    case 'global':
      return { Global: {} }
    case 'global-job':
      return { GlobalJob: {} }
    case 'replicated-job':
      return {
        ReplicatedJob: { MaxConcurrent: replicas, TotalCompletions: replicas },
      }
    default:
      return { Replicated: { Replicas: replicas } }
  }
}

/** Five seconds of watching, one at a time, is what an engine does where nothing is said. */
function rollout(given: Rollout | undefined): SwarmRollout {
  return {
    Parallelism: given?.parallelism ?? 1,
    Delay: given?.delay ?? 0,
    FailureAction: given?.failureAction ?? 'pause',
    Monitor: given?.monitor ?? 5e9,
    MaxFailureRatio: given?.maxFailureRatio ?? 0,
    Order: given?.order ?? 'stop-first',
  }
}

function portOf({ target, published, protocol, mode, name }: Service['ports'][number]): SwarmPort {
  return {
    ...(name === undefined ? {} : { Name: name }),
    Protocol: protocol,
    TargetPort: target,
    ...(published === undefined ? {} : { PublishedPort: Number(published) }),
    PublishMode: mode,
  }
}
