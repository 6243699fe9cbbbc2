/** Long work of short calls gives the rest of the engine its turn, and ends when it is told to. */

/** Milliseconds that others wait at most. */
const longest = 15

export class Turns {
  readonly #signal: AbortSignal
  #since = performance.now()

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  /** @throws the signal's reason. */
  async next(): Promise<void> {
    if (performance.now() - this.#since < longest) return
    this.#signal.throwIfAborted()
    await new Promise(resolve => setImmediate(resolve))
    this.#signal.throwIfAborted()
    this.#since = performance.now()
  }
}
