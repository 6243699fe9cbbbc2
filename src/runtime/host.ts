/** What this machine's kernel offers, read once: cgroup hierarchies, capabilities, how overlay takes its layers. */
import { readFileSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { release } from 'node:os'
import { Failure } from '../lib/failure.ts'
import { type Disk, readDisks } from './disks.ts'
import { type FileLimit, fileLimits, givenFiles } from './given-files.ts'

export interface HostFacts {
  readonly cgroup: CgroupFacts
  /** Capabilities the engine itself has: it cannot give others. */
  readonly capabilities: bigint
  /** The highest capability the kernel knows. */
  readonly lastCapability: number
  /** Whether overlay takes layers one by one (6.5), so that their number has no bound. */
  readonly layerByLayer: boolean
  readonly mqueue: boolean
  /** Whether we are root of a user namespace alone, without a right of the host: nobody makes devices there, and overlay keeps its marks as any user may. */
  readonly rootless: boolean
  /** How many files a process may open that is not told; undefined: as many as we. */
  readonly files?: FileLimit | undefined
}

/** On v1 each controller has a mount of its own, or shares one; on v2 there is one. */
export interface CgroupFacts {
  readonly version: 1 | 2
  /** Controller → mount point; on v2 each controller → the same one. */
  readonly mounts: Readonly<Record<string, string>>
  /** Those of a group below the root, where more stand than in the root itself; undefined: taken to be all there. */
  readonly files?: ReadonlySet<string>
  /** What our scopes are called where systemd manages the one hierarchy and gives us room below them; undefined where it does not. */
  readonly scope?: string
  /** The disks at this moment; undefined: any disk is shared out by whatever is asked for. */
  readonly disks?: () => readonly Disk[]
  /** Why there is no group for us at all, for whoever asks for a limit. */
  readonly none?: string
}

const controllers = [
  'memory',
  'cpu',
  'cpuacct',
  'cpuset',
  'devices',
  'freezer',
  'blkio',
  'pids',
  'net_cls',
  'net_prio',
  'perf_event',
  'hugetlb',
]

/** Reads /proc/self/mountinfo: pure, for tests. */
export function cgroupFacts(mountinfo: string, v2Controllers: (mount: string) => readonly string[]): CgroupFacts {
  const mounts: Record<string, string> = {}
  let unified: string | undefined
  for (const line of mountinfo.split('\n')) {
    const [before, after] = line.split(' - ')
    const [type, , options = ''] = after?.split(' ') ?? []
    const target = before?.split(' ')[4] ?? ''
    if (type === 'cgroup2') unified ??= target
    if (type !== 'cgroup') continue
    for (const option of options.split(',')) if (controllers.includes(option)) mounts[option] ??= target
  }
  if (mounts.memory !== undefined || unified === undefined) return { version: 1, mounts }
  for (const controller of v2Controllers(unified)) mounts[controller] = unified
  return { version: 2, mounts: { ...mounts, freezer: unified, unified } }
}

/** @throws Failure `unavailable` when there is no cgroup hierarchy at all. */
export async function readFacts(): Promise<HostFacts> {
  const [mountinfo, status, last, filesystems] = await Promise.all(
    ['self/mountinfo', 'self/status', 'sys/kernel/cap_last_cap', 'filesystems'].map(path =>
      readFile(`/proc/${path}`, 'utf8'),
    ),
  )
  const cgroup = cgroupFacts(mountinfo!, mount => readFileSync(`${mount}/cgroup.controllers`, 'utf8').trim().split(' '))
  if (Object.keys(cgroup.mounts).length === 0)
    throw new Failure('unavailable', 'Cannot find any cgroup hierarchy', { hint: 'Mount the cgroup file system' })
  const [major, minor] = release().split('.').map(Number) as [number, number]
  return {
    cgroup: { ...cgroup, disks: () => readDisks(cgroup.mounts['io']) },
    capabilities: BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status!)?.[1] ?? '0'}`),
    lastCapability: Number(last),
    layerByLayer: major > 6 || (major === 6 && minor >= 5),
    mqueue: /\bmqueue$/m.test(filesystems!),
    rootless: isRootless(),
    files: givenFiles(fileLimits()),
  }
}

/** Of uid_map: the first user namespace has every id, and gives none of them to others but by a map. */
export function hasAllIds(map: string): boolean {
  return /^\s*0\s+0\s+4294967295\s*$/.test(map)
}

/** Of gid_map, "0 1001 1\n1 100000 65536": the highest of those inside, which begin at 0 and leave none out. */
export function lastId(map: string): number {
  const ends = map
    .trim()
    .split('\n')
    .map(line => line.trim().split(/\s+/).map(Number))
  return Math.max(...ends.map(([first = 0, , size = 0]) => first + size - 1))
}

let ownLastGroup: number | undefined

/** The highest group of the user namespace that this process is in, which is mapped once and for all. */
export function lastGroup(): number {
  return (ownLastGroup ??= lastId(readFileSync('/proc/self/gid_map', 'utf8')))
}

/** Whether this process is in a user namespace, whose root has no right of the host. */
export function isRootless(): boolean {
  return !hasAllIds(readFileSync('/proc/self/uid_map', 'utf8'))
}

export interface HostDevice {
  readonly path: string
  readonly type: 'b' | 'c'
  readonly major: number
  readonly minor: number
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** Every device node below /dev but what a container has of its own: for privileged containers. */
export async function hostDevices(folder = '/dev'): Promise<readonly HostDevice[]> {
  const found: HostDevice[] = []
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory() && !['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev'].includes(entry.name))
      found.push(...(await hostDevices(path)))
    if (!entry.isCharacterDevice() && !entry.isBlockDevice()) continue
    if (entry.name === 'console') continue
    const { rdev, mode, uid, gid } = await stat(path)
    const major = ((rdev >> 8) & 0xfff) | 0
    const minor = (rdev & 0xff) | ((rdev >> 12) & 0xfff00)
    found.push({ path, type: entry.isBlockDevice() ? 'b' : 'c', major, minor, mode: mode & 0o777, uid, gid })
  }
  return found
}
