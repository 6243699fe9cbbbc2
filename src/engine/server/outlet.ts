/** Output to a client at the client's pace, which must not become the pace of the process: who stops reading is cut off. */
import type { Writable } from 'node:stream'

export interface OutletOptions {
  /** Bytes held for a client before the process has to wait for it. */
  readonly limit: number
  /** How long a client may take nothing while the process waits, in milliseconds. */
  readonly patience: number
  /** What a client that was cut off finds at the end of what it had not read. */
  readonly lastWord: Uint8Array
}

/** Written in pieces of this size, so that a slow reader is told from one that does not read. */
const step = 16 * 1024

export class Outlet {
  readonly #output: Writable
  readonly #options: OutletOptions
  #queue: Uint8Array[] = []
  #held = 0
  #writing = false
  #ended = false
  #moved = Promise.withResolvers<void>()
  /** The client has not read for too long: it gets no more. */
  cut = false

  constructor(output: Writable, options: OutletOptions) {
    this.#output = output
    this.#options = options
    output.once('close', () => this.#move())
  }

  /** Resolves when the next piece may come, whether this one was read or not. */
  async write(piece: Uint8Array): Promise<void> {
    if (this.cut) return
    this.#hold(piece)
    while (this.#held >= this.#options.limit && !this.#output.destroyed) {
      if (await this.#moves()) continue
      this.cut = true
      this.#hold(this.#options.lastWord)
      return
    }
  }

  /** No more comes; what is held goes out as the client reads. */
  end(): void {
    this.#ended = true
    if (!this.#writing) this.#output.end()
  }

  #hold(piece: Uint8Array): void {
    this.#queue.push(piece)
    this.#held += piece.byteLength
    if (!this.#writing) this.#send()
  }

  #send(): void {
    if (this.#output.destroyed) return
    if (this.#queue.length === 0) {
      this.#writing = false
      if (this.#ended) this.#output.end()
      return
    }
    this.#writing = true
    const piece = this.#next()
    this.#output.write(piece, error => {
      this.#held -= piece.byteLength
      this.#move()
      // after an error 'close' follows
      if (!error) this.#send()
    })
  }

  /** About a step's worth: small pieces together, a large one in parts. */
  #next(): Uint8Array {
    const first = this.#queue[0]!
    if (first.byteLength > step) {
      this.#queue[0] = first.subarray(step)
      return first.subarray(0, step)
    }
    let count = 0
    let size = 0
    while (count < this.#queue.length && size + this.#queue[count]!.byteLength <= step)
      size += this.#queue[count++]!.byteLength
    const pieces = this.#queue.splice(0, count)
    return pieces.length === 1 ? first : Buffer.concat(pieces, size)
  }

  #move(): void {
    this.#moved.resolve()
    this.#moved = Promise.withResolvers()
  }

  /** Whether the client takes something, or leaves, in time. */
  async #moves(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<false>(resolve => {
      timer = setTimeout(() => resolve(false), this.#options.patience)
    })
    try {
      return await Promise.race([this.#moved.promise.then(() => true), late])
    } finally {
      clearTimeout(timer)
    }
  }
}
