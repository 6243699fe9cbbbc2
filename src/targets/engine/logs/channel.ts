/** Hands values from several producers to one consumer; producers are held back while it is behind. */
export class Channel<T> {
  readonly #queue: T[] = []
  readonly #limit: number
  #room = Promise.withResolvers<void>()
  #news = Promise.withResolvers<void>()
  #ended = false
  #error: unknown

  constructor(limit = 1000) {
    this.#limit = limit
  }

  /** Resolves when the consumer is near enough; values after the end are dropped. */
  async push(value: T): Promise<void> {
    while (this.#queue.length >= this.#limit && !this.#ended) await this.#room.promise
    if (this.#ended) return
    this.#queue.push(value)
    this.#news.resolve()
  }

  /** No more values; what is queued is still delivered, then the error, if any, is thrown. */
  end(error?: unknown): void {
    if (this.#ended) return
    this.#ended = true
    this.#error = error
    this.#news.resolve()
    this.#room.resolve()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    try {
      for (;;) {
        const value = this.#queue.shift()
        if (value !== undefined) {
          this.#room.resolve()
          this.#room = Promise.withResolvers()
          yield value
        } else if (this.#ended) {
          if (this.#error !== undefined) throw this.#error
          return
        } else {
          this.#news = Promise.withResolvers()
          await this.#news.promise
        }
      }
    } finally {
      this.end()
    }
  }
}
