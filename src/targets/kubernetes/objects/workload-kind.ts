/** Which kind of object runs a service. */
import { isJob } from '../../../model/deploy.ts'
import type { Project } from '../../../model/project.ts'
import type { Service } from '../../../model/service.ts'
import { saysRestart } from '../../restart.ts'
import type { WorkloadKind } from '../manifest.ts'

export function workloadOf(project: Project, service: Service, replicas: number): WorkloadKind {
  if (service.schedule) return 'CronJob'
  if (service.deploy?.mode === 'global') return 'DaemonSet'
  if (isJob(service) || endsByItself(project, service)) return 'Job'
  return replicas > 1 && ownsVolume(project, service) ? 'StatefulSet' : 'Deployment'
}

/** `restart` says that it may end, or says nothing while another service waits for its end. */
function endsByItself(project: Project, service: Service): boolean {
  const { kind } = service.restart
  if (kind === 'on-failure') return true
  if (kind !== 'no') return false
  if (saysRestart(service)) return true
  return Object.values(project.services).some(({ dependsOn }) => dependsOn[service.name]?.condition === 'completed')
}

function ownsVolume(project: Project, { name, mounts }: Service): boolean {
  return mounts.some(
    mount =>
      mount.kind === 'volume' &&
      mount.source !== undefined &&
      project.volumes[mount.source]?.external !== true &&
      !Object.values(project.services).some(
        other =>
          other.name !== name && other.mounts.some(each => each.kind === 'volume' && each.source === mount.source),
      ),
  )
}
