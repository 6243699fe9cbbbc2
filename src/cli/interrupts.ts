/** ^C and SIGTERM: they cut a command short, unless it has taken them over to end things in order. */
export class Interrupts {
  readonly #abort = new AbortController()
  #listener: ((count: number, signal: string) => void) | undefined
  #count = 0

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

  /** One more; tells whether anything is left to wait for: a third never waits. */
  fire(signal = 'SIGINT'): 'wait' | 'leave' {
    this.#count++
    if (this.#listener) this.#listener(this.#count, signal)
    else if (this.#abort.signal.aborted) return 'leave'
    else this.#abort.abort()
    return this.#count > 2 ? 'leave' : 'wait'
  }
}
