/** One attachment for several clients: each gets every byte, and the slowest sets the pace. */
import type { Attachment, OutputChunk } from '../../../runtime/runtime.ts'

/** `count` attachments in the place of one; the last to close closes it. */
export function tee(source: Attachment, count: number): Attachment[] {
  if (count === 1) return [source]
  const branches = Array.from({ length: count }, () => new Branch())
  void pump(source, branches)
  let open = count
  return branches.map(branch => ({
    output: branch,
    write: chunk => source.write(chunk),
    end: () => source.end(),
    close: () => {
      if (branch.closed) return
      branch.close()
      if (--open === 0) source.close()
    },
  }))
}

async function pump(source: Attachment, branches: readonly Branch[]): Promise<void> {
  try {
    for await (const chunk of source.output) await Promise.all(branches.map(branch => branch.push(chunk)))
  } catch (error) {
    for (const branch of branches) branch.fail(error)
  }
  for (const branch of branches) branch.close()
}

class Branch implements AsyncIterable<OutputChunk> {
  closed = false
  #error: unknown
  #chunk: OutputChunk | undefined
  #taken = Promise.withResolvers<void>()
  #given = Promise.withResolvers<void>()

  /** Resolves when the reader has taken it, or has left. */
  async push(chunk: OutputChunk): Promise<void> {
    if (this.closed) return
    this.#chunk = chunk
    this.#taken = Promise.withResolvers()
    this.#given.resolve()
    await this.#taken.promise
  }

  fail(error: unknown): void {
    this.#error = error
  }

  close(): void {
    this.closed = true
    this.#given.resolve()
    this.#taken.resolve()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<OutputChunk> {
    for (;;) {
      await this.#given.promise
      const chunk = this.#chunk
      if (chunk) {
        this.#chunk = undefined
        if (!this.closed) this.#given = Promise.withResolvers()
        yield chunk
        this.#taken.resolve()
        continue
      }
      if (this.#error) throw this.#error
      if (this.closed) return
    }
  }
}
