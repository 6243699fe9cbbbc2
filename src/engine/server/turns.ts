/**
 * How much the engine works on at a time: what is more is told to come back, so that it neither runs out of memory nor lets those wait
 * that it works for already.
 */
import type { ReplyShape } from '../../api/endpoint.ts'
import { NotReady } from '../../api/status.ts'

const mostOperations = 999

export class Busy extends NotReady {
  /** Seconds after which whoever was refused may try again. */
  readonly retryAfter = 1
}

/** Replies that go on when the work is done: who listens takes no turn. */
const listening: ReadonlySet<ReplyShape['kind']> = new Set(['lines', 'output', 'hijack', 'connection', 'websocket'])

export class Turns {
  readonly #most: number
  readonly #onGiven: () => void
  #taken = 0

  /** @param onGiven hears of each turn that is given back */
  constructor(most = mostOperations, onGiven: () => void = () => undefined) {
    this.#most = most
    this.#onGiven = onGiven
  }

  get taken(): number {
    return this.#taken
  }

  /** Given back once, however often it is told. @throws Failure `unavailable` when all are taken. */
  take(): () => void {
    if (this.#taken >= this.#most)
      throw new Busy(`The engine is busy with ${this.#taken} operations`, {
        hint: 'Try again in a moment, or raise max-operations in the settings of the engine',
      })
    this.#taken++
    let isGiven = false
    return () => {
      if (isGiven) return
      isGiven = true
      this.#taken--
      this.#onGiven()
    }
  }
}

/** Whether an operation is over when its handler has answered, and not only when all of the answer is sent. */
export function endsWithItsHandler({ kind }: ReplyShape): boolean {
  return listening.has(kind)
}
