/** What `deploy` says beyond replicas and limits, and when a container is started again. */
import type { DeviceRequest } from './device.ts'
import type { Strings } from './strings.ts'

export type RestartPolicy =
  | { readonly kind: 'no' | 'always' | 'unless-stopped' }
  /** `maxRetries` 0: no limit. */
  | { readonly kind: 'on-failure'; readonly maxRetries: number }

export const deployModes = ['replicated', 'global', 'replicated-job', 'global-job'] as const

export interface Deploy {
  readonly mode?: (typeof deployModes)[number]
  readonly endpointMode?: string
  readonly labels: Strings
  readonly update?: Rollout
  readonly rollback?: Rollout
  /** Nanoseconds before each restart. */
  readonly restartDelay?: number
  /** Nanoseconds that one started again must run for that not to be a failure. */
  readonly restartWindow?: number
  /** Restarts at most, where `restart` knows no number. */
  readonly restartAttempts?: number
  readonly placement: {
    readonly constraints: readonly string[]
    readonly spread: readonly string[]
    readonly maxReplicasPerNode?: number
  }
  /** `resources.reservations.cpus`: only a scheduler can honour it. */
  readonly cpuReservation?: number
  readonly devices: readonly DeviceRequest[]
  /** `resources.reservations.generic_resources`: things that nodes of a swarm count under names of their own. */
  readonly genericResources?: readonly GenericResource[]
}

export interface GenericResource {
  readonly kind: string
  readonly value: number
}

export interface Rollout {
  readonly parallelism?: number
  /** Nanoseconds. */
  readonly delay?: number
  readonly failureAction?: string
  readonly monitor?: number
  readonly maxFailureRatio?: number
  readonly order?: 'start-first' | 'stop-first'
}

/** Whether its containers run to their end, instead of for ever. */
export function isJob({ deploy }: { readonly deploy?: Deploy }): boolean {
  return deploy?.mode === 'replicated-job' || deploy?.mode === 'global-job'
}
