/** What was answered to a question before, to be answered again without reading it: a client that asks without end costs a look-up. */
import type { Names } from './names.ts'

/** Questions kept; one that is larger, or carries what differs each time, is not worth it. */
const limits = { questions: 256, size: 512 }

interface Known {
  /** All there are to it, each with another address first. */
  readonly responses: readonly Buffer[]
  turn: number
}

/** Of one sandbox, since names are seen from a container's own place. */
export class KnownAnswers {
  readonly #names: Names
  #version = -1
  readonly #known = new Map<string, Known>()

  constructor(names: Names) {
    this.#names = names
  }

  /** The response to `query`, with its id; undefined when it has not been asked since names have changed. */
  find(query: Buffer): Buffer | undefined {
    if (this.#version !== this.#names.version || query.length > limits.size) return undefined
    const known = this.#known.get(keyOf(query))
    if (!known) return undefined
    const response = Buffer.from(known.responses[known.turn++ % known.responses.length]!)
    query.copy(response, 0, 0, 2)
    return response
  }

  /** @param version of the names when they were asked for it. */
  keep(query: Buffer, responses: readonly Buffer[], version: number): void {
    if (version !== this.#names.version || query.length > limits.size) return
    if (this.#version !== version || this.#known.size >= limits.questions) this.#known.clear()
    this.#version = version
    // not all begin with the same one
    this.#known.set(keyOf(query), { responses, turn: Math.floor(Math.random() * responses.length) })
  }
}

/** All of it but the id. */
function keyOf(query: Buffer): string {
  return query.toString('latin1', 2)
}
