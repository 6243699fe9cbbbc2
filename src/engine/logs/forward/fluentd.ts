/** Driver fluentd: events over TCP, TLS or a Unix socket, each confirmed before the next where that was asked for. */
import { randomBytes } from 'node:crypto'
import { decodeMulti } from '@msgpack/msgpack'
import { type LogInfo, tagOf } from '../log-info.ts'
import { targetText } from './address.ts'
import { fluentdEvent } from './fluentd-format.ts'
import { fluentdSettings } from './fluentd-options.ts'
import type { Route, Sender } from './sender.ts'
import { StreamConnection } from './stream-connection.ts'

/** How long a confirmation may take, in milliseconds, and what it may be at most, in bytes. */
const patience = 30_000
const longestAnswer = 64 * 1024

export function fluentdRoute(info: LogInfo): Route {
  const { target, async: unchecked, acknowledged, subSecond } = fluentdSettings(info.options)
  const source = { tag: tagOf(info, '{{.ID}}'), subSecond, info }
  return {
    to: targetText(target),
    unchecked,
    connect: async (signal): Promise<Sender> => {
      const connection = await StreamConnection.open(target, signal)
      const answers = acknowledged ? new Answers(connection) : undefined
      return {
        send: async message => {
          const chunk = answers && randomBytes(16).toString('base64')
          const confirmed = chunk === undefined ? undefined : answers?.wait(chunk)
          // the write fails first when the connection breaks
          confirmed?.catch(() => undefined)
          await connection.write(Buffer.from(fluentdEvent(message, source, chunk)))
          await confirmed
        },
        close: () => connection.close(),
      }
    },
  }
}

/** `{"ack": chunk}`, one for each event. */
class Answers {
  #bytes = Buffer.alloc(0)
  #chunk = ''
  #waiting = Promise.withResolvers<void>()

  constructor(connection: StreamConnection) {
    this.#waiting.promise.catch(() => undefined)
    connection.listen(
      data => this.#take(data),
      error => this.#waiting.reject(error),
    )
  }

  /** @throws Error when it does not come, or another one does. */
  async wait(chunk: string): Promise<void> {
    this.#chunk = chunk
    this.#waiting = Promise.withResolvers()
    const { promise, reject } = this.#waiting
    promise.catch(() => undefined)
    const timer = setTimeout(() => reject(new Error('the server confirms nothing')), patience)
    try {
      await promise
    } finally {
      clearTimeout(timer)
    }
  }

  #take(data: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, data])
    if (this.#bytes.length > longestAnswer) {
      this.#waiting.reject(new Error('the server answers something else than a confirmation'))
      return
    }
    let answers: unknown[]
    try {
      answers = [...decodeMulti(this.#bytes)]
    } catch (error) {
      // an answer in pieces: the rest is on its way
      if (error instanceof RangeError) return
      this.#waiting.reject(error)
      return
    }
    this.#bytes = Buffer.alloc(0)
    for (const answer of answers) {
      if (typeof answer === 'object' && answer !== null && 'ack' in answer && answer.ack === this.#chunk)
        this.#waiting.resolve()
      else this.#waiting.reject(new Error('the server confirms another event'))
    }
  }
}
