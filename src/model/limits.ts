/** What a container may use at most: memory, CPU, processes, block I/O, and limits of each process. */

/** Everything cgroups and the OOM killer are told: `deploy.resources` wins over the service-level keys, where both stand. */
export interface Limits {
  /** Bytes. */
  readonly memory?: number
  readonly memoryReservation?: number
  /** Memory and swap together; -1 unlimited. */
  readonly memorySwap?: number
  /** 0–100; undefined leaves the host's. */
  readonly memorySwappiness?: number
  readonly oomKillDisable: boolean
  readonly oomScoreAdj?: number
  /** CPUs in use at most, 0.5 is half of one. */
  readonly cpus?: number
  readonly cpuCount?: number
  readonly cpuPercent?: number
  readonly cpuShares?: number
  /** Microseconds. */
  readonly cpuQuota?: number
  readonly cpuPeriod?: number
  readonly cpuRtRuntime?: number
  readonly cpuRtPeriod?: number
  readonly cpuset?: string
  /** -1 or 0 unlimited. */
  readonly pids?: number
  readonly blkio?: Blkio
}

export interface Blkio {
  readonly weight?: number
  readonly weightDevice: readonly { readonly path: string; readonly weight: number }[]
  readonly deviceReadBps: readonly { readonly path: string; readonly rate: number }[]
  readonly deviceReadIops: readonly { readonly path: string; readonly rate: number }[]
  readonly deviceWriteBps: readonly { readonly path: string; readonly rate: number }[]
  readonly deviceWriteIops: readonly { readonly path: string; readonly rate: number }[]
}

export interface Ulimit {
  readonly name: string
  /** -1 unlimited. */
  readonly soft: number
  readonly hard: number
}
