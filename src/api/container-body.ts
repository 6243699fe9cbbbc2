/** What a container is made of: the body of POST /containers/create, whose parts inspect shows again. Docker's field names. */
import type { z } from 'zod'
import type { hostConfig, resources } from './host-config-shape.ts'
import type { Sent } from './json-shape.ts'

type SentRows<Rows extends Readonly<Record<string, z.ZodType>>> = Sent<{ [K in keyof Rows]: z.output<Rows[K]> }>
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

/** What the host gives the container. */
export type HostConfig = Partial<SentRows<typeof hostConfig>>
/** What `update` can change on a live container. */
export type Resources = Partial<SentRows<typeof resources>>
export type RestartPolicy = NonNullable<HostConfig['RestartPolicy']>
/** "80/tcp" → its places on the host; null for a port that is exposed only. */
export type PortBindings = NonNullable<HostConfig['PortBindings']>
export type PortBinding = NonNullable<PortBindings[string]>[number]
/** One of `Mounts`. */
export type Mount = NonNullable<HostConfig['Mounts']>[number]
export type DeviceRequest = NonNullable<HostConfig['DeviceRequests']>[number]

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
