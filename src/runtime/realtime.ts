/**
 * Realtime time of groups (sched(7), "Realtime group scheduling"; cgroup v1 with CONFIG_RT_GROUP_SCHED): a group gives those below it
 * no more than it has itself, and a new one has none. So the groups above a container get what all below them need, and no more: the
 * machine has 95 % of each second for all.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { errnoOf, Failure, messageOf } from '../lib/failure.ts'
import { makeGroup } from './cgroup-parents.ts'
import type { CgroupFacts } from './host.ts'
import { cgroupFolder } from './parts/cgroup.ts'
import type { Limits } from './parts/cgroup-limits.ts'

type Asked = Pick<Limits, 'cpuRealtimePeriod' | 'cpuRealtimeRuntime'>

const runtimeFile = 'cpu.rt_runtime_us'
const periodFile = 'cpu.rt_period_us'
const defaultPeriod = 1_000_000
/** Milliseconds; by far. */
const aGracePeriod = 500

export class RealtimeTime {
  readonly #facts: CgroupFacts
  readonly #top: string
  /** What groups are to have that may not be made yet: parts of a second, by folder. */
  readonly #given = new Map<string, number>()
  /** Whether an engine before this one has given some. */
  #isInherited: boolean | undefined

  /** @param top the group above all of ours, which has no more than they need */
  constructor(facts: CgroupFacts, top: string) {
    this.#facts = facts
    this.#top = top
  }

  /**
   * Before a group at `path` is given a runtime. Groups above it that are not there are made.
   *
   * @throws Failure `invalid` when the machine has not that much left
   */
  give(path: string, { cpuRealtimeRuntime, cpuRealtimePeriod }: Asked): void {
    const place = placeOf(this.#facts, path)
    if (!place || !cpuRealtimeRuntime) return
    makeGroup(dirname(place.folder))
    this.#isInherited ??= this.#hasTime()
    const period = cpuRealtimePeriod ?? numberIn(place.folder, periodFile) ?? defaultPeriod
    const before = this.#given.get(place.folder)
    this.#given.set(place.folder, cpuRealtimeRuntime / period)
    const raised: { readonly group: string; readonly needed: number }[] = []
    let [child, share] = [place.folder, cpuRealtimeRuntime / period]
    for (const group of groupsAbove(place)) {
      const { had, needed, period } = this.#needOf(group, { child, share })
      if (had >= needed) break
      raised.unshift({ group, needed })
      ;[child, share] = [group, needed / period]
    }
    // from the outermost: each may have only what the one above it has
    for (const { group, needed } of raised)
      try {
        write(group, needed)
      } catch (cause) {
        if (before === undefined) this.#given.delete(place.folder)
        else this.#given.set(place.folder, before)
        const why = errnoOf(cause) === 'EINVAL' ? 'there is no such time left' : messageOf(cause)
        throw new Failure(
          errnoOf(cause) === 'EINVAL' ? 'invalid' : 'internal',
          `Cannot set HostConfig.CpuRealtimeRuntime to ${cpuRealtimeRuntime}: "${group}" cannot have ${needed} µs of its period: ${why}`,
          { cause, hint: 'All groups together have what /proc/sys/kernel/sched_rt_runtime_us says' },
        )
      }
  }

  /** When the group at `path` is gone: those of ours above it keep what the others below them need. */
  end(path: string): void {
    const place = placeOf(this.#facts, path)
    if (!place) return
    this.#isInherited ??= this.#hasTime()
    if (this.#given.delete(place.folder) || this.#isInherited) this.#lower(place)
  }

  #lower(place: Place, isLast = false): void {
    const top = join(place.mount, this.#top)
    for (const group of groupsAbove(place)) {
      if (group !== top && !group.startsWith(`${top}/`)) return
      const { had, needed } = this.#needOf(group, { child: place.folder, share: 0 })
      if (had <= needed) return
      try {
        write(group, needed)
      } catch (error) {
        if (errnoOf(error) !== 'EINVAL') throw error
        // The kernel counts what is gone until a grace period (RCU) has passed, which it tells nobody of. Later than that, somebody below
        // has been given more, and the next end looks again.
        this.#isInherited = true
        if (!isLast) setTimeout(() => this.#lower(place, true), aGracePeriod).unref()
        return
      }
    }
  }

  #hasTime(): boolean {
    const top = cgroupFolder(this.#facts, 'cpu', this.#top)
    return top !== undefined && (numberIn(top, runtimeFile) ?? 0) > 0
  }

  /** Microseconds of its period that a group has, and that those below it need, one of which is to have `share`. */
  #needOf(
    group: string,
    { child, share }: { readonly child: string; readonly share: number },
  ): { readonly had: number; readonly needed: number; readonly period: number } {
    const period = numberIn(group, periodFile) ?? defaultPeriod
    const below = readdirSync(group, { withFileTypes: true })
      .filter(entry => entry.isDirectory())
      .map(({ name }) => join(group, name))
    const others = new Set([...below, ...[...this.#given.keys()].filter(folder => dirname(folder) === group)])
    others.delete(child)
    const sum = [...others].reduce((total, folder) => {
      const has = (numberIn(folder, runtimeFile) ?? 0) / (numberIn(folder, periodFile) ?? defaultPeriod)
      return total + Math.max(has, this.#given.get(folder) ?? 0)
    }, share)
    // sums of fractions end in digits that are nobody's
    return { had: numberIn(group, runtimeFile) ?? 0, needed: Math.ceil(sum * period - 1e-6), period }
  }
}

interface Place {
  readonly mount: string
  readonly folder: string
}

function placeOf(facts: CgroupFacts, path: string): Place | undefined {
  const folder = cgroupFolder(facts, 'cpu', path)
  return facts.version === 1 && folder !== undefined ? { mount: facts.mounts['cpu']!, folder: join(folder) } : undefined
}

/** From the nearest; not the machine's own. */
function groupsAbove({ mount, folder }: Place): string[] {
  const groups: string[] = []
  for (let group = dirname(folder); group.startsWith(`${mount}/`); group = dirname(group)) groups.push(group)
  return groups
}

/** @throws EINVAL when the groups around it leave no room for so much, or those below it have more */
function write(group: string, needed: number): void {
  try {
    writeFileSync(join(group, runtimeFile), String(needed), { flag: 'r+' })
  } catch (error) {
    // gone meanwhile: then nobody below it needs any
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}

/** Undefined where there is no such group, or no such thing in this kernel. */
function numberIn(folder: string, file: string): number | undefined {
  try {
    return Number(readFileSync(join(folder, file), 'utf8'))
  } catch (error) {
    if (['ENOENT', 'ENODEV'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
}
