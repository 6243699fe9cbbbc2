/** Volumes of the stack as claims: one each, or one for each replica of the only service that has it. */
import type { Project } from '../../../model/project.ts'
import type { Service } from '../../../model/service.ts'
import type { Volume } from '../../../model/volume.ts'
import { given } from '../../members.ts'
import { annotations, labelsOf, madeLabels } from '../labels.ts'
import { type JsonMap, manifest } from '../manifest.ts'
import { objectName, partName } from '../names.ts'
import { type Input, replicasOf, type Wanted } from './given-input.ts'
import { wholeQuantity } from './quantities.ts'
import { workloadOf } from './workload-kind.ts'

const usualSize = '1Gi'

export function claimName(project: Project, key: string): string {
  const volume = project.volumes[key]
  if (!volume) return objectName(key)
  return volume.external ? volume.name : partName(project.name, volume)
}

/** Names of the services that have it mounted. */
function usersOf({ project }: Input, key: string): readonly string[] {
  return Object.values(project.services)
    .filter(({ mounts }) => mounts.some(mount => mount.kind === 'volume' && mount.source === key))
    .map(({ name }) => name)
}

/** Whether each replica has a volume of its own for it: of a service alone that has several. */
export function isClaimTemplate(input: Input, service: Service, key: string): boolean {
  return workloadOf(input.project, service, replicasOf(input, service)) === 'StatefulSet' && isOwn(input, key)
}

function isOwn(input: Input, key: string): boolean {
  return input.project.volumes[key]?.external !== true && usersOf(input, key).length === 1
}

/** Claims that stand for themselves, of volumes that the services use. */
export function claims(input: Input): readonly Wanted[] {
  const { project, services } = input
  const used = new Set(
    services.flatMap(service =>
      service.mounts.flatMap(mount =>
        mount.kind === 'volume' && mount.source !== undefined && !isClaimTemplate(input, service, mount.source)
          ? [mount.source]
          : [],
      ),
    ),
  )
  return [...used].sort().flatMap(key => {
    const volume = project.volumes[key]
    if (!volume || volume.external) return []
    const path = ['volumes', key]
    const metadata = {
      name: claimName(project, key),
      namespace: input.home.namespace,
      labels: labelsOf(input.home),
      annotations: { [annotations.name]: volume.name },
    }
    return [{ manifest: manifest('PersistentVolumeClaim', metadata, { spec: claimSpec(input, volume) }), path }]
  })
}

function claimSpec(input: Input, volume: Volume): JsonMap {
  const shared = isShared(input, volume.key)
  if (shared)
    input.notice(
      ['volumes', volume.key],
      `volume "${volume.key}" is shared, and asks for ReadWriteMany, which not every storage class has`,
    )
  const { size = usualSize, storage_class: named } = volume.driverOpts
  return given({
    accessModes: [shared ? 'ReadWriteMany' : 'ReadWriteOnce'],
    storageClassName: named,
    resources: { requests: { storage: wholeQuantity(size) } },
  })
}

/** Whether pods on several nodes may have it mounted. */
function isShared(input: Input, key: string): boolean {
  const users = usersOf(input, key)
  if (users.length !== 1) return true
  const service = input.project.services[users[0]!]!
  const kind = workloadOf(input.project, service, replicasOf(input, service))
  return kind === 'DaemonSet' || (kind === 'Job' && replicasOf(input, service) > 1)
}

/** Whether a new pod can only begin once the old one has let go of what it has mounted. */
export function holdsVolume(input: Input, { mounts }: Service): boolean {
  return mounts.some(mount => mount.kind === 'volume' && mount.source !== undefined && !isShared(input, mount.source))
}

export function claimTemplates(input: Input, service: Service): readonly JsonMap[] {
  const keys = service.mounts.flatMap(mount =>
    mount.kind === 'volume' && mount.source !== undefined ? [mount.source] : [],
  )
  return [...new Set(keys)].flatMap(key => {
    const volume = input.project.volumes[key]
    if (!volume || !isClaimTemplate(input, service, key)) return []
    input.notice(['volumes', key], `each replica of "${service.name}" has a volume "${key}" of its own`)
    const metadata = { name: objectName(key), labels: madeLabels(input.project.name, service.name) }
    return [{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec: claimSpec(input, volume) }]
  })
}
