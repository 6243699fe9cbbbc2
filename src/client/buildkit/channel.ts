/** What several give and one takes, in order, with no more than so much waiting. */
export class Channel<T> {
  readonly #most: number
  readonly #items: T[] = []
  #takers: (() => void)[] = []
  #givers: (() => void)[] = []
  #over = false
  #error: unknown

  constructor(most: number) {
    this.#most = most
  }

  /** Resolves when there is room for another; false once nobody takes any more. */
  async give(item: T): Promise<boolean> {
    if (this.#over) return false
    this.#items.push(item)
    wake(this.#takers.splice(0))
    while (this.#items.length > this.#most && !this.#over) await new Promise<void>(go => this.#givers.push(go))
    return !this.#over
  }

  /** No more is given; what is there is still taken. */
  end(): void {
    this.#over = true
    wake([...this.#takers.splice(0), ...this.#givers.splice(0)])
  }

  /** Whoever takes learns of it once, instead of what is left. */
  fail(error: unknown): void {
    this.#error ??= { error }
    this.end()
  }

  async *taken(): AsyncGenerator<T> {
    try {
      for (;;) {
        if (this.#error) throw (this.#error as { error: unknown }).error
        const item = this.#items.shift()
        if (item !== undefined) {
          wake(this.#givers.splice(0))
          yield item
        } else if (this.#over) return
        else await new Promise<void>(go => this.#takers.push(go))
      }
    } finally {
      this.end()
    }
  }
}

function wake(waiting: readonly (() => void)[]): void {
  for (const go of waiting) go()
}
