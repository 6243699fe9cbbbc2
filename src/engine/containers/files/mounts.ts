/** A container's mount points → what the runtime mounts, parents before children; folders that are missing are made on the way. */
import { chmod, mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, Failure } from '../../../lib/failure.ts'
import { systemErrorWords } from '../../../runtime/errno.ts'
import type { HostPath, MountSpec, Propagation } from '../../../runtime/spec.ts'
import type { Images } from '../../images/images.ts'
import type { Volumes } from '../../volumes/volumes.ts'
import type { Container, MountPoint } from '../container.ts'

export interface MountContext {
  readonly volumes: Volumes
  readonly images: Images
  /** The container's own folder on the host, with hosts, hostname and resolv.conf. */
  readonly folder: HostPath
  /** Of these three, the ones to bind. */
  readonly hostFiles: readonly string[]
  /** Only to be shown: nothing is made. */
  readonly dry?: boolean
}

/** What an empty volume starts with: what the image (layers, lowest first) has in its place. At the container's creation, and never again. */
export async function populateVolumes(
  volumes: Volumes,
  points: readonly MountPoint[],
  layers: readonly HostPath[],
): Promise<void> {
  for (const { type, name, subpath, nocopy, target } of points)
    if (type === 'volume' && !nocopy) await volumes.populate({ name: name!, subpath }, layers, target)
}

/** @throws Failure `invalid` when the source of a bind is missing. */
export async function mountSpecs(container: Container, context: MountContext): Promise<MountSpec[]> {
  const points = container.record.mounts
  const specs = await Promise.all(points.map(point => mountSpec(point, container, context)))
  const readonly = container.record.hostConfig.ReadonlyRootfs
  for (const name of context.hostFiles) {
    const target = `/etc/${name}`
    if (points.some(point => point.target === target)) continue
    specs.push({
      kind: 'bind',
      cause: 'default',
      source: join(context.folder, name),
      target,
      readonly,
      recursive: false,
      propagation: 'rprivate',
      directory: false,
      flags: [],
    })
  }
  return sortMounts(specs)
}

/** Parents before children, otherwise as they came. */
export function sortMounts(specs: readonly MountSpec[]): MountSpec[] {
  const depth = (spec: MountSpec) => spec.target.split('/').length
  return specs.toSorted((a, b) => depth(a) - depth(b))
}

async function mountSpec(point: MountPoint, container: Container, context: MountContext): Promise<MountSpec> {
  const { target, cause } = point
  if (point.type === 'tmpfs') return { kind: 'tmpfs', target, cause, data: point.data ?? '', flags: point.flags }
  const { subpath } = point
  if (point.type === 'image')
    return {
      kind: 'image',
      target,
      cause,
      layers: context.images.layers({ diffIds: point.layers ?? context.images.get(point.image!).diffIds }),
      beneath: subpath,
    }
  if (point.type === 'bind') {
    const found = await bindSource(point, container, context.dry)
    return {
      kind: 'bind',
      target,
      cause,
      source: point.source!,
      readonly: point.readonly,
      recursive: point.recursive,
      writableBelow: point.writableBelow,
      propagation: (point.propagation || 'rprivate') as Propagation,
      directory: found.directory,
      flags: point.flags,
    }
  }
  const name = point.name!
  const source = context.volumes.source(name)
  if (source.kind === 'tmpfs')
    return {
      kind: 'tmpfs',
      target,
      cause,
      data: source.data,
      flags: point.readonly ? [...source.flags, 'ro'] : source.flags,
    }
  return {
    kind: 'bind',
    target,
    cause,
    source: source.source,
    beneath: subpath,
    readonly: point.readonly || source.readonly,
    recursive: true,
    propagation: 'rprivate',
    directory: subpath ? undefined : true,
    flags: [...point.flags, ...source.flags],
  }
}

/** `-v` makes a missing folder, as Docker does; a mount that was to exist at create has to exist now. */
async function bindSource(
  point: MountPoint,
  container: Container,
  dry: boolean | undefined,
): Promise<{ directory: boolean }> {
  const source = point.source!
  try {
    return { directory: (await stat(source)).isDirectory() }
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw notMade(source, error)
  }
  const index = /^HostConfig\.Mounts\[(\d+)\]$/.exec(point.cause)?.[1]
  const request = index === undefined ? undefined : container.record.hostConfig.Mounts?.[Number(index)]
  if (request && !request.BindOptions?.CreateMountpoint)
    throw new Failure('invalid', `invalid mount config for type "bind": bind source path does not exist: ${source}`)
  if (dry) return { directory: true }
  try {
    await mkdir(source, { recursive: true })
    // the engine's umask would keep the container's users out
    await chmod(source, 0o755)
  } catch (error) {
    throw notMade(source, error)
  }
  return { directory: true }
}

/** In Docker's words. */
function notMade(source: HostPath, error: unknown): unknown {
  const words = systemErrorWords(error)
  if (words === undefined) return error
  return new Failure('invalid', `error while creating mount source path '${source}': mkdir ${source}: ${words}`, {
    cause: error,
  })
}
