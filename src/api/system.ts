/** Endpoints of the engine itself. */
import { sessionHeaders } from './buildkit/session-headers.ts'
import type { ContainerSummary } from './containers.ts'
import { connection, endpoint, json, lines, table, text } from './endpoint.ts'
import type { EventMessage } from './events.ts'
import type { BuildCacheItem, ImageSummary, RegistryAuth } from './images.ts'
import type { VolumeInspect } from './volumes.ts'

export interface Version {
  readonly Platform: { readonly Name: string }
  readonly Components?: readonly {
    readonly Name: string
    readonly Version: string
    readonly Details?: Readonly<Record<string, string>>
  }[]
  readonly Version: string
  readonly ApiVersion: string
  readonly MinAPIVersion?: string
  readonly GitCommit: string
  readonly GoVersion: string
  readonly Os: string
  readonly Arch: string
  readonly KernelVersion?: string
  readonly Experimental?: boolean
  readonly BuildTime?: string
}

/** The members anyone reads; an engine may send more. */
export interface Info {
  readonly ID: string
  readonly Containers: number
  readonly ContainersRunning: number
  readonly ContainersPaused: number
  readonly ContainersStopped: number
  readonly Images: number
  readonly Driver: string
  readonly DriverStatus: readonly (readonly [string, string])[] | null
  readonly Plugins: Readonly<Record<string, readonly string[] | null>>
  readonly MemoryLimit: boolean
  readonly SwapLimit: boolean
  readonly CpuCfsPeriod: boolean
  readonly CpuCfsQuota: boolean
  readonly CPUShares: boolean
  readonly CPUSet: boolean
  readonly PidsLimit: boolean
  readonly IPv4Forwarding: boolean
  readonly Debug: boolean
  readonly OomKillDisable: boolean
  readonly NFd?: number
  readonly NGoroutines?: number
  readonly SystemTime: string
  readonly LoggingDriver: string
  readonly CgroupDriver: string
  readonly CgroupVersion: string
  readonly NEventsListener?: number
  readonly KernelVersion: string
  readonly OperatingSystem: string
  readonly OSVersion?: string
  readonly OSType: string
  readonly Architecture: string
  readonly IndexServerAddress: string
  readonly RegistryConfig?: unknown
  readonly NCPU: number
  readonly MemTotal: number
  readonly GenericResources?: null
  readonly DockerRootDir: string
  readonly HttpProxy: string
  readonly HttpsProxy: string
  readonly NoProxy: string
  readonly Name: string
  readonly Labels: readonly string[]
  readonly ExperimentalBuild: boolean
  readonly ServerVersion: string
  readonly Runtimes: Readonly<Record<string, { readonly path: string }>>
  readonly DefaultRuntime: string
  /** Up to API 1.49. */
  readonly BridgeNfIptables?: boolean
  readonly BridgeNfIp6tables?: boolean
  readonly Swarm: { readonly LocalNodeState: string; readonly [key: string]: unknown }
  readonly LiveRestoreEnabled: boolean
  readonly Isolation: string
  readonly InitBinary: string
  readonly ContainerdCommit?: { readonly ID: string }
  readonly RuncCommit?: { readonly ID: string }
  readonly InitCommit?: { readonly ID: string }
  readonly SecurityOptions: readonly string[]
  /** From API 1.49 on. */
  /** Folders with specifications of devices, and the devices that these describe. */
  readonly CDISpecDirs?: readonly string[] | null
  readonly DiscoveredDevices?: readonly { readonly Source: string; readonly ID: string }[] | null
  readonly FirewallBackend?: { readonly Driver: string; readonly Info?: readonly (readonly [string, string])[] }
  readonly Warnings: readonly string[] | null
}

export interface DiskUsage {
  readonly LayersSize: number
  readonly Images: readonly ImageSummary[] | null
  readonly Containers: readonly ContainerSummary[] | null
  readonly Volumes: readonly VolumeInspect[] | null
  readonly BuildCache: readonly BuildCacheItem[] | null
}

export const systemEndpoints = table({
  pingHead: endpoint('HEAD', '/_ping', { reply: text }),
  ping: endpoint('GET', '/_ping', { reply: text }),
  version: endpoint('GET', '/version', { reply: json<Version>() }),
  info: endpoint('GET', '/info', { reply: json<Info>() }),
  events: endpoint('GET', '/events', {
    query: { filters: 'filters', since: 'time', until: 'time' },
    reply: lines<EventMessage>(),
  }),
  diskUsage: endpoint('GET', '/system/df', { query: { type: 'strings' }, reply: json<DiskUsage>() }),
  auth: endpoint('POST', '/auth', {
    body: json<Omit<RegistryAuth, 'email' | 'registrytoken'>>(({ z, text }) =>
      z.object({ username: text, password: text, auth: text, identitytoken: text, serveraddress: text }),
    ),
    reply: json<{ readonly Status: string; readonly IdentityToken: string }>(),
  }),
  /** BuildKit; both upgrade to HTTP/2. */
  grpc: endpoint('POST', '/grpc', { reply: connection, headers: { upgrade: 'Upgrade' } }),
  /** The client serves, over the connection that it has made, what a build asks of it. */
  session: endpoint('POST', '/session', {
    reply: connection,
    headers: {
      upgrade: 'Upgrade',
      id: sessionHeaders.id,
      sharedKey: sessionHeaders.sharedKey,
      /** Paths, parted by commas. */
      methods: sessionHeaders.method,
    },
  }),
})
