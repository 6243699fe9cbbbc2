/**
 * ^C and SIGTERM: they cut a command short, unless it has taken them over to end things in order. A terminal that is closed does so too, but
 * for what goes on without one.
 */
export class Interrupts {
  readonly #abort = new AbortController()
  #listener: ((count: number, signal: string) => void) | undefined
  #count = 0
  #enduring = 0
  #hungUp = false

  /** Fires at the first interrupt that nobody has taken over. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** How often the user has asked, also while taken over. */
  get count(): number {
    return this.#count
  }

  /** Hands the interrupts to `listener`, numbered from 1, until the result is disposed of. */
  take(listener: (count: number, signal: string) => void): Disposable {
    const before = this.#listener
    const start = this.#count
    this.#listener = (count, signal) => listener(count - start, signal)
    return { [Symbol.dispose]: () => (this.#listener = before) }
  }

  /** Until the result is disposed of, what is under way goes on though nobody sees it any more. */
  endure(): Disposable {
    this.#enduring++
    return { [Symbol.dispose]: () => void this.#enduring-- }
  }

  /** Whether the terminal, or who read the output, has gone while something went on without. */
  get hungUp(): boolean {
    return this.#hungUp
  }

  /** The terminal, or who reads the output, has gone; tells whether that changes nothing. */
  hangUp(): boolean {
    if (this.#enduring > 0) this.#hungUp = true
    return this.#hungUp
  }

  /** One more; tells whether anything is left to wait for: a third never waits. */
  fire(signal = 'SIGINT'): 'wait' | 'leave' {
    this.#count++
    if (this.#listener) this.#listener(this.#count, signal)
    else if (this.#abort.signal.aborted) return 'leave'
    else this.#abort.abort()
    return this.#count > 2 ? 'leave' : 'wait'
  }
}
