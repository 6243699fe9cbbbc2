/** What a container uses as a row, member by member what Compose's `stats --format json` has. */
import type { ContainerStats, ContainerSummary } from '../api/containers.ts'
import { listedName } from '../api/listed-name.ts'
import { binarySize, decimalSize } from '../lib/units.ts'

export interface StatsRow {
  readonly BlockIO: string
  readonly CPUPerc: string
  readonly Container: string
  readonly ID: string
  readonly MemPerc: string
  readonly MemUsage: string
  readonly Name: string
  readonly NetIO: string
  readonly PIDs: string
}

export const statsHeadings: Readonly<Record<string, string>> = {
  BlockIO: 'BLOCK I/O',
  CPUPerc: 'CPU %',
  Container: 'CONTAINER',
  ID: 'CONTAINER ID',
  MemPerc: 'MEM %',
  MemUsage: 'MEM USAGE / LIMIT',
  Name: 'NAME',
  NetIO: 'NET I/O',
  PIDs: 'PIDS',
}

/** @param stats undefined while nothing is known: dashes, as docker shows them */
export function statsRow(
  container: ContainerSummary,
  stats: ContainerStats | undefined,
  { whole = false }: { readonly whole?: boolean } = {},
): StatsRow {
  const who = {
    Container: container.Id,
    ID: whole ? container.Id : container.Id.slice(0, 12),
    Name: listedName(container),
  }
  if (!stats)
    return {
      BlockIO: '--',
      CPUPerc: '--',
      MemPerc: '--',
      MemUsage: '-- / --',
      NetIO: '--',
      PIDs: '--',
      ...who,
    }
  const used = usedMemory(stats)
  const limit = stats.memory_stats.limit ?? 0
  const [received, sent] = networkBytes(stats)
  const [read, written] = blockBytes(stats)
  return {
    BlockIO: `${decimalSize(read)} / ${decimalSize(written)}`,
    CPUPerc: `${cpuPercent(stats).toFixed(2)}%`,
    Container: who.Container,
    ID: who.ID,
    MemPerc: `${(limit === 0 ? 0 : (used / limit) * 100).toFixed(2)}%`,
    MemUsage: `${binarySize(used)} / ${binarySize(limit)}`,
    Name: who.Name,
    NetIO: `${decimalSize(received)} / ${decimalSize(sent)}`,
    PIDs: String(stats.pids_stats.current ?? 0),
  }
}

/** Of one processor: 150 % is one and a half. */
export function cpuPercent({ cpu_stats: now, precpu_stats: before }: ContainerStats): number {
  const own = now.cpu_usage.total_usage - before.cpu_usage.total_usage
  const system = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0)
  const processors = now.online_cpus || (now.cpu_usage.percpu_usage?.length ?? 0)
  return own > 0 && system > 0 ? (own / system) * processors * 100 : 0
}

/** Without what the kernel gives up at once when it is needed. */
export function usedMemory({ memory_stats: { usage = 0, stats = {} } }: ContainerStats): number {
  const cache = stats['total_inactive_file'] ?? stats['inactive_file'] ?? 0
  return cache < usage ? usage - cache : usage
}

/** Received and sent. */
export function networkBytes({ networks }: ContainerStats): [number, number] {
  return sums(Object.values(networks ?? {}).map(each => [each.rx_bytes, each.tx_bytes]))
}

/** Read and written. */
export function blockBytes({ blkio_stats }: ContainerStats): [number, number] {
  const entries = blkio_stats['io_service_bytes_recursive'] ?? []
  const of = (letter: string) => entries.filter(({ op }) => op.toLowerCase().startsWith(letter))
  return [total(of('r')), total(of('w'))]
}

function total(entries: readonly { readonly value: number }[]): number {
  return entries.reduce((sum, { value }) => sum + value, 0)
}

function sums(pairs: readonly (readonly [number, number])[]): [number, number] {
  return pairs.reduce<[number, number]>(([a, b], [c, d]) => [a + c, b + d], [0, 0])
}
