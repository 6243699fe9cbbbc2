/** Groups of running containers: limits changed, tasks frozen and listed, use counted. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { errnoOf, Failure } from '../lib/failure.ts'
import type { CgroupFacts } from './host.ts'
import { cgroupFolder, cgroupFolders } from './parts/cgroup.ts'
import { type CgroupWrite, type LimitName, type Limits, lacking, limitWrites } from './parts/cgroup-limits.ts'
import { regroup } from './regroup.ts'
import type { CgroupStats, Cgroups } from './runtime.ts'
import type { CgroupSpec } from './spec.ts'

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

/** "mq-deadline kyber [bfq] none" → bfq, of each disk of this machine. */
function diskSchedulers(): Record<string, string> {
  const found: Record<string, string> = {}
  for (const disk of existsSync('/sys/block') ? readdirSync('/sys/block') : []) {
    const path = `/sys/block/${disk}/queue/scheduler`
    const current = existsSync(path) ? /\[(.+)\]/.exec(readFileSync(path, 'utf8'))?.[1] : undefined
    if (current !== undefined && !disk.startsWith('loop')) found[disk] = current
  }
  return found
}

export class KernelCgroups implements Cgroups {
  readonly #facts: CgroupFacts

  constructor(facts: CgroupFacts) {
    this.#facts = facts
  }

  get version(): 1 | 2 {
    return this.#facts.version
  }

  lacking(limit: LimitName): string | undefined {
    return lacking(this.#facts, limit, diskSchedulers)
  }

  async update(path: string, limits: Limits): Promise<void> {
    const writes = [...limitWrites(this.#facts, limits)]
    // memory may not pass memory and swap at any moment: when growing, the sum goes first
    const sum = writes.findIndex(({ file }) => file === 'memory.memsw.limit_in_bytes')
    if (sum > 0 && limits.memory !== undefined) {
      const current = await this.#number('memory', path, 'memory.memsw.limit_in_bytes')
      if (limits.memory > current) writes.unshift(...writes.splice(sum, 1))
    }
    for (const write of writes) await this.#write(path, write)
  }

  exists(path: string): boolean {
    return cgroupFolders(this.#facts, path).some(existsSync)
  }

  below(path: string): readonly string[] {
    const folders = cgroupFolders(this.#facts, path).filter(existsSync)
    const groups = folders.flatMap(folder => readdirSync(folder, { withFileTypes: true }).filter(e => e.isDirectory()))
    return [...new Set(groups.map(({ name }) => name))]
  }

  isWhole(path: string): boolean {
    return cgroupFolders(this.#facts, path).every(existsSync)
  }

  restore(spec: CgroupSpec, options: { readonly privileged: boolean; readonly pid: number }): Promise<void> {
    return regroup(this.#facts, spec, options)
  }

  async freeze(path: string): Promise<void> {
    const v1 = { controller: 'freezer', file: 'freezer.state', value: 'FROZEN', cause: 'pause' }
    await this.#write(path, this.version === 1 ? v1 : { ...v1, file: 'cgroup.freeze', value: '1' })
  }

  async thaw(path: string): Promise<void> {
    const v1 = { controller: 'freezer', file: 'freezer.state', value: 'THAWED', cause: 'unpause' }
    await this.#write(path, this.version === 1 ? v1 : { ...v1, file: 'cgroup.freeze', value: '0' })
  }

  async processes(path: string): Promise<readonly number[]> {
    const folder = cgroupFolder(this.#facts, 'pids', path) ?? cgroupFolders(this.#facts, path)[0]!
    const text = await readFile(`${folder}/cgroup.procs`, 'utf8')
    return text.split('\n').filter(Boolean).map(Number)
  }

  async stats(path: string): Promise<CgroupStats> {
    return this.version === 1 ? await this.#statsV1(path) : await this.#statsV2(path)
  }

  async #statsV1(path: string): Promise<CgroupStats> {
    const [usage, maxUsage, limit, stat, total, perCpu, cpuStat, throttled, pids, pidsMax, blkio] = await Promise.all([
      this.#number('memory', path, 'memory.usage_in_bytes'),
      this.#number('memory', path, 'memory.max_usage_in_bytes'),
      this.#number('memory', path, 'memory.limit_in_bytes'),
      this.#read('memory', path, 'memory.stat'),
      this.#number('cpuacct', path, 'cpuacct.usage'),
      this.#read('cpuacct', path, 'cpuacct.usage_percpu'),
      this.#read('cpuacct', path, 'cpuacct.stat'),
      this.#read('cpu', path, 'cpu.stat'),
      this.#number('pids', path, 'pids.current'),
      this.#read('pids', path, 'pids.max'),
      this.#read('blkio', path, 'blkio.throttle.io_service_bytes'),
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

  async #statsV2(path: string): Promise<CgroupStats> {
    const [usage, max, stat, cpuStat, pids, pidsMax] = await Promise.all([
      this.#number('memory', path, 'memory.current'),
      this.#read('memory', path, 'memory.max'),
      this.#read('memory', path, 'memory.stat'),
      this.#read('cpu', path, 'cpu.stat'),
      this.#number('pids', path, 'pids.current'),
      this.#read('pids', path, 'pids.max'),
    ])
    const cpu = parsePairs(cpuStat)
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
      blkio: [],
    }
  }

  async #read(controller: string, path: string, file: string): Promise<string> {
    const folder = cgroupFolder(this.#facts, controller, path)
    // a controller this machine lacks counts nothing
    return folder === undefined ? '' : await readFile(`${folder}/${file}`, 'utf8')
  }

  async #number(controller: string, path: string, file: string): Promise<number> {
    return Number(await this.#read(controller, path, file))
  }

  async #write(path: string, { controller, file, value, cause }: CgroupWrite): Promise<void> {
    const folder = cgroupFolder(this.#facts, controller, path)
    try {
      await writeFile(`${folder}/${file}`, value, { flag: 'r+' })
    } catch (error) {
      const code = errnoOf(error)
      const limit = cause.replace(/^HostConfig\./, '')
      if (code === 'ENOENT')
        throw new Failure('not-found', `Cannot set ${limit}: cgroup "${path}" has no ${file}`, { cause: error })
      throw new Failure(code === 'EINVAL' ? 'invalid' : 'internal', `Cannot set ${limit} to ${value}: ${code}`, {
        cause: error,
      })
    }
  }
}
