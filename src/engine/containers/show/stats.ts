/** What a container uses: one sample, or one a second. */
import { readFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import type { ContainerStats, CpuUsage } from '../../../api/containers.ts'
import { errnoOf } from '../../../lib/failure.ts'
import type { CgroupStats } from '../../../runtime/runtime.ts'
import type { Container } from '../container.ts'
import type { Parts } from '../parts.ts'

const never = '0001-01-01T00:00:00Z'
const interval = 1000

/** A usage over time needs two samples, a second apart; `oneShot` leaves the first out. */
export async function* stats(
  parts: Parts,
  container: Container,
  { stream, oneShot, signal }: { readonly stream: boolean; readonly oneShot: boolean; readonly signal: AbortSignal },
): AsyncGenerator<ContainerStats> {
  let before: Sample | undefined
  for (;;) {
    const sample = container.running ? await takeSample(parts, container) : undefined
    const first = before === undefined
    if (stream || oneShot || !first || !sample) yield shape(container, sample, before)
    if (signal.aborted || (!stream && (oneShot || !first || !sample))) return
    before = sample
    try {
      await wait(interval, undefined, { signal })
    } catch {
      // the client has left
      return
    }
  }
}

interface Sample {
  readonly time: string
  readonly cgroup: CgroupStats
  readonly systemCpu: number
  readonly networks: NonNullable<ContainerStats['networks']>
}

async function takeSample(parts: Parts, container: Container): Promise<Sample> {
  const [cgroup, stat, net] = await Promise.all([
    parts.runtime.cgroups.stats(container.cgroup),
    readFile('/proc/stat', 'utf8'),
    readIfThere(`/proc/${container.state.pid}/net/dev`),
  ])
  return {
    time: new Date().toISOString(),
    cgroup,
    systemCpu: systemCpu(stat),
    networks: container.record.hostConfig.NetworkMode === 'host' ? {} : interfaces(net),
  }
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    // it has ended
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'EINVAL') return ''
    throw error
  }
}

/** Nanoseconds of all CPUs since boot; the kernel counts in hundredths. */
function systemCpu(stat: string): number {
  const fields = /^cpu +(.*)$/m.exec(stat)?.[1]?.split(' ').slice(0, 8) ?? []
  return fields.reduce((sum, ticks) => sum + Number(ticks), 0) * 10_000_000
}

function interfaces(text: string): NonNullable<ContainerStats['networks']> {
  const found: Record<string, NonNullable<ContainerStats['networks']>[string]> = {}
  for (const line of text.split('\n').slice(2)) {
    const [name, rest] = line.split(':')
    if (!name || !rest || name.trim() === 'lo') continue
    const n = rest.trim().split(/\s+/).map(Number)
    found[name.trim()] = {
      rx_bytes: n[0] ?? 0,
      rx_packets: n[1] ?? 0,
      rx_errors: n[2] ?? 0,
      rx_dropped: n[3] ?? 0,
      tx_bytes: n[8] ?? 0,
      tx_packets: n[9] ?? 0,
      tx_errors: n[10] ?? 0,
      tx_dropped: n[11] ?? 0,
    }
  }
  return found
}

const noCpu: CpuUsage = {
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
}

function cpuShape(sample: Sample | undefined): CpuUsage {
  if (!sample) return noCpu
  const { cpu } = sample.cgroup
  return {
    cpu_usage: {
      total_usage: cpu.total,
      ...(cpu.perCpu.length > 0 && { percpu_usage: cpu.perCpu }),
      usage_in_kernelmode: cpu.system,
      usage_in_usermode: cpu.user,
    },
    system_cpu_usage: sample.systemCpu,
    online_cpus: cpus().length,
    throttling_data: {
      periods: cpu.throttled.periods,
      throttled_periods: cpu.throttled.throttledPeriods,
      throttled_time: cpu.throttled.throttledTime,
    },
  }
}

const blkioLists = [
  'io_service_bytes_recursive',
  'io_serviced_recursive',
  'io_queue_recursive',
  'io_service_time_recursive',
  'io_wait_time_recursive',
  'io_merged_recursive',
  'io_time_recursive',
  'sectors_recursive',
] as const

function shape(container: Container, sample: Sample | undefined, before: Sample | undefined): ContainerStats {
  const memory = sample?.cgroup.memory
  const pressure = sample?.cgroup.pressure
  const onV1 = pressure === undefined
  return {
    name: `/${container.name}`,
    id: container.id,
    read: sample?.time ?? never,
    preread: before?.time ?? never,
    pids_stats: sample
      ? {
          current: sample.cgroup.pids.current,
          ...(sample.cgroup.pids.limit !== undefined && { limit: sample.cgroup.pids.limit }),
        }
      : {},
    blkio_stats: Object.fromEntries(
      blkioLists.map(name => [
        name,
        name === 'io_service_bytes_recursive' && sample ? [...sample.cgroup.blkio] : sample && onV1 ? [] : null,
      ]),
    ),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: cpuShape(sample),
    precpu_stats: cpuShape(before),
    memory_stats: memory
      ? {
          usage: memory.usage,
          ...(memory.maxUsage !== undefined && { max_usage: memory.maxUsage }),
          stats: memory.stats,
          // no limit of its own: the machine's
          limit: Math.min(memory.limit, totalmem()),
        }
      : {},
    ...(pressure && { pressure: Object.fromEntries(Object.entries(pressure).filter(([, told]) => told)) }),
    ...(sample && Object.keys(sample.networks).length > 0 && { networks: sample.networks }),
  }
}
