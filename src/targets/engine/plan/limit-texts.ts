/** Limits of a container in the notation of a stack file: "64m", "0.5". */
import type { HostConfig } from '../../../api/container-body.ts'
import type { Present } from './made.ts'

type Host = Present<HostConfig>
type Member = keyof HostConfig
type Row = readonly [member: Member, as: 'bytes' | 'cpus' | 'as it is']

const rows: Readonly<Record<string, Row>> = {
  mem_limit: ['Memory', 'bytes'],
  mem_reservation: ['MemoryReservation', 'bytes'],
  memswap_limit: ['MemorySwap', 'bytes'],
  mem_swappiness: ['MemorySwappiness', 'as it is'],
  oom_score_adj: ['OomScoreAdj', 'as it is'],
  oom_kill_disable: ['OomKillDisable', 'as it is'],
  cpus: ['NanoCpus', 'cpus'],
  cpu_count: ['CpuCount', 'as it is'],
  cpu_percent: ['CpuPercent', 'as it is'],
  cpu_shares: ['CpuShares', 'as it is'],
  cpu_quota: ['CpuQuota', 'as it is'],
  cpu_period: ['CpuPeriod', 'as it is'],
  cpu_rt_runtime: ['CpuRealtimeRuntime', 'as it is'],
  cpu_rt_period: ['CpuRealtimePeriod', 'as it is'],
  cpuset: ['CpusetCpus', 'as it is'],
  pids_limit: ['PidsLimit', 'as it is'],
  shm_size: ['ShmSize', 'bytes'],
  'blkio_config.weight': ['BlkioWeight', 'as it is'],
}

const lists: Readonly<Record<string, Member>> = {
  'blkio_config.weight_device': 'BlkioWeightDevice',
  'blkio_config.device_read_bps': 'BlkioDeviceReadBps',
  'blkio_config.device_read_iops': 'BlkioDeviceReadIOps',
  'blkio_config.device_write_bps': 'BlkioDeviceWriteBps',
  'blkio_config.device_write_iops': 'BlkioDeviceWriteIOps',
}

/** Undefined: no limit of this name, or none that is set. */
export function limitText(host: Host, field: string): string | readonly string[] | undefined {
  if (Object.hasOwn(lists, field)) {
    const list = (host[lists[field]!] ?? []) as readonly { Path: string; Rate?: number; Weight?: number }[]
    return list.map(({ Path, Rate, Weight }) => `${Path}:${Rate ?? Weight}`)
  }
  if (!Object.hasOwn(rows, field)) return undefined
  const [member, as] = rows[field]!
  const value = host[member]
  if (!value) return undefined
  if (as === 'bytes') return bytesText(Number(value))
  return as === 'cpus' ? String(Number(value) / 1e9) : String(value)
}

/** The largest unit in which it is a whole number: 67108864 → "64m". */
export function bytesText(bytes: number): string {
  if (bytes < 0) return String(bytes)
  const power = ['g', 'm', 'k'].find((_, i) => bytes % 1024 ** (3 - i) === 0)
  if (power === undefined || bytes === 0) return String(bytes)
  return `${bytes / 1024 ** ({ g: 3, m: 2, k: 1 }[power] ?? 0)}${power}`
}
