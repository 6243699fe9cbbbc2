/** What a group has used, from the files of v1 and v2. */
import { readFile } from 'node:fs/promises'
import { errnoOf } from '../lib/failure.ts'
import type { CgroupFacts } from './host.ts'
import { cgroupFolder } from './parts/cgroup.ts'
import type { CgroupStats, Pressure } from './runtime.ts'

const userHz = 100
/** v1 shows "no limit" as the largest page-aligned number. */
const unlimited = 2 ** 62

/** "usage 5\nlimit 7" → { usage: 5, limit: 7 } */
export function parsePairs(text: string): Record<string, number> {
  const pairs: Record<string, number> = {}
  for (const line of text.split('\n')) {
    const [name, value] = line.split(/\s+/)
    if (name && value !== undefined) pairs[name] = Number(value)
  }
  return pairs
}

/** "8:0 Read 4096" → one record a line; totals without a device are left out. */
export function parseBlkio(text: string): CgroupStats['blkio'] {
  return text.split('\n').flatMap(line => {
    const match = /^(\d+):(\d+) (\w+) (\d+)$/.exec(line)
    return match ? [{ major: Number(match[1]), minor: Number(match[2]), op: match[3]!, value: Number(match[4]) }] : []
  })
}

/** "8:0 rbytes=4096 wbytes=0 rios=1 …" (io.stat) → bytes read and written, as Docker names them on v2. */
export function parseIo(text: string): CgroupStats['blkio'] {
  return text.split('\n').flatMap(line => {
    const match = /^(\d+):(\d+) (.*)$/.exec(line)
    if (!match) return []
    const of = (key: string) => Number(new RegExp(`(?:^| )${key}=(\\d+)`).exec(match[3]!)?.[1] ?? 0)
    const device = { major: Number(match[1]), minor: Number(match[2]) }
    return [
      { ...device, op: 'read', value: of('rbytes') },
      { ...device, op: 'write', value: of('wbytes') },
    ]
  })
}

/** "some avg10=0.00 avg60=0.00 avg300=0.00 total=5\nfull …" (Documentation/accounting/psi.rst); undefined where the kernel tells none. */
export function parsePressure(text: string): Pressure | undefined {
  const of = (kind: string) => {
    const match = new RegExp(`^${kind} avg10=([\\d.]+) avg60=([\\d.]+) avg300=([\\d.]+) total=(\\d+)$`, 'm').exec(text)
    if (!match) return undefined
    const [avg10, avg60, avg300, total] = match.slice(1).map(Number) as [number, number, number, number]
    return { avg10, avg60, avg300, total }
  }
  const some = of('some')
  return some && { some, full: of('full') }
}

export function readStats(facts: CgroupFacts, path: string): Promise<CgroupStats> {
  const files = filesOf(facts, path)
  return facts.version === 1 ? statsV1(files) : statsV2(files)
}

interface Files {
  /** "" where the machine lacks the controller. */
  text(controller: string, file: string): Promise<string>
  number(controller: string, file: string): Promise<number>
}

function filesOf(facts: CgroupFacts, path: string): Files {
  const text = async (controller: string, file: string) => {
    const folder = cgroupFolder(facts, controller, path)
    return folder === undefined ? '' : await readFile(`${folder}/${file}`, 'utf8')
  }
  return { text, number: async (controller, file) => Number(await text(controller, file)) }
}

async function statsV1({ text, number }: Files): Promise<CgroupStats> {
  const [usage, maxUsage, limit, stat, total, perCpu, cpuStat, throttled, pids, pidsMax, blkio] = await Promise.all([
    number('memory', 'memory.usage_in_bytes'),
    number('memory', 'memory.max_usage_in_bytes'),
    number('memory', 'memory.limit_in_bytes'),
    text('memory', 'memory.stat'),
    number('cpuacct', 'cpuacct.usage'),
    text('cpuacct', 'cpuacct.usage_percpu'),
    text('cpuacct', 'cpuacct.stat'),
    text('cpu', 'cpu.stat'),
    number('pids', 'pids.current'),
    text('pids', 'pids.max'),
    text('blkio', 'blkio.throttle.io_service_bytes'),
  ])
  const ticks = parsePairs(cpuStat)
  const periods = parsePairs(throttled)
  const tick = 1e9 / userHz
  return {
    memory: { usage, maxUsage, limit: limit > unlimited ? Number.MAX_SAFE_INTEGER : limit, stats: parsePairs(stat) },
    cpu: {
      total,
      user: (ticks.user ?? 0) * tick,
      system: (ticks.system ?? 0) * tick,
      perCpu: perCpu.trim().split(/\s+/).map(Number),
      throttled: {
        periods: periods.nr_periods ?? 0,
        throttledPeriods: periods.nr_throttled ?? 0,
        throttledTime: periods.throttled_time ?? 0,
      },
    },
    pids: { current: pids, limit: pidsMax.trim() === 'max' ? undefined : Number(pidsMax) },
    blkio: parseBlkio(blkio),
  }
}

async function statsV2({ text, number }: Files): Promise<CgroupStats> {
  const [usage, max, stat, cpuStat, pids, pidsMax, io, ...pressures] = await Promise.all([
    number('memory', 'memory.current'),
    text('memory', 'memory.max'),
    text('memory', 'memory.stat'),
    // the kernel counts time also where the controller is off
    text('unified', 'cpu.stat'),
    number('pids', 'pids.current'),
    text('pids', 'pids.max'),
    text('io', 'io.stat'),
    ...(['cpu', 'memory', 'io'] as const).map(what => ifTold(text('unified', `${what}.pressure`))),
  ])
  const cpu = parsePairs(cpuStat)
  const [cpuPressure, memoryPressure, ioPressure] = pressures.map(parsePressure)
  return {
    memory: {
      usage,
      maxUsage: undefined,
      limit: max.trim() === 'max' ? Number.MAX_SAFE_INTEGER : Number(max),
      stats: parsePairs(stat),
    },
    cpu: {
      total: (cpu.usage_usec ?? 0) * 1000,
      user: (cpu.user_usec ?? 0) * 1000,
      system: (cpu.system_usec ?? 0) * 1000,
      perCpu: [],
      throttled: {
        periods: cpu.nr_periods ?? 0,
        throttledPeriods: cpu.nr_throttled ?? 0,
        throttledTime: (cpu.throttled_usec ?? 0) * 1000,
      },
    },
    pids: { current: pids, limit: pidsMax.trim() === 'max' ? undefined : Number(pidsMax) },
    blkio: parseIo(io),
    pressure: { cpu: cpuPressure, memory: memoryPressure, io: ioPressure },
  }
}

/** Without PSI there is no such file, and switched off (psi=0) it cannot be read. */
async function ifTold(text: Promise<string>): Promise<string> {
  try {
    return await text
  } catch (error) {
    if (['ENOENT', 'EOPNOTSUPP'].includes(errnoOf(error) ?? '')) return ''
    throw error
  }
}
