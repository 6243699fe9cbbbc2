/** What containers used over the last minutes, as columns that a chart takes. */
import type { Usage } from '../wire.ts'

/** Points that are kept of each: five minutes. */
const most = 300

export interface Series {
  readonly container: string
  readonly service: string
  last: Usage
  readonly times: number[]
  readonly cpu: number[]
  readonly memory: number[]
  /** Bytes a second. */
  readonly network: number[]
  readonly disk: number[]
}

export class StatsBook {
  readonly #series = new Map<string, Series>()

  /** In order of their names. */
  get all(): readonly Series[] {
    return [...this.#series.values()].sort((a, b) => (a.container < b.container ? -1 : 1))
  }

  clear(): void {
    this.#series.clear()
  }

  add(usage: Usage): void {
    const known = this.#series.get(usage.container)
    const series = known ?? {
      container: usage.container,
      service: usage.service,
      last: usage,
      times: [],
      cpu: [],
      memory: [],
      network: [],
      disk: [],
    }
    this.#series.set(usage.container, series)
    const before = known?.last
    // counters that have gone back are those of another run
    const perSecond = (now: number, then: number | undefined): number => {
      const seconds = before ? (usage.time - before.time) / 1000 : 0
      return then === undefined || seconds <= 0 || now < then ? 0 : (now - then) / seconds
    }
    series.times.push(usage.time / 1000)
    series.cpu.push(usage.cpu)
    series.memory.push(usage.memory)
    series.network.push(perSecond(usage.received + usage.sent, before && before.received + before.sent))
    series.disk.push(perSecond(usage.read + usage.written, before && before.read + before.written))
    series.last = usage
    if (series.times.length > most)
      for (const column of [series.times, series.cpu, series.memory, series.network, series.disk]) column.shift()
  }

  /** Lets go of what has said nothing for a while. */
  forget(before: number): void {
    for (const [name, { last }] of this.#series) if (last.time < before) this.#series.delete(name)
  }
}
