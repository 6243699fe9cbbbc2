/** One at a time per key, first come first served. */
export class KeyedLock {
  readonly #tails = new Map<string, Promise<void>>()

  /** Whether work under `key` would begin at once. */
  isFree(key: string): boolean {
    return !this.#tails.has(key)
  }

  /** Runs `work` when all earlier work under `key` has ended, whether well or badly. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key)
    const done = Promise.withResolvers<void>()
    this.#tails.set(key, done.promise)
    if (before) await before
    try {
      return await work()
    } finally {
      if (this.#tails.get(key) === done.promise) this.#tails.delete(key)
      done.resolve()
    }
  }
}
