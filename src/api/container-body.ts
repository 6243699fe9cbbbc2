/** What a container is made of: the body of POST /containers/create, whose parts inspect shows again. Docker's field names. */

type Labels = Readonly<Record<string, string>>
/** A set in JSON: the keys count. */
export type KeySet = Readonly<Record<string, Readonly<Record<string, never>>>>

/** The container's own configuration, which moves with its image. */
export interface ContainerConfig {
  readonly Hostname?: string
  readonly Domainname?: string
  readonly User?: string
  readonly AttachStdin?: boolean
  readonly AttachStdout?: boolean
  readonly AttachStderr?: boolean
  /** "80/tcp"; the protocol may be missing. */
  readonly ExposedPorts?: KeySet
  readonly Tty?: boolean
  readonly OpenStdin?: boolean
  readonly StdinOnce?: boolean
  /** An item without `=` removes the image's. */
  readonly Env?: readonly string[]
  readonly Cmd?: readonly string[]
  readonly Healthcheck?: HealthConfig
  readonly Image?: string
  /** Anonymous volumes by path. */
  readonly Volumes?: KeySet
  readonly WorkingDir?: string
  /** Undefined keeps the image's, [''] clears it. */
  readonly Entrypoint?: readonly string[]
  readonly NetworkDisabled?: boolean
  readonly MacAddress?: string
  readonly OnBuild?: readonly string[]
  readonly Labels?: Labels
  readonly StopSignal?: string
  /** Seconds. */
  readonly StopTimeout?: number
  readonly Shell?: readonly string[]
}

/** Durations in nanoseconds; zero and absent inherit. */
export interface HealthConfig {
  /** [] inherits, ['NONE'] disables, ['CMD', …], ['CMD-SHELL', text]. */
  readonly Test?: readonly string[]
  readonly Interval?: number
  readonly Timeout?: number
  readonly StartPeriod?: number
  readonly StartInterval?: number
  readonly Retries?: number
}

export interface PortBinding {
  readonly HostIp?: string
  /** "", "0": any free one. */
  readonly HostPort?: string
}
/** "80/tcp" → its places on the host; null for a port that is exposed only. */
export type PortBindings = Readonly<Record<string, readonly PortBinding[] | null>>

export interface RestartPolicy {
  readonly Name?: '' | 'no' | 'always' | 'unless-stopped' | 'on-failure'
  readonly MaximumRetryCount?: number
}

/** What `update` can change on a live container. Zero means: not set. */
export interface Resources {
  readonly CpuShares?: number
  readonly Memory?: number
  readonly NanoCpus?: number
  readonly CgroupParent?: string
  readonly BlkioWeight?: number
  readonly BlkioWeightDevice?: readonly { readonly Path: string; readonly Weight: number }[]
  readonly BlkioDeviceReadBps?: readonly ThrottleDevice[]
  readonly BlkioDeviceWriteBps?: readonly ThrottleDevice[]
  readonly BlkioDeviceReadIOps?: readonly ThrottleDevice[]
  readonly BlkioDeviceWriteIOps?: readonly ThrottleDevice[]
  readonly CpuPeriod?: number
  readonly CpuQuota?: number
  readonly CpuRealtimePeriod?: number
  readonly CpuRealtimeRuntime?: number
  readonly CpusetCpus?: string
  readonly CpusetMems?: string
  readonly Devices?: readonly DeviceMapping[]
  readonly DeviceCgroupRules?: readonly string[]
  readonly DeviceRequests?: readonly DeviceRequest[]
  readonly KernelMemory?: number
  readonly KernelMemoryTCP?: number
  readonly MemoryReservation?: number
  readonly MemorySwap?: number
  /** -1: not set. */
  readonly MemorySwappiness?: number
  readonly OomKillDisable?: boolean
  /** 0 and -1: none. */
  readonly PidsLimit?: number
  readonly Ulimits?: readonly Ulimit[]
  readonly CpuCount?: number
  readonly CpuPercent?: number
  readonly IOMaximumIOps?: number
  readonly IOMaximumBandwidth?: number
}

export interface ThrottleDevice {
  readonly Path: string
  readonly Rate: number
}
export interface DeviceMapping {
  readonly PathOnHost?: string
  readonly PathInContainer?: string
  readonly CgroupPermissions?: string
}
export interface DeviceRequest {
  readonly Driver?: string
  readonly Count?: number
  readonly DeviceIDs?: readonly string[]
  readonly Capabilities?: readonly (readonly string[])[]
  readonly Options?: Labels
}
export interface Ulimit {
  readonly Name: string
  readonly Soft: number
  readonly Hard: number
}

export interface LogConfig {
  readonly Type?: string
  readonly Config?: Labels
}

/** One of `Mounts`. */
export interface Mount {
  readonly Type: 'bind' | 'volume' | 'tmpfs' | 'npipe' | 'cluster' | 'image'
  readonly Source?: string
  readonly Target: string
  readonly ReadOnly?: boolean
  readonly Consistency?: string
  readonly BindOptions?: {
    readonly Propagation?: '' | 'private' | 'rprivate' | 'shared' | 'rshared' | 'slave' | 'rslave'
    readonly NonRecursive?: boolean
    readonly CreateMountpoint?: boolean
    readonly ReadOnlyNonRecursive?: boolean
    readonly ReadOnlyForceRecursive?: boolean
  }
  readonly VolumeOptions?: {
    readonly NoCopy?: boolean
    readonly Labels?: Labels
    readonly Subpath?: string
    readonly DriverConfig?: { readonly Name?: string; readonly Options?: Labels }
  }
  readonly ImageOptions?: { readonly Subpath?: string }
  readonly TmpfsOptions?: {
    readonly SizeBytes?: number
    readonly Mode?: number
    readonly Options?: readonly (readonly string[])[]
  }
}

/** What the host gives the container. */
export interface HostConfig extends Resources {
  /** "source:target[:options]". */
  readonly Binds?: readonly string[]
  readonly ContainerIDFile?: string
  readonly LogConfig?: LogConfig
  /** default, bridge, host, none, container:X, or a network's name or id. */
  readonly NetworkMode?: string
  readonly PortBindings?: PortBindings
  readonly RestartPolicy?: RestartPolicy
  readonly AutoRemove?: boolean
  readonly VolumeDriver?: string
  readonly VolumesFrom?: readonly string[]
  readonly Mounts?: readonly Mount[]
  /** Rows, columns. */
  readonly ConsoleSize?: readonly number[]
  readonly Annotations?: Labels
  readonly CapAdd?: readonly string[]
  readonly CapDrop?: readonly string[]
  readonly CgroupnsMode?: '' | 'private' | 'host'
  readonly Dns?: readonly string[]
  readonly DnsOptions?: readonly string[]
  readonly DnsSearch?: readonly string[]
  readonly ExtraHosts?: readonly string[]
  readonly GroupAdd?: readonly string[]
  readonly IpcMode?: string
  readonly Cgroup?: string
  readonly Links?: readonly string[]
  readonly OomScoreAdj?: number
  readonly PidMode?: string
  readonly Privileged?: boolean
  readonly PublishAllPorts?: boolean
  readonly ReadonlyRootfs?: boolean
  readonly SecurityOpt?: readonly string[]
  readonly StorageOpt?: Labels
  /** Path → mount options. */
  readonly Tmpfs?: Labels
  readonly UTSMode?: string
  readonly UsernsMode?: string
  readonly ShmSize?: number
  readonly Sysctls?: Labels
  readonly Runtime?: string
  readonly Isolation?: string
  /** Undefined: the defaults; []: none. */
  readonly MaskedPaths?: readonly string[]
  readonly ReadonlyPaths?: readonly string[]
  readonly Init?: boolean
}

/** A container's place in one network, as asked for and as it is. */
export interface EndpointSettings {
  readonly IPAMConfig?: {
    readonly IPv4Address?: string
    readonly IPv6Address?: string
    readonly LinkLocalIPs?: readonly string[]
  } | null
  readonly Links?: readonly string[] | null
  readonly Aliases?: readonly string[] | null
  readonly MacAddress?: string
  readonly DriverOpts?: Labels | null
  readonly GwPriority?: number
  readonly NetworkID?: string
  readonly EndpointID?: string
  readonly Gateway?: string
  readonly IPAddress?: string
  readonly IPPrefixLen?: number
  readonly IPv6Gateway?: string
  readonly GlobalIPv6Address?: string
  readonly GlobalIPv6PrefixLen?: number
  readonly DNSNames?: readonly string[] | null
}

export interface ContainerCreate extends ContainerConfig {
  readonly HostConfig?: HostConfig
  readonly NetworkingConfig?: { readonly EndpointsConfig?: Readonly<Record<string, EndpointSettings | null>> }
}

/** The body of POST /containers/{id}/update. */
export interface ContainerUpdate extends Resources {
  readonly RestartPolicy?: RestartPolicy
}
