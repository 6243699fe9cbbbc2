/** A service in its one long form: short syntax expanded, bytes as numbers, durations in nanoseconds. */
import type { Build } from './build.ts'
import type { Dependency } from './dependency.ts'
import type { Deploy, RestartPolicy } from './deploy.ts'
import type { Device, DeviceRequest } from './device.ts'
import type { FileReference } from './file-object.ts'
import type { Healthcheck } from './healthcheck.ts'
import type { Limits, Ulimit } from './limits.ts'
import type { Mount } from './mount.ts'
import type { Attachment, NetworkMode } from './network.ts'
import type { Port } from './port.ts'
import type { Schedule, UnhealthyAction } from './schedule.ts'
import type { Strings } from './strings.ts'

export interface Service {
  readonly name: string
  /** Containers wanted: `scale` or `deploy.replicas`, otherwise 1. */
  readonly replicas: number
  readonly profiles: readonly string[]
  /** It runs when this says so, and has no replicas. */
  readonly schedule?: Schedule
  /** Undefined: nothing. */
  readonly onUnhealthy?: UnhealthyAction
  /** How a cluster makes published ports reachable; undefined: it does not. */
  readonly exposure?: Exposure
  /** Binds are paths of the nodes that run it, not of this machine. */
  readonly hostPaths?: boolean

  readonly image?: string
  readonly build?: Build
  readonly platform?: string
  readonly pullPolicy: PullPolicy
  readonly provider?: { readonly type: string; readonly options: Readonly<Record<string, readonly string[]>> }
  readonly models: Readonly<Record<string, { readonly endpointVar?: string; readonly modelVar?: string }>>

  /** Undefined: the image's; empty: none. */
  readonly command?: readonly string[]
  readonly entrypoint?: readonly string[]
  /** env_file and environment, resolved; null: the key is to be unset in the container. */
  readonly environment: Readonly<Record<string, string | null>>
  readonly workingDir?: string
  readonly user?: string
  readonly groupAdd: readonly string[]
  readonly init?: boolean
  readonly tty: boolean
  readonly stdinOpen: boolean
  readonly stopSignal?: string
  /** Nanoseconds. */
  readonly stopGracePeriod?: number

  /** label_file and labels, resolved. */
  readonly labels: Strings
  readonly annotations: Strings
  readonly containerName?: string
  readonly hostname?: string
  readonly domainname?: string
  /** Whether `up` in the foreground shows its output. */
  readonly attach: boolean

  /** By service; those that links, volumes_from and `service:` modes imply are among them. */
  readonly dependsOn: Readonly<Record<string, Dependency>>
  readonly healthcheck?: Healthcheck
  readonly restart: RestartPolicy
  /** Whether the stack speaks of it: a scheduler has another default than "no". */
  readonly restartSaid?: true
  readonly deploy?: Deploy
  readonly limits: Limits

  readonly networkMode: NetworkMode
  /** By the network's key in the stack, in order of `priority`, highest first; empty unless `networkMode.kind` is `networks`. */
  readonly networks: Readonly<Record<string, Attachment>>
  readonly ports: readonly Port[]
  /** "8080" or "53/udp", ranges expanded. */
  readonly expose: readonly string[]
  readonly links: readonly Link[]
  readonly externalLinks: readonly { readonly container: string; readonly alias: string }[]
  readonly extraHosts: readonly { readonly host: string; readonly address: string }[]
  readonly dns: readonly string[]
  readonly dnsSearch: readonly string[]
  readonly dnsOpt: readonly string[]
  readonly macAddress?: string

  readonly mounts: readonly Mount[]
  readonly volumesFrom: readonly VolumesFrom[]
  readonly secrets: readonly FileReference[]
  readonly configs: readonly FileReference[]
  readonly readOnly: boolean
  readonly storageOpt: Strings
  /** Bytes of /dev/shm. */
  readonly shmSize?: number

  readonly privileged: boolean
  readonly capAdd: readonly string[]
  readonly capDrop: readonly string[]
  readonly securityOpt: readonly string[]
  readonly sysctls: Strings
  readonly ulimits: readonly Ulimit[]
  readonly devices: readonly Device[]
  readonly deviceCgroupRules: readonly string[]
  readonly gpus: readonly DeviceRequest[]
  readonly ipc?: NamespaceMode
  readonly pid?: NamespaceMode
  readonly uts?: NamespaceMode
  readonly usernsMode?: NamespaceMode
  readonly cgroup?: 'host' | 'private'
  readonly cgroupParent?: string
  readonly runtime?: string
  readonly isolation?: string
  readonly credentialSpec?: { readonly config?: string; readonly file?: string; readonly registry?: string }
  readonly useApiSocket: boolean

  readonly logging?: Logging
  readonly preStart: readonly Hook[]
  readonly postStart: readonly Hook[]
  readonly preStop: readonly Hook[]
  readonly watch: readonly WatchRule[]
}

/** `x-expose`: types of Kubernetes' Services. */
export const exposures = ['LoadBalancer', 'NodePort'] as const
export type Exposure = (typeof exposures)[number]

/** `interval`: pull when the local image is older than so many nanoseconds. */
export type PullPolicy =
  | { readonly kind: 'always' | 'never' | 'build' }
  /** `said`: by the stack, and not only since it says nothing. */
  | { readonly kind: 'missing'; readonly said?: true }
  | { readonly kind: 'interval'; readonly interval: number }

export interface Link {
  readonly service: string
  readonly alias: string
}

export interface VolumesFrom {
  readonly kind: 'service' | 'container'
  readonly name: string
  readonly readOnly: boolean
}

/** Whose namespace: an own one, the host's, or that of another service or container. */
export type NamespaceMode =
  | { readonly kind: 'private' | 'shareable' | 'none' | 'host' }
  | { readonly kind: 'service'; readonly service: string }
  | { readonly kind: 'container'; readonly container: string }
  /** Some value only the engine can judge, passed on as it is. */
  | { readonly kind: 'other'; readonly value: string }

export interface Logging {
  /** Undefined: the engine's default. */
  readonly driver?: string
  readonly options: Strings
}

export interface Hook {
  readonly command: readonly string[]
  readonly user?: string
  readonly privileged: boolean
  readonly workingDir?: string
  readonly environment: Readonly<Record<string, string | null>>
  readonly image?: string
  readonly perReplica: boolean
}

export interface WatchRule {
  readonly path: string
  readonly action: 'rebuild' | 'sync' | 'restart' | 'sync+restart' | 'sync+exec'
  readonly target?: string
  readonly ignore: readonly string[]
  readonly include: readonly string[]
  readonly exec?: Hook
  readonly initialSync: boolean
}

export type { DeviceRequest, Limits }
