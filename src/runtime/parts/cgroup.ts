/** Limits → cgroup files, on v1 (a hierarchy a controller) and v2 (one). The only place that knows these files. */
import { Failure } from '../../lib/failure.ts'
import type { CgroupFacts } from '../host.ts'
import type { CgroupSpec, DeviceRule } from '../spec.ts'
import { type Step, step } from '../steps.ts'

/** One value to write into one file of a controller's group. */
export interface CgroupWrite {
  readonly controller: string
  readonly file: string
  readonly value: string
  readonly cause: string
}

/** What DEFAULTS.md lists, less 10:200 (tun). */
const defaultDevices: readonly DeviceRule[] = [
  { allow: true, type: 'c', major: '*', minor: '*', access: 'm' },
  { allow: true, type: 'b', major: '*', minor: '*', access: 'm' },
  ...[
    [1, 3],
    [1, 5],
    [1, 7],
    [1, 8],
    [1, 9],
    [5, 0],
    [5, 1],
    [5, 2],
    [136, '*'],
  ].map(([major, minor]) => ({ allow: true, type: 'c', major, minor, access: 'rwm' }) as DeviceRule),
]

/** The folders of a group: one a mount, since controllers may share one. */
export function cgroupFolders(facts: CgroupFacts, path: string): readonly string[] {
  return [...new Set(Object.values(facts.mounts))].map(mount => `${mount}/${path}`)
}

/** The folder of one controller's group; undefined when the machine has no such controller. */
export function cgroupFolder(facts: CgroupFacts, controller: string, path: string): string | undefined {
  const mount = facts.mounts[controller]
  return mount === undefined ? undefined : `${mount}/${path}`
}

/** Where the kernel counts out-of-memory kills. */
export function oomFile(facts: CgroupFacts, path: string): string {
  const folder = cgroupFolder(facts, 'memory', path)
  return folder === undefined ? '' : `${folder}/${facts.version === 1 ? 'memory.oom_control' : 'memory.events'}`
}

function writesV1(limits: Partial<CgroupSpec>): readonly CgroupWrite[] {
  const writes: CgroupWrite[] = []
  const add = (controller: string, file: string, value: number | string | undefined, cause: string) => {
    if (value !== undefined) writes.push({ controller, file: `${controller}.${file}`, value: String(value), cause })
  }
  add('memory', 'limit_in_bytes', limits.memory, 'HostConfig.Memory')
  add('memory', 'memsw.limit_in_bytes', limits.memorySwap, 'HostConfig.MemorySwap')
  add('memory', 'soft_limit_in_bytes', limits.memoryReservation, 'HostConfig.MemoryReservation')
  add('memory', 'swappiness', limits.memorySwappiness, 'HostConfig.MemorySwappiness')
  if (limits.oomKillDisable) add('memory', 'oom_control', 1, 'HostConfig.OomKillDisable')
  add('cpu', 'shares', limits.cpuShares, 'HostConfig.CpuShares')
  add('cpu', 'cfs_period_us', limits.cpuPeriod, 'HostConfig.CpuPeriod')
  add('cpu', 'cfs_quota_us', limits.cpuQuota, 'HostConfig.CpuQuota')
  add('cpuset', 'cpus', limits.cpusetCpus, 'HostConfig.CpusetCpus')
  add('cpuset', 'mems', limits.cpusetMems, 'HostConfig.CpusetMems')
  add('pids', 'max', limits.pids, 'HostConfig.PidsLimit')
  add('blkio', 'weight', limits.blkioWeight, 'HostConfig.BlkioWeight')
  return writes
}

/** Docker's formula: shares 2–262144 → weight 1–10000. */
function weightOfShares(shares: number): number {
  return 1 + Math.floor(((shares - 2) * 9999) / 262142)
}

function writesV2(limits: Partial<CgroupSpec>): readonly CgroupWrite[] {
  const writes: CgroupWrite[] = []
  const add = (controller: string, file: string, value: number | string | undefined, cause: string) => {
    if (value !== undefined) writes.push({ controller, file, value: String(value), cause })
  }
  const { memory, memorySwap } = limits
  add('memory', 'memory.max', memory, 'HostConfig.Memory')
  if (memorySwap !== undefined)
    add('memory', 'memory.swap.max', memorySwap < 0 ? 'max' : memorySwap - (memory ?? 0), 'HostConfig.MemorySwap')
  add('memory', 'memory.low', limits.memoryReservation, 'HostConfig.MemoryReservation')
  if (limits.cpuShares !== undefined) add('cpu', 'cpu.weight', weightOfShares(limits.cpuShares), 'HostConfig.CpuShares')
  if (limits.cpuQuota !== undefined || limits.cpuPeriod !== undefined) {
    const quota = limits.cpuQuota === undefined || limits.cpuQuota < 0 ? 'max' : limits.cpuQuota
    add('cpu', 'cpu.max', `${quota} ${limits.cpuPeriod ?? 100_000}`, 'HostConfig.CpuQuota')
  }
  add('cpuset', 'cpuset.cpus', limits.cpusetCpus, 'HostConfig.CpusetCpus')
  add('cpuset', 'cpuset.mems', limits.cpusetMems, 'HostConfig.CpusetMems')
  if (limits.pids !== undefined) add('pids', 'pids.max', limits.pids < 0 ? 'max' : limits.pids, 'HostConfig.PidsLimit')
  add('io', 'io.bfq.weight', limits.blkioWeight, 'HostConfig.BlkioWeight')
  return writes
}

function deviceWrites(rules: readonly DeviceRule[]): readonly CgroupWrite[] {
  const write = (rule: DeviceRule, cause: string): CgroupWrite => ({
    controller: 'devices',
    file: `devices.${rule.allow ? 'allow' : 'deny'}`,
    value: `${rule.type} ${rule.major}:${rule.minor} ${rule.access}`,
    cause,
  })
  return [
    { controller: 'devices', file: 'devices.deny', value: 'a', cause: 'default' },
    ...defaultDevices.map(rule => write(rule, 'default')),
    ...rules.map(rule => write(rule, 'HostConfig.Devices')),
  ]
}

/**
 * The writes for limits that are present, in an order the kernel takes.
 * @throws Failure naming a limit whose controller the machine does not have.
 */
export function limitWrites(facts: CgroupFacts, limits: Partial<CgroupSpec>): readonly CgroupWrite[] {
  const writes = facts.version === 1 ? writesV1(limits) : writesV2(limits)
  const missing = writes.find(({ controller }) => facts.mounts[controller] === undefined)
  if (missing !== undefined)
    throw new Failure(
      'unsupported',
      `Cannot set ${missing.cause}: this machine has no ${missing.controller} cgroup controller`,
    )
  return writes
}

/** Host steps that make the group and set it; child steps that enter it. */
export function cgroupSteps(
  facts: CgroupFacts,
  spec: CgroupSpec,
  privileged: boolean,
): { readonly host: readonly Step[]; readonly child: readonly Step[] } {
  if (facts.version === 2)
    throw new Failure('unsupported', 'Cannot limit devices: this machine has cgroup v2 alone', {
      hint: 'Boot with systemd.unified_cgroup_hierarchy=0',
    })
  const folders = cgroupFolders(facts, spec.path)
  const writes = [...limitWrites(facts, spec), ...(privileged ? [] : deviceWrites(spec.devices))]
  return {
    host: [
      ...folders.map(path => step('mkdir', { path, mode: 0o755 }, 'default', step('rmdir', { path, patience: 100 }))),
      ...writes.map(({ controller, file, value, cause }) =>
        step('write', { path: `${cgroupFolder(facts, controller, spec.path)}/${file}`, value }, cause),
      ),
    ],
    child: enterSteps(facts, spec.path),
  }
}

/** A thread that moves itself by `tasks` is spared the kernel's lock over all processes. */
export function enterSteps(facts: CgroupFacts, path: string): readonly Step[] {
  const file = facts.version === 1 ? 'tasks' : 'cgroup.procs'
  return cgroupFolders(facts, path).map(folder => step('join-cgroup', { path: `${folder}/${file}` }))
}

export function removeSteps(facts: CgroupFacts, path: string, patience: number): Step[] {
  return cgroupFolders(facts, path).map(folder => step('rmdir', { path: folder, patience }))
}
