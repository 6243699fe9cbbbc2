/** Rows by a key, and what has changed of them since they were told. */
import type { Patch } from './wire.ts'

export class KnownRows<T> {
  readonly #keyOf: (row: T) => string
  readonly #rows = new Map<string, { readonly row: T; readonly text: string }>()

  constructor(keyOf: (row: T) => string) {
    this.#keyOf = keyOf
  }

  get all(): readonly T[] {
    return [...this.#rows.values()].map(({ row }) => row)
  }

  get(key: string): T | undefined {
    return this.#rows.get(key)?.row
  }

  /** Takes `rows` for all there are; undefined when that is no change. */
  update(rows: readonly T[]): Patch<T> | undefined {
    const texts = new Map(rows.map(row => [this.#keyOf(row), { row, text: JSON.stringify(row) }]))
    const gone = [...this.#rows.keys()].filter(key => !texts.has(key))
    const changed = [...texts].filter(([key, { text }]) => this.#rows.get(key)?.text !== text)
    for (const key of gone) this.#rows.delete(key)
    for (const [key, now] of changed) this.#rows.set(key, now)
    return changed.length === 0 && gone.length === 0 ? undefined : { set: changed.map(([, { row }]) => row), gone }
  }
}
