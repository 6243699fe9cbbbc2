/** Limits of a container in the notation of a stack file: "64m", "0.5". */
import type { HostConfig } from '../../../api/container-body.ts'
import { limitNames, limitRow } from '../../../model/limits.ts'
import { type LimitMember, limitMembers } from './limit-members.ts'
import type { Present } from './made.ts'

type Host = Present<HostConfig>
type Member = keyof HostConfig

const rows: Readonly<Record<string, LimitMember>> = {
  ...Object.fromEntries(limitNames.map(name => [limitRow(name).key, limitMembers[name]])),
  oom_kill_disable: { member: 'OomKillDisable', as: 'as it is' },
  shm_size: { member: 'ShmSize', as: 'bytes' },
  'blkio_config.weight': { member: 'BlkioWeight', as: 'as it is' },
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
  const { member, as } = rows[field]!
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
