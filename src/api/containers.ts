/** Endpoints of containers, and what they answer. */
import type {
  ContainerConfig,
  ContainerCreate,
  ContainerUpdate,
  EndpointSettings,
  HostConfig,
  PortBinding,
} from './container-body.ts'
import {
  archive,
  bytes,
  empty,
  endpoint,
  hijack,
  json,
  lines,
  optionalJson,
  output,
  stat,
  table,
  websocket,
} from './endpoint.ts'

/** Docker sends null for what is empty. */
type Nullable<T> = { readonly [K in keyof T]: T[K] | null }

export interface ContainerCreated {
  readonly Id: string
  readonly Warnings: readonly string[] | null
}

export interface ContainerState {
  readonly Status: 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead'
  readonly Running: boolean
  readonly Paused: boolean
  readonly Restarting: boolean
  readonly OOMKilled: boolean
  readonly Dead: boolean
  readonly Pid: number
  readonly ExitCode: number
  readonly Error: string
  /** RFC 3339; "0001-01-01T00:00:00Z" for never. */
  readonly StartedAt: string
  readonly FinishedAt: string
  readonly Health?: Health
}

export interface Health {
  readonly Status: 'none' | 'starting' | 'healthy' | 'unhealthy'
  readonly FailingStreak: number
  readonly Log: readonly HealthResult[] | null
}
export interface HealthResult {
  readonly Start: string
  readonly End: string
  readonly ExitCode: number
  readonly Output: string
}

export interface MountPoint {
  readonly Type: string
  readonly Name?: string
  readonly Source: string
  readonly Destination: string
  readonly Driver?: string
  readonly Mode: string
  readonly RW: boolean
  readonly Propagation: string
}

export interface NetworkSettings {
  readonly Bridge?: string
  readonly SandboxID?: string
  readonly SandboxKey?: string
  /** "80/tcp" → where it is published; null: exposed only. */
  readonly Ports?: Readonly<Record<string, readonly PortBinding[] | null>> | null
  readonly HairpinMode?: boolean
  readonly LinkLocalIPv6Address?: string
  readonly LinkLocalIPv6PrefixLen?: number
  readonly SecondaryIPAddresses?: null
  readonly SecondaryIPv6Addresses?: null
  readonly EndpointID?: string
  readonly Gateway?: string
  readonly GlobalIPv6Address?: string
  readonly GlobalIPv6PrefixLen?: number
  readonly IPAddress?: string
  readonly IPPrefixLen?: number
  readonly IPv6Gateway?: string
  readonly MacAddress?: string
  readonly Networks?: Readonly<Record<string, EndpointSettings>> | null
}

export interface ContainerInspect {
  readonly Id: string
  readonly Created: string
  readonly Path: string
  readonly Args: readonly string[]
  readonly State: ContainerState
  /** Its id. */
  readonly Image: string
  readonly ResolvConfPath: string
  readonly HostnamePath: string
  readonly HostsPath: string
  readonly LogPath: string
  /** With a leading slash. */
  readonly Name: string
  readonly RestartCount: number
  readonly Driver: string
  readonly Platform: string
  readonly MountLabel: string
  readonly ProcessLabel: string
  readonly AppArmorProfile: string
  readonly ExecIDs: readonly string[] | null
  readonly HostConfig: Nullable<HostConfig>
  readonly GraphDriver: { readonly Name: string; readonly Data: Readonly<Record<string, string>> | null }
  /** With ?size=1 only. */
  readonly SizeRw?: number
  readonly SizeRootFs?: number
  readonly Mounts: readonly MountPoint[]
  readonly Config: Nullable<ContainerConfig>
  readonly NetworkSettings: NetworkSettings
}

export interface Port {
  readonly IP?: string
  readonly PrivatePort: number
  readonly PublicPort?: number
  readonly Type: string
}

/** One of GET /containers/json, newest first. */
export interface ContainerSummary {
  readonly Id: string
  readonly Names: readonly string[]
  readonly Image: string
  readonly ImageID: string
  readonly Command: string
  /** Seconds. */
  readonly Created: number
  readonly Ports: readonly Port[] | null
  readonly SizeRw?: number
  readonly SizeRootFs?: number
  readonly Labels: Readonly<Record<string, string>> | null
  readonly State: ContainerState['Status']
  /** "Up 4 seconds (healthy)". */
  readonly Status: string
  /** With ?live=1, which is ours, all of it that can change while the container is there, what it shares with others, and networks as inspect shows them. */
  readonly HostConfig: { readonly NetworkMode?: string; readonly Annotations?: Readonly<Record<string, string>> } & {
    readonly [K in keyof ContainerUpdate]?: ContainerUpdate[K] | null
  } & { readonly Links?: readonly string[] | null; readonly IpcMode?: string; readonly PidMode?: string }
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, EndpointSettings>> | null } | null
  readonly Mounts: readonly MountPoint[] | null
}

export interface ContainerWaited {
  readonly StatusCode: number
  readonly Error?: { readonly Message: string } | null
}

export interface ContainerTop {
  readonly Titles: readonly string[]
  readonly Processes: readonly (readonly string[])[]
}

/** 0 modified, 1 added, 2 deleted. */
export interface FileChange {
  readonly Path: string
  readonly Kind: 0 | 1 | 2
}

export interface CpuUsage {
  readonly cpu_usage: {
    readonly total_usage: number
    readonly percpu_usage?: readonly number[] | null
    readonly usage_in_kernelmode: number
    readonly usage_in_usermode: number
  }
  readonly system_cpu_usage?: number
  readonly online_cpus?: number
  readonly throttling_data: {
    readonly periods: number
    readonly throttled_periods: number
    readonly throttled_time: number
  }
}

interface PressureShares {
  readonly avg10: number
  readonly avg60: number
  readonly avg300: number
  readonly total: number
}

interface PressureStats {
  readonly some: PressureShares
  readonly full?: PressureShares | undefined
}

/** All zero for a container that is not running. */
export interface ContainerStats {
  readonly name: string
  readonly id: string
  readonly read: string
  readonly preread: string
  readonly pids_stats: { readonly current?: number; readonly limit?: number }
  readonly blkio_stats: Readonly<
    Record<
      string,
      readonly { readonly major: number; readonly minor: number; readonly op: string; readonly value: number }[] | null
    >
  >
  readonly num_procs: number
  readonly storage_stats: Readonly<Record<string, never>>
  readonly cpu_stats: CpuUsage
  readonly precpu_stats: CpuUsage
  readonly memory_stats: {
    readonly usage?: number
    readonly max_usage?: number
    readonly limit?: number
    readonly stats?: Readonly<Record<string, number>>
  }
  /** Ours, on cgroup v2: how long its tasks waited (Documentation/accounting/psi.rst), shares in percent, totals in microseconds. */
  readonly pressure?: Readonly<Partial<Record<'cpu' | 'memory' | 'io', PressureStats>>>
  readonly networks?: Readonly<
    Record<
      string,
      {
        readonly rx_bytes: number
        readonly rx_packets: number
        readonly rx_errors: number
        readonly rx_dropped: number
        readonly tx_bytes: number
        readonly tx_packets: number
        readonly tx_errors: number
        readonly tx_dropped: number
      }
    >
  >
}

export interface ContainersPruned {
  readonly ContainersDeleted: readonly string[] | null
  readonly SpaceReclaimed: number
}

/** Ours: the program that made a container, step by step. */
export interface ContainerProgram {
  readonly Lines: readonly {
    /** host or child. */
    readonly Phase: string
    readonly Text: string
    /** The API field behind the step, "HostConfig.Memory", or the name of a default. */
    readonly Cause: string
    /** The step, and its arguments by name: numbers that have names by those. Engines before this one do not tell. */
    readonly Name?: string
    readonly Arguments?: Readonly<Record<string, string | number | readonly string[]>>
  }[]
}

const attachQuery = {
  stream: 'boolean',
  logs: 'boolean',
  stdin: 'boolean',
  stdout: 'boolean',
  stderr: 'boolean',
  detachKeys: 'string',
} as const

export const containerEndpoints = table({
  containerList: endpoint('GET', '/containers/json', {
    // live is ours: with the limits, the restart policy and all of the endpoints, for which a client would inspect each
    query: { all: 'boolean', limit: 'integer', size: 'boolean', filters: 'filters', live: 'boolean' },
    reply: json<readonly ContainerSummary[]>(),
  }),
  containerCreate: endpoint('POST', '/containers/create', {
    // strict is ours: what the machine lacks is an error, where Docker warns and leaves it out
    query: { name: 'string', platform: 'string', strict: 'boolean' },
    body: json<ContainerCreate>(({ containerCreate }) => containerCreate),
    reply: json<ContainerCreated>(),
    status: 201,
  }),
  containerPrune: endpoint('POST', '/containers/prune', {
    query: { filters: 'filters' },
    reply: json<ContainersPruned>(),
  }),
  containerInspect: endpoint('GET', '/containers/{id*}/json', {
    query: { size: 'boolean' },
    reply: json<ContainerInspect>(),
  }),
  containerProgram: endpoint('GET', '/containers/{id*}/program', { reply: json<ContainerProgram>() }),
  // successorOf is ours: a running container whose ports and names it does without until that one hands over
  containerStart: endpoint('POST', '/containers/{id*}/start', {
    query: { detachKeys: 'string', successorOf: 'string' },
  }),
  // ours: while both run, the ports and names of one are the other's from one packet to the next
  containerHandOver: endpoint('POST', '/containers/{id*}/hand-over', { query: { to: 'string' } }),
  // ours: until no connection to its ports is left, `t` seconds at most
  containerDrain: endpoint('POST', '/containers/{id*}/drain', {
    query: { t: 'integer' },
    reply: json<{ readonly Left: number }>(),
  }),
  containerStop: endpoint('POST', '/containers/{id*}/stop', { query: { t: 'integer', signal: 'string' } }),
  containerRestart: endpoint('POST', '/containers/{id*}/restart', { query: { t: 'integer', signal: 'string' } }),
  containerKill: endpoint('POST', '/containers/{id*}/kill', { query: { signal: 'string' } }),
  containerPause: endpoint('POST', '/containers/{id*}/pause', {}),
  containerUnpause: endpoint('POST', '/containers/{id*}/unpause', {}),
  containerRename: endpoint('POST', '/containers/{id*}/rename', { query: { name: 'string' } }),
  containerUpdate: endpoint('POST', '/containers/{id*}/update', {
    body: json<ContainerUpdate>(({ containerUpdate }) => containerUpdate),
    reply: json<{ readonly Warnings: readonly string[] | null }>(),
  }),
  /** One item, when it is known; the headers come at once. condition: not-running (default), next-exit, removed. */
  containerWait: endpoint('POST', '/containers/{id*}/wait', {
    query: { condition: 'string' },
    reply: lines<ContainerWaited>(),
  }),
  containerAttach: endpoint('POST', '/containers/{id*}/attach', {
    query: attachQuery,
    reply: hijack,
    status: 200,
  }),
  /** The bytes as they are, of both streams: a WebSocket's messages have no place for frames. */
  containerAttachWebSocket: endpoint('GET', '/containers/{id*}/attach/ws', {
    query: attachQuery,
    reply: websocket,
    status: 200,
  }),
  containerResize: endpoint('POST', '/containers/{id*}/resize', {
    query: { h: 'string', w: 'string' },
    reply: empty,
    status: 200,
  }),
  containerLogs: endpoint('GET', '/containers/{id*}/logs', {
    query: {
      stdout: 'boolean',
      stderr: 'boolean',
      follow: 'boolean',
      tail: 'string',
      since: 'time',
      until: 'time',
      timestamps: 'boolean',
      details: 'boolean',
    },
    reply: output,
  }),
  containerRemove: endpoint('DELETE', '/containers/{id*}', {
    // keeplog is ours: the name of the container that takes its place, of which its log is the past
    query: { force: 'boolean', v: 'boolean', link: 'boolean', keeplog: 'string' },
  }),
  containerTop: endpoint('GET', '/containers/{id*}/top', {
    query: { ps_args: 'string' },
    reply: json<ContainerTop>(),
  }),
  /** stream is true unless given. */
  containerStats: endpoint('GET', '/containers/{id*}/stats', {
    query: { stream: 'boolean', 'one-shot': 'boolean' },
    reply: lines<ContainerStats>(),
  }),
  containerChanges: endpoint('GET', '/containers/{id*}/changes', { reply: json<readonly FileChange[] | null>() }),
  containerExport: endpoint('GET', '/containers/{id*}/export', { reply: archive }),
  containerArchiveStat: endpoint('HEAD', '/containers/{id*}/archive', { query: { path: 'string' }, reply: stat }),
  containerArchiveGet: endpoint('GET', '/containers/{id*}/archive', { query: { path: 'string' }, reply: archive }),
  containerArchivePut: endpoint('PUT', '/containers/{id*}/archive', {
    query: { path: 'string', noOverwriteDirNonDir: 'boolean', copyUIDGID: 'boolean' },
    body: bytes,
    reply: empty,
    status: 200,
  }),
  containerCommit: endpoint('POST', '/commit', {
    query: {
      container: 'string',
      repo: 'string',
      tag: 'string',
      comment: 'string',
      author: 'string',
      pause: 'boolean',
      changes: 'strings',
    },
    body: optionalJson<ContainerConfig>(({ containerConfig }) => containerConfig),
    reply: json<{ readonly Id: string }>(),
    status: 201,
  }),
})
