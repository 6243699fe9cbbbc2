/** Devices of the host in a container, and requests for devices such as GPUs. */
import type { Strings } from './strings.ts'

export interface Device {
  readonly source: string
  readonly target: string
  /** Of r, w, m. */
  readonly permissions: string
}

export interface DeviceRequest {
  readonly capabilities: readonly string[]
  readonly driver?: string
  /** -1 all; undefined with `deviceIds`. */
  readonly count?: number
  readonly deviceIds: readonly string[]
  readonly options: Strings
}
