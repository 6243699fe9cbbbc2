/** Changes that come close together, handed on as one: an editor writes a file in several steps, a checkout thousands at once. */

export interface BurstOptions {
  /** So many ms without a change end a burst; of many changes four times as many, since whoever makes them may be held up in between. */
  readonly quiet: number
  /** A burst that does not end is handed on after so many ms. */
  readonly longest: number
  /** Takes one burst after the other; what comes meanwhile is the next. It must not fail. */
  take(changed: ReadonlySet<string>): Promise<void>
}

/** A checkout, and no editor. */
const many = 50

export class Bursts {
  readonly #options: BurstOptions
  #changed = new Set<string>()
  #began = 0
  #pushes = 0
  #timer: NodeJS.Timeout | undefined
  #taking: Promise<void> | undefined
  #closed = false

  constructor(options: BurstOptions) {
    this.#options = options
  }

  push(change: string): void {
    if (this.#closed) return
    if (this.#changed.size === 0) this.#began = Date.now()
    this.#changed.add(change)
    this.#pushes++
    if (this.#taking) return
    const { quiet, longest } = this.#options
    const left = this.#began + longest - Date.now()
    const wait = this.#changed.size > many ? 4 * quiet : quiet
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#end(), Math.max(0, Math.min(wait, left)))
  }

  /** A process that was held up runs its timers before it hears of what has changed meanwhile: that comes first. */
  #end(): void {
    const before = this.#pushes
    setImmediate(() => {
      const isLong = Date.now() >= this.#began + this.#options.longest
      if (this.#closed || this.#taking || (this.#pushes !== before && !isLong)) return
      clearTimeout(this.#timer)
      this.#hand()
    })
  }

  /** What has not been handed on is dropped; resolves when what is being taken is done. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#taking
  }

  #hand(): void {
    const changed = this.#changed
    this.#changed = new Set()
    this.#taking = this.#options.take(changed).finally(() => {
      this.#taking = undefined
      // what came meanwhile waits for its own quiet
      const next = this.#changed
      this.#changed = new Set()
      for (const each of next) this.push(each)
    })
  }
}
