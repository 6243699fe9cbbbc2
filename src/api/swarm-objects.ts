/** Services, tasks, secrets and configs of a swarm as its clients see them; an engine of one machine refuses all of it (swarm.ts). */
import { empty, endpoint, json, output, table } from './endpoint.ts'
import { registryAuth } from './images.ts'

type Strings = Readonly<Record<string, string>>

interface SwarmObject {
  readonly ID: string
  readonly Version: { readonly Index: number }
}

export interface SwarmMount {
  readonly Type: string
  readonly Source?: string
  readonly Target: string
  readonly ReadOnly?: boolean
  readonly BindOptions?: {
    readonly Propagation?: string
    readonly CreateMountpoint?: boolean
    readonly NonRecursive?: boolean
  }
  readonly VolumeOptions?: {
    readonly NoCopy?: boolean
    readonly Subpath?: string
    readonly Labels?: Strings
    readonly DriverConfig?: {
      readonly Name?: string
      readonly Options?: Strings
    }
  }
  readonly TmpfsOptions?: {
    readonly SizeBytes?: number
    readonly Mode?: number
    readonly Options?: readonly (readonly string[])[]
  }
}

interface FileTarget {
  readonly Name: string
  readonly UID: string
  readonly GID: string
  readonly Mode: number
}
export interface SecretReference {
  readonly File: FileTarget
  readonly SecretID: string
  readonly SecretName: string
}
export interface ConfigReference {
  readonly File: FileTarget
  readonly ConfigID: string
  readonly ConfigName: string
}

export interface SwarmPrivileges {
  readonly NoNewPrivileges?: boolean
  /** `Profile`: JSON in base64, of the mode custom. */
  readonly Seccomp?: { readonly Mode: 'default' | 'unconfined' | 'custom'; readonly Profile?: string }
  readonly AppArmor?: { readonly Mode: 'default' | 'disabled' }
  readonly SELinuxContext?: {
    readonly Disable?: boolean
    readonly User?: string
    readonly Role?: string
    readonly Type?: string
    readonly Level?: string
  }
}

/** Durations in nanoseconds, as everywhere in it. */
export interface SwarmContainerSpec {
  readonly Image: string
  readonly Labels?: Strings
  readonly Command?: readonly string[]
  readonly Args?: readonly string[]
  readonly Hostname?: string
  readonly Env?: readonly string[]
  readonly Dir?: string
  readonly User?: string
  readonly Groups?: readonly string[]
  readonly Privileges?: SwarmPrivileges
  readonly Init?: boolean
  readonly StopSignal?: string
  readonly TTY?: boolean
  readonly OpenStdin?: boolean
  readonly ReadOnly?: boolean
  readonly Mounts?: readonly SwarmMount[]
  readonly StopGracePeriod?: number
  readonly Healthcheck?: {
    readonly Test?: readonly string[]
    readonly Interval?: number
    readonly Timeout?: number
    readonly Retries?: number
    readonly StartPeriod?: number
    readonly StartInterval?: number
  }
  readonly Hosts?: readonly string[]
  readonly DNSConfig?: {
    readonly Nameservers?: readonly string[]
    readonly Search?: readonly string[]
    readonly Options?: readonly string[]
  }
  readonly Secrets?: readonly SecretReference[]
  readonly Configs?: readonly ConfigReference[]
  readonly Isolation?: string
  readonly Sysctls?: Strings
  readonly CapabilityAdd?: readonly string[]
  readonly CapabilityDrop?: readonly string[]
  readonly Ulimits?: readonly {
    readonly Name: string
    readonly Soft: number
    readonly Hard: number
  }[]
  readonly OomScoreAdj?: number
}

export interface TaskSpec {
  readonly ContainerSpec: SwarmContainerSpec
  readonly Resources?: {
    readonly Limits?: {
      readonly NanoCPUs?: number
      readonly MemoryBytes?: number
      readonly Pids?: number
    }
    readonly Reservations?: {
      readonly NanoCPUs?: number
      readonly MemoryBytes?: number
      readonly GenericResources?: readonly {
        readonly DiscreteResourceSpec?: { readonly Kind: string; readonly Value?: number }
      }[]
    }
  }
  readonly RestartPolicy?: {
    readonly Condition: string
    readonly Delay?: number
    readonly MaxAttempts?: number
    readonly Window?: number
  }
  readonly Placement?: {
    readonly Constraints?: readonly string[]
    readonly Preferences?: readonly {
      readonly Spread: { readonly SpreadDescriptor: string }
    }[]
    readonly MaxReplicas?: number
    readonly Platforms?: readonly {
      readonly Architecture?: string
      readonly OS?: string
    }[]
  }
  readonly Networks?: readonly {
    readonly Target: string
    readonly Aliases?: readonly string[]
    readonly DriverOpts?: Strings
  }[]
  readonly LogDriver?: { readonly Name?: string; readonly Options?: Strings }
  readonly ForceUpdate?: number
  readonly Runtime?: string
}

export interface SwarmRollout {
  readonly Parallelism: number
  readonly Delay?: number
  readonly FailureAction: string
  readonly Monitor: number
  readonly MaxFailureRatio?: number
  readonly Order: string
}

export interface SwarmPort {
  readonly Name?: string
  readonly Protocol: string
  readonly TargetPort: number
  readonly PublishedPort?: number
  readonly PublishMode: string
}

export interface ServiceSpec {
  readonly Name: string
  readonly Labels?: Strings
  readonly TaskTemplate: TaskSpec
  readonly Mode: {
    readonly Replicated?: { readonly Replicas?: number }
    readonly Global?: Record<string, never>
    readonly ReplicatedJob?: {
      readonly MaxConcurrent?: number
      readonly TotalCompletions?: number
    }
    readonly GlobalJob?: Record<string, never>
  }
  readonly UpdateConfig?: SwarmRollout
  readonly RollbackConfig?: SwarmRollout
  readonly EndpointSpec?: {
    readonly Mode?: string
    readonly Ports?: readonly SwarmPort[]
  }
}

export interface SwarmService extends SwarmObject {
  readonly Spec: ServiceSpec
  readonly PreviousSpec?: ServiceSpec
  readonly Endpoint?: { readonly Ports?: readonly SwarmPort[] }
  readonly UpdateStatus?: {
    readonly State?: string
    readonly StartedAt?: string
    readonly Message?: string
  }
  readonly ServiceStatus?: {
    readonly RunningTasks: number
    readonly DesiredTasks: number
    readonly CompletedTasks: number
  }
  readonly JobStatus?: { readonly JobIteration: { readonly Index: number } }
}

export interface SwarmTask extends SwarmObject {
  readonly CreatedAt: string
  readonly Spec: TaskSpec
  readonly ServiceID: string
  /** Absent for global services. */
  readonly Slot?: number
  readonly NodeID?: string
  readonly Status: {
    readonly State: string
    readonly Timestamp: string
    readonly Err?: string
    readonly ContainerStatus?: {
      readonly ContainerID?: string
      readonly ExitCode?: number
    }
    readonly PortStatus?: { readonly Ports?: readonly SwarmPort[] }
  }
  readonly DesiredState: string
  readonly JobIteration?: { readonly Index: number }
}

export interface SwarmNode extends SwarmObject {
  readonly Description: { readonly Hostname: string }
  readonly Spec: { readonly Availability: string }
  /** An address as the managers see it; 0.0.0.0 of one that has not said. */
  readonly Status: { readonly State: string; readonly Addr?: string }
}

export interface SwarmFileSpec {
  readonly Name: string
  readonly Labels: Strings
  /** Base64; a secret's is never given back. */
  readonly Data?: string
  readonly Driver?: { readonly Name: string; readonly Options?: Strings }
  readonly Templating?: { readonly Name: string }
}
export interface SwarmFile extends SwarmObject {
  readonly Spec: SwarmFileSpec
}

const byFilter = { filters: 'filters' } as const

export const swarmObjects = table({
  serviceList: endpoint('GET', '/services', {
    query: { ...byFilter, status: 'boolean' },
    reply: json<readonly SwarmService[]>(),
  }),
  serviceInspect: endpoint('GET', '/services/{id}', {
    reply: json<SwarmService>(),
  }),
  serviceCreate: endpoint('POST', '/services/create', {
    body: json<ServiceSpec>(),
    reply: json<{
      readonly ID: string
      readonly Warnings?: readonly string[] | null
    }>(),
    status: 201,
    headers: registryAuth,
  }),
  serviceUpdate: endpoint('POST', '/services/{id}/update', {
    query: { version: 'integer', registryAuthFrom: 'string' },
    body: json<ServiceSpec>(),
    reply: json<{ readonly Warnings?: readonly string[] | null }>(),
    headers: registryAuth,
  }),
  serviceRemove: endpoint('DELETE', '/services/{id}', {
    reply: empty,
    status: 200,
  }),
  serviceLogs: endpoint('GET', '/services/{id}/logs', {
    query: {
      details: 'boolean',
      follow: 'boolean',
      stdout: 'boolean',
      stderr: 'boolean',
      since: 'integer',
      timestamps: 'boolean',
      tail: 'string',
    },
    reply: output,
  }),
  taskList: endpoint('GET', '/tasks', {
    query: byFilter,
    reply: json<readonly SwarmTask[]>(),
  }),
  nodeList: endpoint('GET', '/nodes', {
    query: byFilter,
    reply: json<readonly SwarmNode[]>(),
  }),
  secretList: endpoint('GET', '/secrets', {
    query: byFilter,
    reply: json<readonly SwarmFile[]>(),
  }),
  secretCreate: endpoint('POST', '/secrets/create', {
    body: json<SwarmFileSpec>(),
    reply: json<{ readonly ID: string }>(),
    status: 201,
  }),
  secretRemove: endpoint('DELETE', '/secrets/{id}', {}),
  configList: endpoint('GET', '/configs', {
    query: byFilter,
    reply: json<readonly SwarmFile[]>(),
  }),
  configCreate: endpoint('POST', '/configs/create', {
    body: json<SwarmFileSpec>(),
    reply: json<{ readonly ID: string }>(),
    status: 201,
  }),
  configRemove: endpoint('DELETE', '/configs/{id}', {}),
})
