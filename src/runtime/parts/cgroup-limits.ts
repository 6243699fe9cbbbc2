/** The limits of a group, one row each: what it is called, and what is written where on cgroup v1 and v2. Nothing else knows these files. */
import { Failure } from '../../lib/failure.ts'
import type { Disk } from '../disks.ts'
import type { CgroupFacts } from '../host.ts'

/** One value to write into one file of a controller's group. */
export interface CgroupWrite {
  readonly controller: string
  readonly file: string
  readonly value: string
  readonly cause: string
}

/** A rate or a weight for one block device. */
export interface DeviceRate {
  readonly major: number
  readonly minor: number
  readonly value: number
}

/** Numbers by limit, to tell one file's value from another's. */
type Others = Readonly<Partial<Record<string, unknown>>>

interface Place<T> {
  readonly controller: string
  /** The first of these that the kernel has. */
  readonly files: readonly string[]
  readonly values: (value: T, others: Others) => readonly (string | number)[]
  /** Of weights: whether they share out a disk. Written for another one, the kernel refuses them (EOPNOTSUPP). */
  readonly shares?: (disk: Disk) => boolean
}

interface Row<T> {
  /** The API field behind it. */
  readonly cause: string
  /** Undefined where that version has nothing of the kind. */
  readonly v1: Place<T> | undefined
  readonly v2: Place<T> | undefined
  /** On v2, told the same in numbers of its own where the kernel has it: which of both shares out a disk is the disk's. */
  readonly beside?: Place<T>
}

/** The scheduler that knows weights. */
const weighing = 'bfq'
const byScheduler = ({ scheduler }: Disk) => scheduler === weighing
const byCosts = ({ costs }: Disk) => costs

function at<T extends string | number>(
  controller: string,
  file: string | readonly string[],
  values: Place<T>['values'] = value => [value],
): Place<T> {
  return { controller, files: typeof file === 'string' ? [file] : file, values }
}

function rates(
  controller: string,
  files: readonly string[],
  key = '',
): {
  readonly controller: string
  readonly files: readonly string[]
  readonly values: Place<readonly DeviceRate[]>['values']
} {
  return { controller, files, values: list => list.map(rate => `${rate.major}:${rate.minor} ${key}${rate.value}`) }
}

const orMax = (value: number) => [value < 0 ? 'max' : value]
/** As runc since 1.4: shares 2, 1024 and 262144 are weights 1, 100 and 10000, each side's least, default and most. */
function weightOfShares(shares: number): readonly number[] {
  if (shares <= 2) return [1]
  if (shares >= 262_144) return [10_000]
  const log = Math.log2(shares)
  return [Math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34))]
}
/** What stands in memory.swap.max is swap alone; without a limit of memory, the sum is none either. */
const swapOfSum = (sum: number, memory: number) => orMax(sum < 0 || memory < 0 ? -1 : Math.max(sum - memory, 0))
/** As runc: 10 and 1000 of the one are the least and the most of the other, 1 and 10000. */
const costWeight = (weight: number) => 1 + Math.floor(((weight - 10) * 9999) / 990)
const quotaAndPeriod = (quota: number, period: unknown) => [`${quota < 0 ? 'max' : quota} ${period ?? 100_000}`]

const number = (row: Row<number>) => row
const text = (row: Row<string>) => row
const devices = (row: Row<readonly DeviceRate[]>) => row

/** In an order that the kernel takes. Sizes are bytes, times microseconds; -1 is unlimited. */
const rows = {
  memory: number({
    cause: 'HostConfig.Memory',
    v1: at('memory', 'memory.limit_in_bytes'),
    v2: at('memory', 'memory.max', orMax),
  }),
  /** Memory and swap together. */
  memorySwap: number({
    cause: 'HostConfig.MemorySwap',
    v1: at('memory', 'memory.memsw.limit_in_bytes'),
    v2: at('memory', 'memory.swap.max', (sum, { memory }) => swapOfSum(sum, Number(memory ?? 0))),
  }),
  memoryReservation: number({
    cause: 'HostConfig.MemoryReservation',
    v1: at('memory', 'memory.soft_limit_in_bytes'),
    v2: at('memory', 'memory.low'),
  }),
  memorySwappiness: number({
    cause: 'HostConfig.MemorySwappiness',
    v1: at('memory', 'memory.swappiness'),
    v2: undefined,
  }),
  /** 1: the kernel kills nothing of this group, it waits. */
  oomKillDisable: number({
    cause: 'HostConfig.OomKillDisable',
    v1: at('memory', 'memory.oom_control'),
    v2: undefined,
  }),
  /** 2–262144. */
  cpuShares: number({
    cause: 'HostConfig.CpuShares',
    v1: at('cpu', 'cpu.shares'),
    v2: at('cpu', 'cpu.weight', weightOfShares),
  }),
  cpuPeriod: number({
    cause: 'HostConfig.CpuPeriod',
    v1: at('cpu', 'cpu.cfs_period_us'),
    v2: at('cpu', 'cpu.max', (period, { cpuQuota }) => (cpuQuota === undefined ? quotaAndPeriod(-1, period) : [])),
  }),
  /** Of each period. */
  cpuQuota: number({
    cause: 'HostConfig.CpuQuota',
    v1: at('cpu', 'cpu.cfs_quota_us'),
    v2: at('cpu', 'cpu.max', (quota, { cpuPeriod }) => quotaAndPeriod(quota, cpuPeriod)),
  }),
  /** Before the runtime, which is no more than it. */
  cpuRealtimePeriod: number({
    cause: 'HostConfig.CpuRealtimePeriod',
    v1: at('cpu', 'cpu.rt_period_us'),
    v2: undefined,
  }),
  /** Of each period; only what the groups above it have (realtime.ts). */
  cpuRealtimeRuntime: number({
    cause: 'HostConfig.CpuRealtimeRuntime',
    v1: at('cpu', 'cpu.rt_runtime_us'),
    v2: undefined,
  }),
  cpusetCpus: text({
    cause: 'HostConfig.CpusetCpus',
    v1: at('cpuset', 'cpuset.cpus'),
    v2: at('cpuset', 'cpuset.cpus'),
  }),
  cpusetMems: text({
    cause: 'HostConfig.CpusetMems',
    v1: at('cpuset', 'cpuset.mems'),
    v2: at('cpuset', 'cpuset.mems'),
  }),
  pids: number({ cause: 'HostConfig.PidsLimit', v1: at('pids', 'pids.max', orMax), v2: at('pids', 'pids.max', orMax) }),
  /** 10–1000. */
  blkioWeight: number({
    cause: 'HostConfig.BlkioWeight',
    v1: { ...at<number>('blkio', ['blkio.weight', 'blkio.bfq.weight']), shares: byScheduler },
    v2: { ...at<number>('io', 'io.bfq.weight'), shares: byScheduler },
    beside: { ...at<number>('io', 'io.weight', weight => [costWeight(weight)]), shares: byCosts },
  }),
  blkioWeightDevice: devices({
    cause: 'HostConfig.BlkioWeightDevice',
    v1: { ...rates('blkio', ['blkio.weight_device', 'blkio.bfq.weight_device']), shares: byScheduler },
    v2: { ...rates('io', ['io.bfq.weight']), shares: byScheduler },
    beside: {
      ...{ controller: 'io', files: ['io.weight'], shares: byCosts },
      values: list => list.map(({ major, minor, value }) => `${major}:${minor} ${costWeight(value)}`),
    },
  }),
  /** Bytes or operations in a second. */
  readBps: devices({
    cause: 'HostConfig.BlkioDeviceReadBps',
    v1: rates('blkio', ['blkio.throttle.read_bps_device']),
    v2: rates('io', ['io.max'], 'rbps='),
  }),
  writeBps: devices({
    cause: 'HostConfig.BlkioDeviceWriteBps',
    v1: rates('blkio', ['blkio.throttle.write_bps_device']),
    v2: rates('io', ['io.max'], 'wbps='),
  }),
  readIops: devices({
    cause: 'HostConfig.BlkioDeviceReadIOps',
    v1: rates('blkio', ['blkio.throttle.read_iops_device']),
    v2: rates('io', ['io.max'], 'riops='),
  }),
  writeIops: devices({
    cause: 'HostConfig.BlkioDeviceWriteIOps',
    v1: rates('blkio', ['blkio.throttle.write_iops_device']),
    v2: rates('io', ['io.max'], 'wiops='),
  }),
} as const

export type LimitName = keyof typeof rows
export const limitNames = Object.keys(rows) as readonly LimitName[]
/** Those that the limits of v2 are of. */
export const limitControllers: readonly string[] = [
  ...new Set(limitNames.flatMap(name => (rows[name] as Row<never>).v2?.controller ?? [])),
]
type Value<R> = R extends Row<infer T> ? T : never
/** What is set; absent means no limit. */
export type Limits = { readonly [K in LimitName]?: Value<(typeof rows)[K]> | undefined }

/** Where it is written to, on this version of cgroups. */
function placesOf({ version }: CgroupFacts, name: LimitName): readonly Place<never>[] {
  const { v1, v2, beside } = rows[name] as Row<never>
  return (version === 1 ? [v1] : [v2, beside]).filter(place => place !== undefined)
}

function fileOf(facts: CgroupFacts, { files }: Place<never>): string | undefined {
  return facts.files === undefined ? files[0] : files.find(file => facts.files!.has(file))
}

/** Files of the kernels before 5.0, whose scheduler knew weights as well. */
const ofAnyDisk = ['blkio.weight', 'blkio.weight_device']

/** Why this machine cannot set a limit, in words; undefined when it can. */
export function lacking(facts: CgroupFacts, name: LimitName): string | undefined {
  const places = placesOf(facts, name)
  const [place] = places
  if (facts.none !== undefined) return facts.none
  if (place === undefined) return `cgroup v${facts.version} has nothing of the kind`
  if (facts.mounts[place.controller] === undefined) return `this machine has no ${place.controller} cgroup controller`
  const file = places.map(each => fileOf(facts, each)).find(found => found !== undefined)
  // the files are there whatever shares out the disks
  if (place.shares !== undefined && facts.disks !== undefined && !ofAnyDisk.includes(file ?? '')) {
    const disks = facts.disks().filter(({ name }) => !name.startsWith('loop'))
    if (!disks.some(disk => places.some(({ shares }) => shares!(disk)))) return `no disk ${needed(facts, disks)}`
  }
  return file === undefined ? `this kernel has no ${place.files[0]}` : undefined
}

function needed({ version }: CgroupFacts, disks: readonly Disk[]): string {
  const list = disks.flatMap(({ name, scheduler }) => (scheduler === undefined ? [] : `${name} has ${scheduler}`))
  const found = list.length > 0 ? ` (${list.join(', ')})` : ''
  return `has the scheduler ${weighing}${found}${version === 2 ? ', or a model of its costs in io.cost.qos' : ''}`
}

/**
 * The writes for limits that are present, in an order the kernel takes.
 * @throws Failure naming a limit that the machine does not have, or a disk that is not shared out by weights.
 */
export function limitWrites(facts: CgroupFacts, limits: Limits): readonly CgroupWrite[] {
  return limitNames.flatMap(name => {
    const value = limits[name]
    if (value === undefined) return []
    const { cause } = rows[name]
    const found = placesOf(facts, name).flatMap(place => {
      const file = facts.mounts[place.controller] === undefined ? undefined : fileOf(facts, place)
      return file === undefined ? [] : [{ ...place, file }]
    })
    if (found.length === 0) {
      const why = lacking(facts, name) ?? 'this machine has no such limit'
      throw new Failure('unsupported', `Cannot set ${cause}: ${why}`)
    }
    return found.flatMap(place =>
      place
        .values(sharedOut(facts, { place, places: found, cause }, value) as never, limits)
        .map(written => ({ controller: place.controller, file: place.file, value: String(written), cause })),
    )
  })
}

type Found = Place<never> & { readonly file: string }

/** Of weights for disks, those of disks that this place shares out; all of what else there is. @throws where no place does. */
function sharedOut(
  facts: CgroupFacts,
  { place, places, cause }: { readonly place: Found; readonly places: readonly Found[]; readonly cause: string },
  value: unknown,
): unknown {
  const { disks } = facts
  if (!Array.isArray(value) || place.shares === undefined || disks === undefined || ofAnyDisk.includes(place.file))
    return value
  const all = disks()
  return (value as readonly DeviceRate[]).filter(({ major, minor }) => {
    const disk = all.find(({ numbers }) => numbers === `${major}:${minor}`)
    // a part of a disk, or none: the kernel says so
    if (disk === undefined) return true
    if (!places.some(({ shares }) => shares!(disk)))
      throw new Failure('unsupported', `Cannot set ${cause}: ${disk.name} is not a disk that ${needed(facts, [disk])}`)
    return place.shares!(disk)
  })
}
