/** Binds, Mounts, Tmpfs, Volumes and VolumesFrom → mount points with every name resolved; volumes are made on the way. */
import { stat } from 'node:fs/promises'
import { posix } from 'node:path'
import type { Mount } from '../../../api/container-body.ts'
import { errnoOf, Failure } from '../../../lib/failure.ts'
import type { HostPath } from '../../../runtime/spec.ts'
import type { Image } from '../../images/image.ts'
import type { Volumes } from '../../volumes/volumes.ts'
import type { Container, MountPoint } from '../container.ts'
import type { Config } from './config.ts'
import type { HostConfig } from './host-config.ts'

export interface MountSources {
  /** Where the engine keeps its own. */
  readonly root: HostPath
  readonly volumes: Volumes
  /** @throws Failure `not-found`. */
  readonly get: (ref: string) => Container
  /** @throws Failure `not-found`. */
  readonly image: (ref: string) => Pick<Image, 'id' | 'diffIds'>
  /** Called with each volume that was made, for undo. */
  readonly onAnonymous: (name: string) => void
}

const propagations = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']
const mountTypes = ['bind', 'volume', 'tmpfs', 'image']
const volumeName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/

/**
 * The container's mount points. Mounts beat Binds beat Tmpfs beat volumes of others beat the image's own volumes.
 * @throws Failure `invalid` with Docker's texts.
 */
export async function resolveMounts(
  config: Config,
  hostConfig: HostConfig,
  sources: MountSources,
): Promise<MountPoint[]> {
  const points = new Map<string, MountPoint>()
  const add = (point: MountPoint) => {
    if (points.has(point.target)) throw new Failure('invalid', `Duplicate mount point: ${point.target}`)
    points.set(point.target, point)
  }
  const made = (point: MountPoint, mount?: Mount) =>
    volumeOf({ ...point, driver: point.driver ?? (hostConfig.VolumeDriver || 'local') }, sources, mount)
  for (const [i, bind] of (hostConfig.Binds ?? []).entries())
    add(await made(parseBind(bind, `HostConfig.Binds[${i}]`, sources.root)))
  for (const [i, mount] of (hostConfig.Mounts ?? []).entries())
    add(await made(await fromRequest(mount, `HostConfig.Mounts[${i}]`, sources), mount))
  for (const [target, options] of Object.entries(hostConfig.Tmpfs ?? {})) {
    const clean = targetPath(target, `tmpfs ${target}`)
    add({ ...base('tmpfs', clean, `HostConfig.Tmpfs["${target}"]`), ...tmpfsOptions(options) })
  }
  // of several that have something at the same place the last counts
  const inherited = new Map<string, MountPoint>()
  for (const [i, from] of (hostConfig.VolumesFrom ?? []).entries())
    for (const point of mountsOf(from, `HostConfig.VolumesFrom[${i}]`, sources)) inherited.set(point.target, point)
  for (const [target, point] of inherited) if (!points.has(target)) points.set(target, point)
  for (const target of Object.keys(config.Volumes ?? {})) {
    const clean = targetPath(target, target)
    if (points.has(clean)) continue
    add(await made(base('volume', clean, `Volumes["${target}"]`)))
  }
  return [...points.values()]
}

function base(type: MountPoint['type'], target: string, cause: string): MountPoint {
  return {
    type,
    cause,
    target,
    readonly: false,
    recursive: true,
    propagation: type === 'bind' ? 'rprivate' : '',
    mode: '',
    flags: [],
  }
}

/** Whoever says it, no path of a file system holds one. */
function refuseNul(path: string): void {
  if (path.includes('\0'))
    throw new Failure('invalid', `invalid mount config: ${JSON.stringify(path)} holds a NUL character`)
}

function cleanPath(path: string): string {
  refuseNul(path)
  return posix.normalize(path).replace(/(.)\/$/, '$1')
}

function targetPath(target: string, whole: string): string {
  if (!target.startsWith('/'))
    throw new Failure(
      'invalid',
      `invalid volume specification: '${whole}': invalid mount config: mount path must be absolute`,
    )
  const clean = cleanPath(target)
  if (clean === '/')
    throw new Failure(
      'invalid',
      `invalid volume specification: '${whole}': invalid specification: destination can't be '/'`,
    )
  return clean
}

/**
 * How mounts spread below a bind. One that holds the engine's own folder, or is within it, must let go of what is unmounted there: all of
 * the host's file system, for one, which then shows what is mounted later, too.
 */
function bindPropagation(source: string, asked: string, root: HostPath | undefined): string {
  const within = (path: string, folder: string) => `${path}/`.startsWith(folder === '/' ? '/' : `${folder}/`)
  if (root === undefined || !(within(source, root) || within(root, source))) return asked || 'rprivate'
  if (asked === '' || asked === 'rslave' || asked === 'rshared') return asked || 'rslave'
  throw new Failure(
    'invalid',
    `invalid mount config: must use either propagation mode "rslave" or "rshared" when mount source is within the daemon root, daemon root: "${root}", bind mount source: "${source}", propagation: "${asked}"`,
  )
}

/** "source:target:options", as `-v` sends it. `root`: where the engine keeps its own. */
export function parseBind(text: string, cause: string, root?: HostPath): MountPoint {
  const parts = text.split(':')
  const bad = () => new Failure('invalid', `invalid volume specification: '${text}'`)
  if (parts.length < 2 || parts.length > 3) {
    if (parts.length === 1 && parts[0]) return base('volume', targetPath(parts[0], text), cause)
    throw bad()
  }
  const [source, target, mode = ''] = parts as [string, string, string?]
  if (source === '' || target === '') throw bad()
  const isBind = source.startsWith('/')
  if (!isBind && !volumeName.test(source))
    throw new Failure(
      'invalid',
      `create ${source}: "${source}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    )
  let readonly = false
  let nocopy = false
  let asked = ''
  const words = mode.split(',').filter(Boolean)
  if (words.includes('rw') && words.includes('ro')) throw new Failure('invalid', `invalid mode: ${mode}`)
  for (const word of words) {
    if (word === 'ro' || word === 'readonly') readonly = true
    else if (word === 'nocopy') {
      if (isBind)
        throw new Failure(
          'invalid',
          `${bad().message}: invalid mount config for type "bind": field VolumeOptions must not be specified`,
        )
      nocopy = true
    } else if (propagations.includes(word)) {
      if (!isBind)
        throw new Failure(
          'invalid',
          `${bad().message}: invalid mount config for type "volume": field BindOptions must not be specified`,
        )
      asked = word
    } else if (!['rw', 'z', 'Z', 'cached', 'delegated', 'consistent'].includes(word))
      throw new Failure('invalid', `invalid mode: ${mode}`)
  }
  const clean = targetPath(target, text)
  if (isBind) {
    refuseNul(source)
    const path = posix.normalize(source)
    const propagation = bindPropagation(path, asked, root)
    return { ...base('bind', clean, cause), source: path, readonly, propagation, mode }
  }
  return {
    ...base('volume', clean, cause),
    name: source,
    nocopy,
    readonly,
    propagation: '',
    mode: mode || 'z',
  }
}

/** What is for mounts of one type alone. @throws Failure `invalid` in Docker's words. */
function checkOptions({ Type, BindOptions, VolumeOptions, TmpfsOptions }: Mount): void {
  const given = { bind: BindOptions, volume: VolumeOptions, tmpfs: TmpfsOptions }
  const names = { bind: 'BindOptions', volume: 'VolumeOptions', tmpfs: 'TmpfsOptions' } as const
  for (const type of ['bind', 'volume', 'tmpfs'] as const)
    if (given[type] && type !== Type)
      throw new Failure('invalid', `${names[type]} must not be specified on mount type "${Type}"`)
}

/** One of HostConfig.Mounts. A bind's source has to exist, unless it is to be created. */
async function fromRequest(
  mount: Mount,
  cause: string,
  { image, root }: Pick<MountSources, 'image' | 'root'>,
): Promise<MountPoint> {
  checkOptions(mount)
  const bad = (why: string) => new Failure('invalid', `invalid mount config for type "${mount.Type}": ${why}`)
  if (!mountTypes.includes(mount.Type)) throw bad('mount type unknown')
  if (mount.Target === '') throw bad('field Target must not be empty')
  if (!mount.Target.startsWith('/')) throw bad(`invalid mount path: '${mount.Target}' mount path must be absolute`)
  const target = cleanPath(mount.Target)
  if (target === '/') throw bad("invalid specification: destination can't be '/'")
  const readonly = mount.ReadOnly ?? false
  switch (mount.Type) {
    case 'bind': {
      const source = mount.Source ?? ''
      if (source === '') throw bad('field Source must not be empty')
      refuseNul(source)
      if (!source.startsWith('/')) throw bad(`invalid mount path: '${source}' mount path must be absolute`)
      const asked = mount.BindOptions?.Propagation ?? ''
      if (asked !== '' && !propagations.includes(asked)) throw bad(`invalid propagation mode: ${asked}`)
      if (!mount.BindOptions?.CreateMountpoint && !(await exists(source)))
        throw bad(`bind source path does not exist: ${source}`)
      return {
        ...base('bind', target, cause),
        source: posix.normalize(source),
        readonly,
        recursive: !mount.BindOptions?.NonRecursive,
        writableBelow: mount.BindOptions?.ReadOnlyNonRecursive || undefined,
        propagation: bindPropagation(posix.normalize(source), asked, root),
      }
    }
    case 'volume': {
      const driver = mount.VolumeOptions?.DriverConfig?.Name || 'local'
      const subpath = relativePath(mount.VolumeOptions?.Subpath, bad)
      return {
        ...base('volume', target, cause),
        name: mount.Source || undefined,
        driver,
        subpath,
        nocopy: mount.VolumeOptions?.NoCopy ?? false,
        readonly,
        propagation: '',
        mode: 'z',
      }
    }
    case 'tmpfs': {
      if (mount.Source) throw bad('field Source must not be specified')
      const { SizeBytes, Mode, Options } = mount.TmpfsOptions ?? {}
      const words = [...(Options ?? []).map(option => option.join('='))]
      if (SizeBytes) words.push(`size=${SizeBytes}`)
      if (Mode) words.push(`mode=${Mode.toString(8)}`)
      if (readonly) words.push('ro')
      return { ...base('tmpfs', target, cause), ...tmpfsOptions(words.join(',')) }
    }
    case 'image': {
      if (!mount.Source) throw bad('field Source must not be empty')
      const subpath = relativePath(mount.ImageOptions?.Subpath, bad)
      const found = image(mount.Source)
      return {
        ...base('image', target, cause),
        name: mount.Source,
        image: found.id,
        layers: found.diffIds,
        subpath,
        readonly: true,
        propagation: 'rprivate',
      }
    }
    default:
      throw bad('mount type unknown')
  }
}

/** Within a volume or image; links are followed when it is mounted, and none leads out. */
function relativePath(path: string | undefined, bad: (why: string) => Failure): string | undefined {
  if (!path) return undefined
  refuseNul(path)
  const clean = posix.normalize(path)
  if (clean.startsWith('/') || clean === '..' || clean.startsWith('../'))
    throw bad('subpath must be a relative path within the volume')
  return clean
}

/** "rw,size=64k,mode=1777" → flags and mount data; noexec, nosuid and nodev unless said otherwise. */
export function tmpfsOptions(text: string): { flags: string[]; data: string; readonly: boolean } {
  const flags = new Set(['noexec', 'nosuid', 'nodev'])
  const data: string[] = []
  for (const word of text.split(',').filter(Boolean)) {
    const off = { exec: 'noexec', suid: 'nosuid', dev: 'nodev', rw: 'ro' }[word]
    if (off) flags.delete(off)
    else if (['noexec', 'nosuid', 'nodev', 'ro', 'noatime', 'nodiratime', 'relatime', 'strictatime'].includes(word))
      flags.add(word)
    else if (
      /^(size|nr_blocks|nr_inodes)=\d+[kmgKMG%]?$/.test(word) ||
      /^mode=0?[0-7]{1,4}$/.test(word) ||
      /^(uid|gid)=\d+$/.test(word)
    )
      data.push(word)
    else throw new Failure('invalid', `invalid tmpfs option ["${word}"]`)
  }
  return { flags: [...flags], data: data.join(','), readonly: flags.has('ro') }
}

/** Makes sure a volume exists and has a name; others are passed through. */
async function volumeOf(
  point: MountPoint,
  { volumes, onAnonymous }: MountSources,
  request?: Mount,
): Promise<MountPoint> {
  if (point.type !== 'volume') return { ...point, driver: undefined }
  const options = request?.VolumeOptions
  const volume = await volumes.create({
    name: point.name,
    driver: point.driver,
    driverOpts: options?.DriverConfig?.Options,
    labels: options?.Labels,
  })
  if (!point.name) onAnonymous(volume.name)
  return { ...point, name: volume.name, driver: volume.driver, anonymous: !point.name }
}

/** "container:ro" → its mount points but tmpfs; what is read-only there is so here, whatever is asked. */
function mountsOf(from: string, cause: string, { get }: MountSources): MountPoint[] {
  const [ref = '', mode = '', more] = from.split(':')
  if (ref === '' || more !== undefined) throw new Failure('invalid', `invalid volumes-from specification: '${from}'`)
  const words = mode.split(',').filter(Boolean)
  if (!words.every(word => ['ro', 'rw', 'z', 'Z'].includes(word)) || (words.includes('ro') && words.includes('rw')))
    throw new Failure('invalid', `invalid mode: ${mode}`)
  return get(ref)
    .record.mounts.filter(({ type }) => type === 'bind' || type === 'volume')
    .map(point => ({
      ...point,
      cause,
      // it has what the other container's image has there
      nocopy: true,
      readonly: words.includes('ro') || point.readonly,
    }))
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(errnoOf(error) ?? '')) return false
    throw error
  }
}
