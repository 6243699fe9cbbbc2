/** What is mounted into the pods of a service: volumes of the pod, and where its container has them. */
import type { Mount } from '../../../model/mount.ts'
import type { Service } from '../../../model/service.ts'
import { given } from '../../members.ts'
import type { JsonMap } from '../manifest.ts'
import { objectName } from '../names.ts'
import { boundVolume, type FileVolume, fileVolume } from './files.ts'
import type { Input, Wanted } from './given-input.ts'
import { bytesQuantity } from './quantities.ts'
import { claimName, isClaimTemplate } from './volumes.ts'

export interface PodMounts {
  readonly volumes: readonly JsonMap[]
  readonly volumeMounts: readonly JsonMap[]
  /** ConfigMaps and Secrets that are to be there before. */
  readonly objects: readonly Wanted[]
}

export function podMounts(input: Input, service: Service): PodMounts {
  const volumes = new Map<string, JsonMap>()
  const volumeMounts: JsonMap[] = []
  const objects: Wanted[] = []
  const add = (name: string, volume: JsonMap | undefined, mount: JsonMap) => {
    if (volume) volumes.set(name, { name, ...volume })
    volumeMounts.push(given({ name, ...mount }))
  }
  const addFile = (name: string, found: FileVolume | undefined, mountPath: string) => {
    if (!found) return
    if (found.wanted) objects.push(found.wanted)
    add(name, found.volume, { mountPath, subPath: found.subPath, readOnly: true })
  }
  for (const mount of service.mounts) addMount(input, { service, mount, add, addFile })
  for (const kind of ['config', 'secret'] as const)
    for (const reference of service[`${kind}s`]) {
      if (reference.uid !== undefined || reference.gid !== undefined)
        input.notice(reference.path, `a file of a ${kind} is root's there: "uid" and "gid" have no effect, "mode" has`)
      addFile(objectName(`${kind}-${reference.target}`), fileVolume(input, kind, reference), reference.target)
    }
  if (service.shmSize !== undefined)
    add('shm', { emptyDir: { medium: 'Memory', sizeLimit: bytesQuantity(service.shmSize) } }, { mountPath: '/dev/shm' })
  return { volumes: [...volumes.values()], volumeMounts, objects }
}

interface Adding {
  readonly service: Service
  readonly mount: Mount
  readonly add: (name: string, volume: JsonMap | undefined, mount: JsonMap) => void
  readonly addFile: (name: string, found: FileVolume | undefined, mountPath: string) => void
}

function addMount(input: Input, { service, mount, add, addFile }: Adding): void {
  const { target, path } = mount
  const at = given({ mountPath: target, readOnly: mount.readOnly || undefined })
  const ownName = objectName(`${mount.kind}-${target}`)
  switch (mount.kind) {
    case 'volume':
      addVolume(input, { service, mount, add })
      return
    case 'tmpfs': {
      const sizeLimit = mount.size === undefined ? undefined : bytesQuantity(mount.size)
      add(ownName, { emptyDir: given({ medium: 'Memory', sizeLimit }) }, at)
      return
    }
    case 'bind':
      if (service.hostPaths) {
        const type = mount.createHostPath ? 'DirectoryOrCreate' : undefined
        add(ownName, { hostPath: given({ path: mount.source, type }) }, at)
        return
      }
      if (!mount.readOnly)
        input.notice(path, `"${mount.source}" is copied to the cluster, and cannot be written to there`)
      addFile(ownName, boundVolume(input, { service: service.name, source: mount.source, path }), target)
      return
    case 'image':
      add(ownName, { image: { reference: mount.source } }, given({ ...at, subPath: mount.subpath }))
      return
    default:
      input.refuse(path, {
        code: 'not-in-a-cluster',
        message: `Cannot mount a ${mount.kind} into service "${service.name}" in a cluster`,
        hint: 'Use a volume',
      })
  }
}

interface AddingVolume extends Pick<Adding, 'service' | 'add'> {
  readonly mount: Extract<Mount, { readonly kind: 'volume' }>
}

function addVolume(input: Input, { service, mount, add }: AddingVolume): void {
  const { source, subpath: subPath, target } = mount
  const at = given({ mountPath: target, readOnly: mount.readOnly || undefined, subPath })
  if (source === undefined) add(objectName(`volume-${target}`), { emptyDir: {} }, at)
  else if (isClaimTemplate(input, service, source)) add(objectName(source), undefined, at)
  else {
    const claim = { claimName: claimName(input.project, source) }
    add(objectName(source), { persistentVolumeClaim: claim }, at)
  }
}
