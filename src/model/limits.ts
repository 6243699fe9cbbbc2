/** What a container may use at most: memory, CPU, processes, block I/O, and limits of each process. */

/** Where a limit is written: at the level of the service, and for some below `deploy.resources`, which wins. */
interface Row {
  readonly key: string
  readonly deploy?: readonly [kind: 'limits' | 'reservations', key: string]
  /** Of `amount`, zero means "not set". */
  readonly as: 'amount' | 'number' | 'text'
}

/** Everything single that cgroups and the OOM killer are told. Bytes, microseconds; -1 is unlimited. */
export const limitRows = {
  memory: { key: 'mem_limit', deploy: ['limits', 'memory'], as: 'amount' },
  memoryReservation: { key: 'mem_reservation', deploy: ['reservations', 'memory'], as: 'amount' },
  /** Memory and swap together. */
  memorySwap: { key: 'memswap_limit', as: 'amount' },
  /** 0–100; undefined leaves the host's. */
  memorySwappiness: { key: 'mem_swappiness', as: 'number' },
  oomScoreAdj: { key: 'oom_score_adj', as: 'number' },
  /** CPUs in use at most, 0.5 is half of one. */
  cpus: { key: 'cpus', deploy: ['limits', 'cpus'], as: 'amount' },
  cpuCount: { key: 'cpu_count', as: 'amount' },
  cpuPercent: { key: 'cpu_percent', as: 'amount' },
  cpuShares: { key: 'cpu_shares', as: 'amount' },
  cpuQuota: { key: 'cpu_quota', as: 'amount' },
  cpuPeriod: { key: 'cpu_period', as: 'amount' },
  cpuRtRuntime: { key: 'cpu_rt_runtime', as: 'amount' },
  cpuRtPeriod: { key: 'cpu_rt_period', as: 'amount' },
  cpuset: { key: 'cpuset', as: 'text' },
  pids: { key: 'pids_limit', deploy: ['limits', 'pids'], as: 'amount' },
} as const satisfies Readonly<Record<string, Row>>

export type LimitName = keyof typeof limitRows
export const limitNames = Object.keys(limitRows) as readonly LimitName[]
type Value<R extends Row> = R['as'] extends 'text' ? string : number

export type Limits = { readonly [K in LimitName]?: Value<(typeof limitRows)[K]> | undefined } & {
  readonly oomKillDisable: boolean
  readonly blkio?: Blkio
}

/** The row of a limit, with what not every row has. */
export const limitRow = (name: LimitName): Row => limitRows[name]

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
