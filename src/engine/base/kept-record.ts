/** A record that is rewritten often: kept in memory and told on disk as soon as the disk takes it. */
import { messageOf } from '../../lib/failure.ts'
import type { Say } from './aside.ts'
import { writeRecord } from './store.ts'
import type { Syncer } from './syncer.ts'

export interface KeptRecordOptions {
  readonly path: string
  /** What is to be written, asked for at the moment of writing; undefined: nothing any more. */
  readonly value: () => object | undefined
  readonly say: Say
  readonly syncer: Syncer
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

  constructor(options: KeptRecordOptions) {
    this.#options = options
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
    const { path, value, say, syncer } = this.#options
    const record = value()
    if (!record) {
      clearTimeout(this.#retry)
      this.#behind = false
      return
    }
    try {
      await writeRecord(path, record)
      if (lasting) syncer.later(path)
      if (this.#behind) say(`"${path}" is written again`)
      this.#behind = false
      this.#delay = firstRetry
    } catch (error) {
      if (!this.#behind) say(`${messageOf(error)}; kept in memory and tried again`)
      this.#behind = true
      clearTimeout(this.#retry)
      this.#retry = setTimeout(() => void this.save({ lasting: true }), this.#delay).unref()
      this.#delay = Math.min(this.#delay * 2, longestRetry)
    }
  }
}
