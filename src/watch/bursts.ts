/** Changes that come close together, handed on as one: an editor writes a file in several steps, a checkout thousands at once. */

export interface BurstOptions {
  /** So many ms without a change end a burst. */
  readonly quiet: number
  /** A burst that does not end is handed on after so many ms. */
  readonly longest: number
  /** Takes one burst after the other; what comes meanwhile is the next. It must not fail. */
  take(changed: ReadonlySet<string>): Promise<void>
}

export class Bursts {
  readonly #options: BurstOptions
  #changed = new Set<string>()
  #began = 0
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
    if (this.#taking) return
    const { quiet, longest } = this.#options
    const left = this.#began + longest - Date.now()
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#hand(), Math.max(0, Math.min(quiet, left)))
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
