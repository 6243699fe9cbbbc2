/** The root file system and everything mounted in it, by descriptors. */
import { posix } from 'node:path'
import { Failure } from '../../lib/failure.ts'
import type { HostFacts } from '../host.ts'
import type { ContainerSpec, IdRange, MountSpec, Propagation } from '../spec.ts'
import { type Step, step } from '../steps.ts'
import { overlaySteps } from './overlay.ts'
import { slots } from './slots.ts'
import { idsOf, mapSteps } from './user-namespace.ts'

/** MOUNT_ATTR_*, linux/mount.h. */
const attribute = { ro: 1, nosuid: 2, nodev: 4, noexec: 8, noatime: 0x10, strictatime: 0x20, nodiratime: 0x80 } as const
const propagationFlags: Readonly<Record<Propagation, number>> = {
  private: 1 << 18,
  rprivate: 1 << 18,
  shared: 1 << 20,
  rshared: 1 << 20,
  slave: 1 << 19,
  rslave: 1 << 19,
}
/** Missing mount points are made; `untrusted` targets may lead through links of the image but not into procfs, `procfs` is nothing but that, and `like` makes a folder for a folder. */
const make = { none: 0, folder: 1, file: 2, untrusted: 4, procfs: 8, like: 16 } as const

function attributes(flags: readonly string[], cause: string): number {
  return flags.reduce((sum, flag) => {
    if (flag === 'rw' || flag === 'exec' || flag === 'suid' || flag === 'dev' || flag === 'relatime') return sum
    const bit = attribute[flag as keyof typeof attribute]
    if (bit === undefined)
      throw new Failure('invalid', `Cannot mount with option "${flag}": it is not known`, { cause })
    return sum | bit
  }, 0)
}

function fileSystem(
  type: string,
  slot: number,
  flags: readonly string[],
  options: Readonly<Record<string, string | true>>,
  cause = 'default',
  source = type,
): Step[] {
  return [
    step('fs-open', { type }, cause),
    // what programs find in front of the place; without it they read "none"
    step('fs-set', { key: 'source', value: source }, cause),
    ...Object.entries(options).map(([key, value]) =>
      value === true ? step('fs-flag', { key }, cause) : step('fs-set', { key, value }, cause),
    ),
    step('fs-mount', { slot, attributes: attributes(flags, cause) }, cause),
  ]
}

const ownPaths = ['/proc', '/dev', '/dev/pts', '/sys', '/dev/shm', '/dev/mqueue', '/sys/fs/cgroup']

/** Docker's /proc, /dev, /sys; a target in `mounts` replaces the one of ours that stands there. */
export function ownMounts(spec: ContainerSpec, facts: HostFacts): Step[] {
  const taken = new Set(spec.mounts.map(mount => posix.normalize(mount.target)))
  const at = (path: string, slot: number, steps: readonly Step[]): Step[] =>
    taken.has(path) && ownPaths.includes(path) ? [] : [...steps, step('place', { slot, path, make: make.folder })]
  const writable = spec.privileged ? [] : ['ro']
  const passing = slots.passing
  const isTaken = idsOf(spec.namespaces.user) !== undefined && spec.namespaces.ipc.kind === 'host'
  return [
    ...at('/proc', passing, fileSystem('proc', passing, ['nosuid', 'noexec', 'nodev'], {})),
    // with a user namespace it is there already: only the host can make devices
    ...at('/dev', slots.dev, idsOf(spec.namespaces.user) ? [] : devSteps()),
    ...at(
      '/dev/pts',
      slots.pts,
      fileSystem('devpts', slots.pts, ['nosuid', 'noexec'], { ptmxmode: '0666', mode: '0620', gid: '5' }),
    ),
    ...at('/sys', passing, sysSteps(writable)),
    ...cgroupMounts(spec, facts),
    // a new mqueue shows the IPC namespace we are in, the host's too
    ...(facts.mqueue
      ? isTaken
        ? at('/dev/mqueue', slots.shm, [])
        : at('/dev/mqueue', passing, mqueueSteps(passing))
      : []),
    ...(spec.shmSize === undefined
      ? []
      : at('/dev/shm', spec.namespaces.ipc.kind === 'join' ? slots.shm : passing, shmSteps(spec, spec.shmSize))),
  ]
}

/** An empty /dev. */
export function devSteps(): Step[] {
  return fileSystem('tmpfs', slots.dev, ['nosuid', 'strictatime'], { mode: '755', size: '65536k' })
}

/** A new sysfs shows the network namespace we are in. */
function sysSteps(writable: readonly string[]): Step[] {
  return fileSystem('sysfs', slots.passing, ['nosuid', 'noexec', 'nodev', ...writable], {})
}

/** With another container's IPC namespace its /dev/shm comes too (opened by a host step). */
function shmSteps(spec: ContainerSpec, size: number): Step[] {
  const { ipc } = spec.namespaces
  if (ipc.kind === 'join') return []
  if (ipc.kind === 'host')
    return [step('tree', { slot: slots.passing, path: '/dev/shm', recursive: 0 }, 'HostConfig.IpcMode')]
  return fileSystem(
    'tmpfs',
    slots.passing,
    ['nosuid', 'noexec', 'nodev'],
    { mode: '1777', size: String(size) },
    'HostConfig.ShmSize',
    'shm',
  )
}

const groupFlags = ({ writableCgroups }: ContainerSpec) => [
  'nosuid',
  'noexec',
  'nodev',
  ...(writableCgroups ? [] : ['ro']),
]

/** This container's own group of a hierarchy. */
function groupSteps(spec: ContainerSpec, mount: string, slot: number): Step[] {
  return [
    step('tree', { slot, path: `${mount}/${spec.cgroup.path}`, recursive: 0 }),
    step('attributes', { slot, set: attributes(groupFlags(spec), ''), clear: 0, propagation: 0, recursive: 0 }),
  ]
}

function isTaken(spec: ContainerSpec): boolean {
  return spec.mounts.some(({ target }) => ['/sys', '/sys/fs/cgroup'].includes(posix.normalize(target)))
}

/** v1: each hierarchy once. */
function groupMounts(spec: ContainerSpec, facts: HostFacts): readonly string[] {
  return isTaken(spec) || facts.cgroup.version === 2 ? [] : [...new Set(Object.values(facts.cgroup.mounts))]
}

/**
 * Before a user namespace is entered: its root may not look into the folders above the groups, and mounts no message queues of
 * an IPC namespace that is the host's.
 */
export function takeOwn(spec: ContainerSpec, facts: HostFacts): Step[] {
  return [
    ...groupMounts(spec, facts).flatMap((mount, index) => groupSteps(spec, mount, slots.groups + index)),
    ...(facts.mqueue && spec.namespaces.ipc.kind === 'host' ? mqueueSteps(slots.shm) : []),
  ]
}

function mqueueSteps(slot: number): Step[] {
  return fileSystem('mqueue', slot, ['nosuid', 'noexec', 'nodev'], {})
}

/** v2: the one hierarchy, which begins at the container's group in a cgroup namespace of its own, and at the host's root in the host's. */
function unifiedMounts(spec: ContainerSpec, facts: HostFacts): Step[] {
  const { unified } = facts.cgroup.mounts
  if (isTaken(spec) || unified === undefined) return []
  const slot = slots.passing
  const opened =
    spec.namespaces.cgroup === 'new'
      ? fileSystem('cgroup2', slot, groupFlags(spec), {})
      : [
          step('tree', { slot, path: unified, recursive: 0 }, 'HostConfig.CgroupnsMode'),
          step('attributes', { slot, set: attributes(groupFlags(spec), ''), clear: 0, propagation: 0, recursive: 0 }),
        ]
  return [...opened, step('place', { slot, path: '/sys/fs/cgroup', make: make.none })]
}

/** v1: a small tmpfs with this container's own group of each hierarchy bound in it. */
function cgroupMounts(spec: ContainerSpec, facts: HostFacts): Step[] {
  if (facts.cgroup.version === 2) return unifiedMounts(spec, facts)
  const groups = groupMounts(spec, facts)
  if (groups.length === 0) return []
  const isHeld = idsOf(spec.namespaces.user) !== undefined
  const passing = slots.passing
  const names = groups.map(mount => posix.basename(mount))
  return [
    ...fileSystem('tmpfs', passing, ['nosuid', 'noexec', 'nodev'], { mode: '755' }),
    ...names.map(path => step('folder', { slot: passing, path, mode: 0o755 })),
    step('attributes', {
      slot: passing,
      set: attributes(groupFlags(spec), ''),
      clear: 0,
      propagation: 0,
      recursive: 0,
    }),
    step('place', { slot: passing, path: '/sys/fs/cgroup', make: make.none }),
    ...groups.flatMap((mount, index) => {
      const slot = isHeld ? slots.groups + index : passing
      const at = step('place', { slot, path: `/sys/fs/cgroup/${names[index]}`, make: make.none })
      return isHeld ? [at] : [...groupSteps(spec, mount, slot), at]
    }),
  ]
}

/** Host steps: binds that stay in touch with the host must be taken before the mount namespace is copied. */
export function hostMounts(spec: ContainerSpec): Step[] {
  const { ipc } = spec.namespaces
  return [
    ...(ipc.kind === 'join' ? [step('tree-of', { slot: slots.shm, path: '/dev/shm' }, 'HostConfig.IpcMode')] : []),
    ...sharedBinds(spec).map(({ mount, slot }) =>
      step('tree', { slot, path: mount.source, recursive: mount.recursive ? 1 : 0 }, mount.cause),
    ),
  ]
}

type Bind = Extract<MountSpec, { kind: 'bind' }>

function isPrivate(mount: Bind): boolean {
  return mount.propagation === 'private' || mount.propagation === 'rprivate'
}

/** Each in a slot of its own: what stays in touch with the host and, when only the host can map its ids, all that has files of the host. */
function slotsOf(spec: ContainerSpec): ReadonlyMap<MountSpec, number> {
  const mapped = idsOf(spec.namespaces.user) !== undefined
  const found = spec.mounts.filter(mount =>
    mount.kind === 'bind' ? mapped || !isPrivate(mount) : mapped && mount.kind === 'image',
  )
  const most = slots.last - slots.taken + 1
  if (found.length > most)
    throw new Failure(
      'unsupported',
      mapped
        ? `Cannot mount ${found.length} binds and volumes in a user namespace: at most ${most} are possible`
        : `Cannot mount ${found.length} binds with shared or slave propagation: at most ${most} are possible`,
    )
  return new Map(found.map((mount, index) => [mount, slots.taken + index]))
}

function sharedBinds(spec: ContainerSpec): readonly { readonly mount: Bind; readonly slot: number }[] {
  return [...slotsOf(spec)].flatMap(([mount, slot]) =>
    mount.kind === 'bind' && !isPrivate(mount) ? [{ mount, slot }] : [],
  )
}

/** Child steps of one mount: what needs the host's rights, and what puts it into the root. */
interface MountParts {
  readonly take: readonly Step[]
  readonly put: readonly Step[]
}

/** For the mounts asked for. @throws Failure for a target that can never be one. */
export function mountSteps(spec: ContainerSpec, facts: HostFacts): readonly MountParts[] {
  const own = slotsOf(spec)
  return spec.mounts.map(mount => {
    const trusted = procTarget(mount)
    if (mount.kind === 'tmpfs') return { take: [], put: tmpfsSteps(mount) }
    const slot = own.get(mount) ?? slots.passing
    if (mount.kind === 'image') return imageSteps(mount, slot, { spec, facts })
    return bindSteps(mount, slot, { trusted, ids: idsOf(spec.namespaces.user) })
  })
}

function bindSteps(
  mount: Bind,
  slot: number,
  { trusted, ids }: { readonly trusted: number | undefined; readonly ids: IdRange | undefined },
): MountParts {
  const ro = mount.readonly ? attribute.ro : 0
  const below = attributes(mount.flags, mount.cause) | (mount.writableBelow ? 0 : ro)
  const recursive = mount.recursive ? 1 : 0
  const cause = mount.cause
  const made = trusted ?? makeFor(mount.directory) | make.untrusted
  return {
    take: [
      ...(isPrivate(mount) ? [treeStep(mount, slot)] : []),
      ...mapSteps(slot, mount.source, mount.recursive, ids),
      step(
        'attributes',
        { slot, set: below, clear: 0, propagation: propagationFlags[mount.propagation], recursive },
        cause,
      ),
      ...(ro !== 0 && mount.writableBelow
        ? [step('attributes', { slot, set: ro, clear: 0, propagation: 0, recursive: 0 }, cause)]
        : []),
    ],
    put: [step('place', { slot, path: mount.target, make: made }, cause)],
  }
}

function makeFor(directory: boolean | undefined): number {
  if (directory === undefined) return make.like
  return directory ? make.folder : make.file
}

/** Its layers one over the other; a part of it is taken from where the whole is mounted for a moment. */
function imageSteps(
  mount: Extract<MountSpec, { kind: 'image' }>,
  slot: number,
  { spec, facts }: { readonly spec: ContainerSpec; readonly facts: HostFacts },
): MountParts {
  const { layers, beneath, cause, target, changes } = mount
  const single = layers.length === 1 && changes === undefined
  const place = spec.root.work
  const source = single ? layers[0]! : place
  const ids = idsOf(spec.namespaces.user)
  return {
    take: [
      ...(single ? [] : overlaySteps({ layers, ...(changes && { changes }), slot, place, ids }, facts, cause)),
      ...(single || ids === undefined ? [] : [step('attach-root', { slot, path: place }, cause)]),
      treeStep({ source, recursive: false, cause, beneath }, slot),
      // an overlay of mapped layers shows their ids itself
      ...(single ? mapSteps(slot, source, false, ids) : []),
      step(
        'attributes',
        { slot, set: changes ? 0 : attribute.ro, clear: 0, propagation: propagationFlags.rprivate, recursive: 0 },
        cause,
      ),
    ],
    put: [step('place', { slot, path: target, make: make.like | make.untrusted }, cause)],
  }
}

function treeStep(
  { source, beneath, recursive, cause }: Pick<Bind, 'source' | 'beneath' | 'recursive' | 'cause'>,
  slot: number,
): Step {
  const args = { slot, path: source, recursive: recursive ? 1 : 0 }
  return beneath === undefined ? step('tree', args, cause) : step('tree-beneath', { ...args, beneath }, cause)
}

function tmpfsSteps(mount: Extract<MountSpec, { kind: 'tmpfs' }>): Step[] {
  const options = mount.data.split(',').filter(option => option !== '')
  const pairs = options.map((option): [string, string | true] => {
    const at = option.indexOf('=')
    return at < 0 ? [option, true] : [option.slice(0, at), option.slice(at + 1)]
  })
  return [
    ...fileSystem('tmpfs', slots.passing, mount.flags, Object.fromEntries(pairs), mount.cause),
    step('place', { slot: slots.passing, path: mount.target, make: make.folder | make.untrusted }, mount.cause),
  ]
}

/** Files of procfs that show numbers alone: a file may stand in for one, as lxcfs and fake clocks do. */
const replaceable =
  /^\/proc\/(cpuinfo|diskstats|meminfo|stat|swaps|uptime|loadavg|slabinfo|sys\/kernel\/ns_last_pid|sys\/crypto\/fips_enabled)$/

/**
 * How a target in the container's own procfs may be covered: /proc by another procfs, a few files by files. Undefined for any other place.
 * @throws Failure for a target that can never be one.
 */
function procTarget({ target, kind }: MountSpec): number | undefined {
  const path = posix.normalize(target)
  if (!path.startsWith('/') || path === '/' || path !== target.replace(/(.)\/+$/, '$1'))
    throw new Failure('invalid', `Cannot mount on "${target}": it is not a plain absolute path inside the root`)
  if (path !== '/proc' && !path.startsWith('/proc/')) return undefined
  if (kind === 'bind' && path === '/proc') return make.folder | make.procfs
  if (kind === 'bind' && replaceable.test(path)) return make.none
  throw new Failure('invalid', `Cannot mount on "${target}": it is inside /proc`)
}
