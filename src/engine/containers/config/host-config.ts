/** The HostConfig of a create's body → the same with every default filled in, or a refusal: nothing is silently ignored. */
import type { HostConfig as HostConfigBody } from '../../../api/container-body.ts'
import { Failure } from '../../../lib/failure.ts'
import { checkCapabilities } from './capabilities.ts'
import type { HostConfig, MountRequest, PortBinding } from './config.ts'
import { normalPort } from './merge-config.ts'
import { restartPolicies } from './restart-policy.ts'
import { checkSecurityOptions } from './security-options.ts'

export const defaultMaskedPaths = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
]
export const defaultReadonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

const megabyte = 1024 ** 2
const leastMemory = 6 * megabyte
const defaultShm = 64 * megabyte

const invalid = (message: string): Failure => new Failure('invalid', message)

/** A body by member name, since most rules here are about many members alike. */
type HostConfigRequest = Readonly<Record<string, unknown>>

/** Members that would change what runs and that this engine does not honour; each with what counts as not set. */
const unsupported: Readonly<Record<string, readonly unknown[]>> = {
  CpuRealtimePeriod: [0],
  CpuRealtimeRuntime: [0],
  CpuCount: [0],
  CpuPercent: [0],
  IOMaximumIOps: [0],
  IOMaximumBandwidth: [0],
  KernelMemory: [0],
  KernelMemoryTCP: [0],
  Isolation: ['', 'default'],
  UsernsMode: ['', 'host'],
  CgroupParent: [''],
  Cgroup: [''],
  ContainerIDFile: [''],
  VolumeDriver: ['', 'local'],
  Runtime: ['', 'tscompose', 'runc', 'io.containerd.runc.v2'],
}
const unsupportedLists = [
  'BlkioWeightDevice',
  'BlkioDeviceReadBps',
  'BlkioDeviceWriteBps',
  'BlkioDeviceReadIOps',
  'BlkioDeviceWriteIOps',
  'DeviceRequests',
  'Links',
  'StorageOpt',
] as const

/** @throws Failure `invalid` with Docker's texts, or `unsupported` naming the member. */
export function fillHostConfig(
  asked: HostConfigBody,
  options: { readonly cpus: number },
): { hostConfig: HostConfig; warnings: string[] } {
  const body = asked as HostConfigRequest
  const warnings: string[] = []
  for (const [name, unset] of Object.entries(unsupported)) {
    const value = body[name]
    // a file of the client's own
    if (name === 'ContainerIDFile' || value === undefined || value === null || unset.includes(value)) continue
    throw new Failure(
      'unsupported',
      `Cannot honour HostConfig.${name} ${JSON.stringify(value)}: not supported by this engine`,
    )
  }
  for (const name of unsupportedLists) {
    const value = body[name]
    if (value && Object.keys(value).length > 0)
      throw new Failure('unsupported', `Cannot honour HostConfig.${name}: not supported by this engine`)
  }

  const text = (name: string) => (body[name] as string | null | undefined) ?? ''
  const number = (name: string) => (body[name] as number | null | undefined) ?? 0
  const flag = (name: string) => (body[name] as boolean | null | undefined) ?? false
  const list = (name: string) => (body[name] as readonly string[] | null | undefined) ?? []
  const listOrNull = (name: string) => (list(name).length > 0 ? [...list(name)] : null)
  const map = (name: string) => body[name] as Record<string, string> | null | undefined

  const memory = memoryLimits(number)
  const swappiness = body['MemorySwappiness'] as number | null | undefined
  if (typeof swappiness === 'number' && (swappiness < -1 || swappiness > 100))
    throw invalid(`Invalid value: ${swappiness}, valid memory swappiness range is 0-100`)
  const nano = number('NanoCpus')
  if (nano !== 0) {
    if (number('CpuPeriod') > 0) throw invalid('Conflicting options: Nano CPUs and CPU Period cannot both be set')
    if (number('CpuQuota') > 0) throw invalid('Conflicting options: Nano CPUs and CPU Quota cannot both be set')
    if (nano < 0 || nano > options.cpus * 1e9)
      throw invalid(
        `range of CPUs is from 0.01 to ${options.cpus.toFixed(2)}, as there are only ${options.cpus} CPUs available`,
      )
  }
  const period = number('CpuPeriod')
  if (period !== 0 && (period < 1000 || period > 1_000_000))
    throw invalid('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)')
  const quota = number('CpuQuota')
  if (quota > 0 && quota < 1000) throw invalid('CPU cfs quota can not be less than 1ms (i.e. 1000)')
  if (number('CpuShares') < 0)
    throw invalid(`invalid CPU shares (${number('CpuShares')}): value must be a positive integer`)
  const weight = number('BlkioWeight')
  if (weight !== 0 && (weight < 10 || weight > 1000)) throw invalid('Range of blkio weight is from 10 to 1000')
  const oom = number('OomScoreAdj')
  if (oom < -1000 || oom > 1000) throw invalid(`Invalid value ${oom}, range for oom score adj is [-1000, 1000]`)
  if (number('ShmSize') < 0) throw invalid('SHM size can not be less than 0')
  const pids = body['PidsLimit'] as number | null | undefined
  const restart = restartPolicy(body, flag('AutoRemove'))
  const privileged = flag('Privileged')
  const security = checkSecurityOptions(list('SecurityOpt'))
  checkModes(text)
  for (const name of Object.keys(map('Sysctls') ?? {}))
    if (!/^[a-zA-Z0-9_./-]+$/.test(name) || name.split(/[./]/).includes('..')) throw invalid(`invalid sysctl "${name}"`)
  const annotations = map('Annotations')

  const hostConfig: HostConfig = {
    Binds: listOrNull('Binds'),
    ContainerIDFile: text('ContainerIDFile'),
    LogConfig: logConfig(body),
    NetworkMode: networkMode(text('NetworkMode')),
    PortBindings: portBindings(body),
    RestartPolicy: restart,
    AutoRemove: flag('AutoRemove'),
    VolumeDriver: text('VolumeDriver'),
    VolumesFrom: listOrNull('VolumesFrom'),
    ConsoleSize: consoleSize(body),
    ...(annotations && Object.keys(annotations).length > 0 && { Annotations: annotations }),
    CapAdd: orNull(checkCapabilities('CapAdd', list('CapAdd'))),
    CapDrop: orNull(checkCapabilities('CapDrop', list('CapDrop'))),
    CgroupnsMode: text('CgroupnsMode') || 'private',
    Dns: [...list('Dns')],
    DnsOptions: [...list('DnsOptions')],
    DnsSearch: [...list('DnsSearch')],
    ExtraHosts: listOrNull('ExtraHosts'),
    GroupAdd: listOrNull('GroupAdd'),
    IpcMode: text('IpcMode') || 'private',
    Cgroup: '',
    Links: null,
    OomScoreAdj: oom,
    PidMode: text('PidMode'),
    Privileged: privileged,
    PublishAllPorts: flag('PublishAllPorts'),
    ReadonlyRootfs: flag('ReadonlyRootfs'),
    SecurityOpt: listOrNull('SecurityOpt'),
    ...(map('Tmpfs') && Object.keys(map('Tmpfs')!).length > 0 && { Tmpfs: map('Tmpfs')! }),
    UTSMode: text('UTSMode'),
    UsernsMode: text('UsernsMode'),
    ShmSize: number('ShmSize') || defaultShm,
    ...(map('Sysctls') && Object.keys(map('Sysctls')!).length > 0 && { Sysctls: map('Sysctls')! }),
    Runtime: text('Runtime') || 'tscompose',
    Isolation: '',
    CpuShares: number('CpuShares'),
    Memory: memory.memory,
    NanoCpus: nano,
    CgroupParent: '',
    BlkioWeight: weight,
    BlkioWeightDevice: [],
    BlkioDeviceReadBps: [],
    BlkioDeviceWriteBps: [],
    BlkioDeviceReadIOps: [],
    BlkioDeviceWriteIOps: [],
    CpuPeriod: period,
    CpuQuota: quota,
    CpuRealtimePeriod: 0,
    CpuRealtimeRuntime: 0,
    CpusetCpus: cpuset(text('CpusetCpus'), 'CpusetCpus'),
    CpusetMems: cpuset(text('CpusetMems'), 'CpusetMems'),
    Devices: devices(body),
    DeviceCgroupRules: deviceRules(list('DeviceCgroupRules')),
    DeviceRequests: null,
    MemoryReservation: memory.reservation,
    MemorySwap: memory.swap,
    MemorySwappiness: typeof swappiness === 'number' && swappiness >= 0 ? swappiness : null,
    OomKillDisable: flag('OomKillDisable'),
    PidsLimit: typeof pids === 'number' && pids > 0 ? pids : null,
    Ulimits: ulimits(body),
    CpuCount: 0,
    CpuPercent: 0,
    IOMaximumIOps: 0,
    IOMaximumBandwidth: 0,
    ...((body['Mounts'] as MountRequest[] | null)?.length && { Mounts: body['Mounts'] as MountRequest[] }),
    MaskedPaths: maskedOr(body['MaskedPaths'], privileged || security.unmasked, defaultMaskedPaths),
    ReadonlyPaths: maskedOr(body['ReadonlyPaths'], privileged || security.unmasked, defaultReadonlyPaths),
    ...(typeof body['Init'] === 'boolean' && { Init: body['Init'] }),
  }
  if (hostConfig.OomKillDisable && hostConfig.Memory === 0)
    warnings.push(
      'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
    )
  return { hostConfig, warnings }
}

/** The limits among each other, as create and update check them. */
export function memoryLimits(number: (name: string) => number): { memory: number; swap: number; reservation: number } {
  const memory = number('Memory')
  let swap = number('MemorySwap')
  const reservation = number('MemoryReservation')
  if (memory !== 0 && memory < leastMemory) throw invalid('Minimum memory limit allowed is 6MB')
  if (swap > 0 && memory === 0)
    throw invalid('You should always set the Memory limit when using Memoryswap limit, see usage')
  if (swap > 0 && swap < memory) throw invalid('Minimum memoryswap limit should be larger than memory limit, see usage')
  if (reservation !== 0 && reservation < leastMemory) throw invalid('Minimum memory reservation allowed is 6MB')
  if (memory > 0 && reservation > memory)
    throw invalid('Minimum memory limit can not be less than memory reservation limit, see usage')
  if (memory > 0 && swap === 0) swap = memory * 2
  return { memory, swap, reservation }
}

function restartPolicy(body: HostConfigRequest, autoRemove: boolean): HostConfig['RestartPolicy'] {
  const asked = body['RestartPolicy'] as { Name?: string | null; MaximumRetryCount?: number | null } | null | undefined
  const Name = asked?.Name || 'no'
  const MaximumRetryCount = asked?.MaximumRetryCount ?? 0
  if (!(restartPolicies as readonly string[]).includes(Name))
    throw invalid(
      `invalid restart policy: unknown policy '${Name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    )
  if (MaximumRetryCount !== 0 && Name !== 'on-failure')
    throw invalid("invalid restart policy: maximum retry count can only be used with 'on-failure'")
  if (MaximumRetryCount < 0) throw invalid('invalid restart policy: maximum retry count cannot be negative')
  if (autoRemove && Name !== 'no') throw invalid("can't create 'AutoRemove' container with restart policy")
  return { Name, MaximumRetryCount }
}

function networkMode(mode: string): string {
  return mode === '' || mode === 'default' ? 'bridge' : mode
}

const joinable = /^container:./

function checkModes(text: (name: string) => string): void {
  const allowed: Readonly<Record<string, (mode: string) => boolean>> = {
    PidMode: mode => mode === '' || mode === 'private' || mode === 'host' || joinable.test(mode),
    IpcMode: mode => ['', 'private', 'shareable', 'host', 'none'].includes(mode) || joinable.test(mode),
    UTSMode: mode => mode === '' || mode === 'host',
    CgroupnsMode: mode => ['', 'private', 'host'].includes(mode),
  }
  for (const [name, check] of Object.entries(allowed))
    if (!check(text(name))) throw invalid(`invalid ${name}: ${text(name)}`)
}

function logConfig(body: HostConfigRequest): HostConfig['LogConfig'] {
  const asked = body['LogConfig'] as { Type?: string | null; Config?: Record<string, string> | null } | null | undefined
  const Type = asked?.Type || 'json-file'
  const Config = asked?.Config ?? {}
  if (Type === 'none') return { Type, Config: {} }
  if (Type !== 'json-file')
    throw new Failure('unsupported', `Cannot log with driver "${Type}": this engine has json-file and none`)
  for (const [name, value] of Object.entries(Config)) {
    if (name === 'max-size' && /^(-1|\d+[bkmg]?)$/i.test(value)) continue
    if (name === 'max-file' && /^[1-9]\d*$/.test(value)) continue
    if (name === 'max-size' || name === 'max-file') throw invalid(`invalid value for ${name}: ${value}`)
    throw invalid(`unknown log opt '${name}' for json-file log driver`)
  }
  if (Config['max-file'] && Number(Config['max-file']) > 1 && !Config['max-size'])
    throw invalid('max-file is set without max-size: logs would never be rotated')
  return { Type, Config }
}

function portBindings(body: HostConfigRequest): Record<string, PortBinding[]> {
  const asked = (body['PortBindings'] ?? {}) as Record<string, ReadonlyArray<Partial<PortBinding> | null> | null>
  const bindings: Record<string, PortBinding[]> = {}
  for (const [port, list] of Object.entries(asked)) {
    bindings[normalPort(port)] = (list?.length ? list : [{}]).map(binding => {
      const HostPort = binding?.HostPort ?? ''
      const range = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(HostPort)
      if (HostPort !== '' && (!range || Number(range[1]) > 65_535 || Number(range[2] ?? 0) > 65_535))
        throw invalid(`invalid port specification: "${HostPort}"`)
      return { HostIp: binding?.HostIp ?? '', HostPort }
    })
  }
  return bindings
}

function consoleSize(body: HostConfigRequest): [number, number] {
  const size = body['ConsoleSize'] as readonly number[] | null | undefined
  return [size?.[0] ?? 0, size?.[1] ?? 0]
}

function devices(body: HostConfigRequest): HostConfig['Devices'] {
  const asked = (body['Devices'] ?? []) as ReadonlyArray<Partial<HostConfig['Devices'][number]>>
  return asked.map(device => {
    const PathOnHost = device.PathOnHost ?? ''
    const PathInContainer = device.PathInContainer || PathOnHost
    const CgroupPermissions = device.CgroupPermissions || 'rwm'
    if (!PathOnHost.startsWith('/')) throw invalid(`invalid device: "${PathOnHost}" is not an absolute path`)
    if (!PathInContainer.startsWith('/') || PathInContainer.split('/').includes('..'))
      throw invalid(`invalid device: "${PathInContainer}" is not an absolute path`)
    if (!/^[rwm]{1,3}$/.test(CgroupPermissions)) throw invalid(`invalid device mode: ${CgroupPermissions}`)
    return { PathOnHost, PathInContainer, CgroupPermissions }
  })
}

export const deviceRule = /^([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})$/

function deviceRules(rules: readonly string[]): string[] | null {
  for (const rule of rules) if (!deviceRule.test(rule)) throw invalid(`invalid device cgroup rule format: '${rule}'`)
  return orNull([...rules])
}

const rlimitNames =
  'as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' ')

function ulimits(body: HostConfigRequest): HostConfig['Ulimits'] {
  const asked = (body['Ulimits'] ?? []) as ReadonlyArray<HostConfig['Ulimits'][number]>
  return asked.map(({ Name, Hard, Soft }) => {
    if (!rlimitNames.includes(Name)) throw invalid(`invalid ulimit type: ${Name}`)
    if (Hard !== -1 && (Soft > Hard || Soft === -1))
      throw invalid(`ulimit soft limit must be less than or equal to hard limit: ${Soft} > ${Hard}`)
    return { Name, Hard, Soft }
  })
}

function cpuset(text: string, field: string): string {
  if (text !== '' && !/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(text)) throw invalid(`Invalid value ${text} for ${field}`)
  return text
}

function maskedOr(asked: unknown, none: boolean, otherwise: readonly string[]): string[] {
  if (Array.isArray(asked)) {
    for (const path of asked as readonly unknown[])
      if (typeof path !== 'string' || !path.startsWith('/') || path.split('/').includes('..'))
        throw invalid(`invalid masked or read-only path: ${JSON.stringify(path)}`)
    return asked as string[]
  }
  return none ? [] : [...otherwise]
}

function orNull<T>(list: T[]): T[] | null {
  return list.length > 0 ? list : null
}
