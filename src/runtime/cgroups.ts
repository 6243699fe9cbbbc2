/** Groups of running containers: limits changed, tasks frozen and listed, use counted. */
import { existsSync, readdirSync, readFileSync, watch } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { errnoOf, Failure } from '../lib/failure.ts'
import { parsePairs, readStats } from './cgroup-stats.ts'
import type { CgroupFacts } from './host.ts'
import { foldersWithin } from './leftovers.ts'
import { cgroupFolder, cgroupFolders } from './parts/cgroup.ts'
import { type CgroupWrite, type LimitName, type Limits, lacking, limitWrites } from './parts/cgroup-limits.ts'
import { withPartners } from './parts/limit-partners.ts'
import type { RealtimeTime } from './realtime.ts'
import { type MonitorWork, membersOf, regroup } from './regroup.ts'
import type { CgroupStats, Cgroups } from './runtime.ts'
import type { CgroupSpec } from './spec.ts'

export class KernelCgroups implements Cgroups {
  readonly #facts: CgroupFacts
  readonly #realtime: RealtimeTime
  readonly #monitor: MonitorWork

  constructor(facts: CgroupFacts, realtime: RealtimeTime, monitor: MonitorWork) {
    this.#facts = facts
    this.#realtime = realtime
    this.#monitor = monitor
  }

  get version(): 1 | 2 {
    return this.#facts.version
  }

  get none(): string | undefined {
    return this.#facts.none
  }

  get driver(): 'cgroupfs' | 'systemd' {
    return this.#facts.scope === undefined ? 'cgroupfs' : 'systemd'
  }

  lacking(limit: LimitName): string | undefined {
    return lacking(this.#facts, limit)
  }

  async update(path: string, limits: Limits): Promise<void> {
    if (this.version === 2) return this.#updateUnified(path, limits)
    this.#realtime.give(path, limits)
    const writes = [...limitWrites(this.#facts, limits)]
    // a runtime is never more than its period: when that shrinks, the runtime goes first
    const runtime = writes.findIndex(({ file }) => file === 'cpu.rt_runtime_us')
    if (runtime > 0 && limits.cpuRealtimePeriod !== undefined)
      if (limits.cpuRealtimePeriod < Number(await this.#read('cpu', path, 'cpu.rt_period_us')))
        writes.unshift(...writes.splice(runtime, 1))
    // memory may not pass memory and swap at any moment: when growing, the sum goes first
    const sum = writes.findIndex(({ file }) => file === 'memory.memsw.limit_in_bytes')
    if (sum > 0 && limits.memory !== undefined) {
      const current = Number(await this.#read('memory', path, 'memory.memsw.limit_in_bytes'))
      if (limits.memory > current) writes.unshift(...writes.splice(sum, 1))
    }
    for (const write of writes) await this.#write(path, write)
  }

  /** Swap stands apart from memory there, and quota and period in one file: of two that belong together, the other one is read. */
  async #updateUnified(path: string, limits: Limits): Promise<void> {
    const read = async (controller: string, file: string) =>
      this.#facts.files?.has(file) === false ? '' : await this.#read(controller, path, file)
    const [memory, swap, cpu] = await Promise.all([
      read('memory', 'memory.max'),
      read('memory', 'memory.swap.max'),
      read('cpu', 'cpu.max'),
    ])
    for (const write of limitWrites(this.#facts, withPartners(limits, { memory, swap, cpu })))
      await this.#write(path, write)
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
    this.#realtime.give(spec.path, spec)
    return regroup(this.#facts, spec, { ...options, monitor: this.#monitor })
  }

  async freeze(path: string): Promise<void> {
    const v1 = { controller: 'freezer', file: 'freezer.state', value: 'FROZEN', cause: 'pause' }
    if (this.version === 1) return this.#write(path, v1)
    await this.#write(path, { ...v1, file: 'cgroup.freeze', value: '1' })
    await becomesFrozen(`${cgroupFolder(this.#facts, 'freezer', path)}/cgroup.events`)
  }

  async thaw(path: string): Promise<void> {
    const v1 = { controller: 'freezer', file: 'freezer.state', value: 'THAWED', cause: 'unpause' }
    await this.#write(path, this.version === 1 ? v1 : { ...v1, file: 'cgroup.freeze', value: '0' })
  }

  async unthrottle(path: string): Promise<void> {
    const v1 = { controller: 'cpu', file: 'cpu.cfs_quota_us', value: '-1', cause: 'HostConfig.CpuQuota' }
    await this.#write(path, this.version === 1 ? v1 : { ...v1, file: 'cpu.max', value: 'max' })
  }

  async processes(path: string, pid?: number): Promise<readonly number[]> {
    if (this.none !== undefined) return pid === undefined ? [] : [...membersOf([], pid)]
    const folder = cgroupFolder(this.#facts, 'pids', path) ?? cgroupFolders(this.#facts, path)[0]!
    // on v2 those that a container has put into groups of its own stand only there
    const folders = this.version === 1 ? [folder] : [folder, ...foldersWithin(folder)]
    const texts = await Promise.all(folders.map(each => readFile(`${each}/cgroup.procs`, 'utf8')))
    return texts.flatMap(text => text.split('\n').filter(Boolean).map(Number))
  }

  stats(path: string): Promise<CgroupStats> {
    return readStats(this.#facts, path)
  }

  async #read(controller: string, path: string, file: string): Promise<string> {
    const folder = cgroupFolder(this.#facts, controller, path)
    // a controller this machine lacks counts nothing
    return folder === undefined ? '' : await readFile(`${folder}/${file}`, 'utf8')
  }

  async #write(path: string, { controller, file, value, cause }: CgroupWrite): Promise<void> {
    if (this.none !== undefined) throw new Failure('unsupported', `Cannot ${cause}: ${this.none}`)
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

/** How long the kernel may take: a task that waits for a disk freezes when that has answered. */
const freezing = 10_000

/** @throws Failure `unavailable` when a task does not freeze in time. */
async function becomesFrozen(events: string): Promise<void> {
  const frozen = () => parsePairs(readFileSync(events, 'utf8')).frozen === 1
  if (frozen()) return
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const look = () => {
    try {
      if (frozen()) resolve()
    } catch (error) {
      reject(error)
    }
  }
  const watcher = watch(events, look)
  const timer = setTimeout(
    () => reject(new Failure('unavailable', `Cannot pause: a process is not frozen after ${freezing / 1000} s`)),
    freezing,
  )
  look()
  try {
    await promise
  } finally {
    clearTimeout(timer)
    watcher.close()
  }
}
