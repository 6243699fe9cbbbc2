/** A reading of what a container uses as numbers, against its limits. */
import type { ContainerStats } from '../api/containers.ts'
import { blockBytes, cpuPercent, networkBytes, usedMemory } from './stats.ts'

export interface UsageLimits {
  /** Bytes; 0: none. */
  readonly memory: number
  /** Billionths of a processor; 0: none. */
  readonly nanoCpus: number
  /** Microseconds in each period; 0 and less: none. */
  readonly cpuQuota: number
  readonly cpuPeriod: number
}

export interface UsageRow {
  /** Milliseconds since 1970. */
  readonly time: number
  /** 100 is one processor. */
  readonly cpu: number
  /** What it may use of processors, in the same unit; undefined: all. */
  readonly cpuLimit: number | undefined
  readonly memory: number
  /** Bytes; undefined: all of the machine's. */
  readonly memoryLimit: number | undefined
  /** Bytes since its start. */
  readonly received: number
  readonly sent: number
  readonly read: number
  readonly written: number
  readonly processes: number
  /** Share of time in which something waited, in percent over ten seconds; where the kernel says it. */
  readonly pressure?: { readonly cpu: number; readonly memory: number; readonly io: number }
}

/** Microseconds: the kernel's, where none is set. */
const usualPeriod = 100_000

/** Undefined for the first reading of a stream, which has nothing to compare with, and for one of what does not run. */
export function usageOf(stats: ContainerStats, limits: UsageLimits): UsageRow | undefined {
  if (stats.memory_stats.usage === undefined || !stats.precpu_stats.system_cpu_usage) return undefined
  const [received, sent] = networkBytes(stats)
  const [read, written] = blockBytes(stats)
  const { pressure } = stats
  return {
    time: Date.parse(stats.read),
    cpu: cpuPercent(stats),
    cpuLimit: cpuLimitOf(limits),
    memory: usedMemory(stats),
    memoryLimit: limits.memory > 0 ? limits.memory : undefined,
    received,
    sent,
    read,
    written,
    processes: stats.pids_stats.current ?? 0,
    ...(pressure && {
      pressure: {
        cpu: pressure.cpu?.some.avg10 ?? 0,
        memory: pressure.memory?.some.avg10 ?? 0,
        io: pressure.io?.some.avg10 ?? 0,
      },
    }),
  }
}

function cpuLimitOf({ nanoCpus, cpuQuota, cpuPeriod }: UsageLimits): number | undefined {
  if (nanoCpus > 0) return nanoCpus / 1e7
  return cpuQuota > 0 ? (cpuQuota / (cpuPeriod || usualPeriod)) * 100 : undefined
}
