/** Request bodies of containers and execs, checked; only the server loads this, since zod takes its time to load. */
import { z } from 'zod'
import type {
  ContainerConfig,
  ContainerCreate,
  ContainerUpdate,
  EndpointSettings,
  HealthConfig,
  HostConfig,
  Mount,
  Resources,
} from './container-body.ts'
import type { ExecCreate, ExecStart } from './exec.ts'

/**
 * As Go reads JSON: null is "not given", unknown members are overlooked, types are strict.
 * What reaches the engine therefore holds no null but where null has a meaning of its own.
 */
export function maybe<T extends z.ZodType>(schema: T) {
  return z.nullish(schema).transform(value => value ?? undefined)
}

/** No NUL: it would end the text early in the kernel. */
const string = z.string().refine(text => !text.includes('\0'), { error: 'must not contain a NUL character' })
export const text = maybe(string)
export const flag = maybe(z.boolean())
const number = maybe(z.int())
const strings = maybe(z.array(string))
export const stringMap = maybe(z.record(string, string))
const keySet = maybe(
  z.record(
    string,
    z.unknown().transform(() => ({})),
  ),
)
/** Docker takes a command as one string as well. */
const command = maybe(z.union([z.array(string), string.transform(word => [word])]))
const size = maybe(z.array(z.int().min(0)).max(2))

const health = z.object({
  Test: strings,
  Interval: number,
  Timeout: number,
  StartPeriod: number,
  StartInterval: number,
  Retries: number,
}) satisfies z.ZodType<HealthConfig>

const config = {
  Hostname: text,
  Domainname: text,
  User: text,
  AttachStdin: flag,
  AttachStdout: flag,
  AttachStderr: flag,
  ExposedPorts: keySet,
  Tty: flag,
  OpenStdin: flag,
  StdinOnce: flag,
  Env: strings,
  Cmd: command,
  Healthcheck: maybe(health),
  Image: text,
  Volumes: keySet,
  WorkingDir: text,
  Entrypoint: command,
  NetworkDisabled: flag,
  MacAddress: text,
  OnBuild: strings,
  Labels: stringMap,
  StopSignal: text,
  StopTimeout: number,
  Shell: command,
}

/** The configuration alone, as `commit` takes it. */
export const containerConfig = z.object(config) satisfies z.ZodType<ContainerConfig>

const throttle = maybe(z.array(z.object({ Path: string, Rate: z.int().min(0) })))

const resources = {
  CpuShares: number,
  Memory: number,
  NanoCpus: number,
  CgroupParent: text,
  BlkioWeight: number,
  BlkioWeightDevice: maybe(z.array(z.object({ Path: string, Weight: z.int() }))),
  BlkioDeviceReadBps: throttle,
  BlkioDeviceWriteBps: throttle,
  BlkioDeviceReadIOps: throttle,
  BlkioDeviceWriteIOps: throttle,
  CpuPeriod: number,
  CpuQuota: number,
  CpuRealtimePeriod: number,
  CpuRealtimeRuntime: number,
  CpusetCpus: text,
  CpusetMems: text,
  Devices: maybe(z.array(z.object({ PathOnHost: text, PathInContainer: text, CgroupPermissions: text }))),
  DeviceCgroupRules: strings,
  DeviceRequests: maybe(
    z.array(
      z.object({
        Driver: text,
        Count: number,
        DeviceIDs: strings,
        Capabilities: maybe(z.array(z.array(string))),
        Options: stringMap,
      }),
    ),
  ),
  KernelMemory: number,
  KernelMemoryTCP: number,
  MemoryReservation: number,
  MemorySwap: number,
  MemorySwappiness: number,
  OomKillDisable: flag,
  PidsLimit: number,
  Ulimits: maybe(z.array(z.object({ Name: string, Soft: z.int(), Hard: z.int() }))),
  CpuCount: number,
  CpuPercent: number,
  IOMaximumIOps: number,
  IOMaximumBandwidth: number,
}
z.object(resources) satisfies z.ZodType<Resources>

const restartPolicy = z.object({
  Name: maybe(z.enum(['', 'no', 'always', 'unless-stopped', 'on-failure'])),
  MaximumRetryCount: number,
})

const mount = z.object({
  Type: z.enum(['bind', 'volume', 'tmpfs', 'npipe', 'cluster', 'image'], {
    error: issue => `mount type unknown: "${String(issue.input)}"`,
  }),
  Source: text,
  Target: string,
  ReadOnly: flag,
  Consistency: text,
  BindOptions: maybe(
    z.object({
      Propagation: maybe(z.enum(['', 'private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'])),
      NonRecursive: flag,
      CreateMountpoint: flag,
      ReadOnlyNonRecursive: flag,
      ReadOnlyForceRecursive: flag,
    }),
  ),
  VolumeOptions: maybe(
    z.object({
      NoCopy: flag,
      Labels: stringMap,
      Subpath: text,
      DriverConfig: maybe(z.object({ Name: text, Options: stringMap })),
    }),
  ),
  ImageOptions: maybe(z.object({ Subpath: text })),
  TmpfsOptions: maybe(z.object({ SizeBytes: number, Mode: number, Options: maybe(z.array(z.array(string))) })),
}) satisfies z.ZodType<Mount>

const hostConfig = z.object({
  ...resources,
  Binds: strings,
  ContainerIDFile: text,
  LogConfig: maybe(z.object({ Type: text, Config: stringMap })),
  NetworkMode: text,
  PortBindings: maybe(z.record(string, z.union([z.array(z.object({ HostIp: text, HostPort: text })), z.null()]))),
  RestartPolicy: maybe(restartPolicy),
  AutoRemove: flag,
  VolumeDriver: text,
  VolumesFrom: strings,
  Mounts: maybe(z.array(mount)),
  ConsoleSize: size,
  Annotations: stringMap,
  CapAdd: command,
  CapDrop: command,
  CgroupnsMode: maybe(z.enum(['', 'private', 'host'])),
  Dns: strings,
  DnsOptions: strings,
  DnsSearch: strings,
  ExtraHosts: strings,
  GroupAdd: strings,
  IpcMode: text,
  Cgroup: text,
  Links: strings,
  OomScoreAdj: number,
  PidMode: text,
  Privileged: flag,
  PublishAllPorts: flag,
  ReadonlyRootfs: flag,
  SecurityOpt: strings,
  StorageOpt: stringMap,
  Tmpfs: stringMap,
  UTSMode: text,
  UsernsMode: text,
  ShmSize: number,
  Sysctls: stringMap,
  Runtime: text,
  Isolation: text,
  MaskedPaths: strings,
  ReadonlyPaths: strings,
  Init: flag,
}) satisfies z.ZodType<HostConfig>

export const endpointSettings = z.object({
  IPAMConfig: maybe(z.object({ IPv4Address: text, IPv6Address: text, LinkLocalIPs: strings })),
  Links: strings,
  Aliases: strings,
  MacAddress: text,
  DriverOpts: stringMap,
  GwPriority: number,
  NetworkID: text,
  EndpointID: text,
  Gateway: text,
  IPAddress: text,
  IPPrefixLen: number,
  IPv6Gateway: text,
  GlobalIPv6Address: text,
  GlobalIPv6PrefixLen: number,
  DNSNames: strings,
}) satisfies z.ZodType<EndpointSettings>

export const containerCreate = z.object({
  ...config,
  HostConfig: maybe(hostConfig),
  NetworkingConfig: maybe(
    z.object({ EndpointsConfig: maybe(z.record(string, z.union([endpointSettings, z.null()]))) }),
  ),
}) satisfies z.ZodType<ContainerCreate>

export const containerUpdate = z.object({
  ...resources,
  RestartPolicy: maybe(restartPolicy),
}) satisfies z.ZodType<ContainerUpdate>

export const execCreate = z.object({
  AttachStdin: flag,
  AttachStdout: flag,
  AttachStderr: flag,
  Tty: flag,
  Detach: flag,
  DetachKeys: text,
  ConsoleSize: size,
  Cmd: command,
  Env: strings,
  User: text,
  WorkingDir: text,
  Privileged: flag,
}) satisfies z.ZodType<ExecCreate>

export const execStart = z.object({ Detach: flag, Tty: flag, ConsoleSize: size }) satisfies z.ZodType<ExecStart>
