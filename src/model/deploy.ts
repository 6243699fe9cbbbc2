/** What `deploy` says beyond replicas and limits, and when a container is started again. */
import type { DeviceRequest } from './device.ts'
import type { Strings } from './strings.ts'

export type RestartPolicy =
  | { readonly kind: 'no' | 'always' | 'unless-stopped' }
  /** `maxRetries` 0: no limit. */
  | { readonly kind: 'on-failure'; readonly maxRetries: number }

export interface Deploy {
  readonly mode?: string
  readonly endpointMode?: string
  readonly labels: Strings
  readonly update?: Rollout
  readonly rollback?: Rollout
  readonly restartDelay?: number
  readonly restartWindow?: number
  readonly placement: {
    readonly constraints: readonly string[]
    readonly spread: readonly string[]
    readonly maxReplicasPerNode?: number
  }
  /** `resources.reservations.cpus`: only a scheduler can honour it. */
  readonly cpuReservation?: number
  readonly devices: readonly DeviceRequest[]
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
