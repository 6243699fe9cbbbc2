/** A record that is rewritten often: kept in memory, and elsewhere, until its disk takes it. */
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { messageOf } from '../../lib/failure.ts'
import type { Aside, Loaded, Say } from './aside.ts'
import { type RecordKind, writeRecord } from './store.ts'
import type { Syncer } from './syncer.ts'

export interface KeptPlaces {
  readonly path: string
  /** On another disk, where there is one: what `path` does not take outlives the engine there. */
  readonly spare: string
}

export interface KeptRecordOptions extends KeptPlaces {
  /** What is to be written, asked for at the moment of writing; undefined: nothing any more. */
  readonly value: () => object | undefined
  readonly say: Say
  readonly syncer: Syncer
}

/** What was written last, at either place. */
export async function loadKept<T>(aside: Aside, { path, spare }: KeptPlaces, kind: RecordKind<T>): Promise<Loaded<T>> {
  if (timeOf(spare) > timeOf(path)) {
    const loaded = await aside.load(spare, kind)
    if (loaded.kind === 'whole') return loaded
  }
  return aside.load(path, kind)
}

/** Nanoseconds since 1970; before everything where there is nothing. */
function timeOf(path: string): bigint {
  try {
    return statSync(path, { bigint: true }).mtimeNs
  } catch {
    // whoever reads it is told why it cannot be
    return -1n
  }
}

/** Nothing wakes us when a disk has room again. */
const firstRetry = 1000
const longestRetry = 30_000

export class KeptRecord {
  readonly #options: KeptRecordOptions
  #writing: Promise<void> = Promise.resolve()
  #retry: NodeJS.Timeout | undefined
  #delay = firstRetry
  /** The disk is behind what is in memory. */
  #behind = false
  /** Something is, or may be, at the other place. */
  #spared: boolean

  constructor(options: KeptRecordOptions) {
    this.#options = options
    this.#spared = existsSync(options.spare)
  }

  /** One write at a time, and a later one carries all that came before. Resolves also when the disk did not take it. */
  save({ lasting = false }: { readonly lasting?: boolean } = {}): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write(lasting))
    return this.#writing
  }

  /** Tries a last time. */
  async close(): Promise<void> {
    await this.#writing
    clearTimeout(this.#retry)
    if (this.#behind) await this.#write(true)
    clearTimeout(this.#retry)
  }

  async #write(lasting: boolean): Promise<void> {
    const { path, spare, value, say, syncer } = this.#options
    const record = value()
    if (!record) {
      clearTimeout(this.#retry)
      this.#behind = false
      return
    }
    try {
      await writeRecord(path, record, { syncedSoon: lasting })
      if (lasting) syncer.later(path)
      if (this.#spared) rmSync(spare, { force: true })
      this.#spared = false
      if (this.#behind) say(`"${path}" is written again`)
      this.#behind = false
      this.#delay = firstRetry
    } catch (error) {
      const kept = await this.#spare(record)
      if (!this.#behind) say(`${messageOf(error)}; kept in ${kept ? `"${spare}"` : 'memory'} and tried again`)
      this.#behind = true
      clearTimeout(this.#retry)
      this.#retry = setTimeout(() => void this.save({ lasting: true }), this.#delay).unref()
      this.#delay = Math.min(this.#delay * 2, longestRetry)
    }
  }

  /** Whether the other place has taken it. */
  async #spare(record: object): Promise<boolean> {
    const { spare } = this.#options
    try {
      mkdirSync(dirname(spare), { recursive: true, mode: 0o700 })
      await writeRecord(spare, record)
      this.#spared = true
      return true
    } catch {
      // why the first place took nothing is what is told, and the record is in memory
      return false
    }
  }
}
