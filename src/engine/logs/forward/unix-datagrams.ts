/** A Unix datagram socket with one other end: it takes a datagram or is full, and then it is asked again. */
import { closeSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { errnoOf, Failure, messageOf } from '../../../lib/failure.ts'
import { openDatagrams, sendDatagram } from '../../../runtime/native.ts'

/** Nothing wakes us when a reader has made room. */
const firstWait = 2
const longestWait = 200

export class UnixDatagrams {
  readonly #fd: number
  #closed = false

  private constructor(fd: number) {
    this.#fd = fd
  }

  /** @throws Failure `unavailable` when nobody listens there. */
  static open(path: string): UnixDatagrams {
    try {
      return new UnixDatagrams(openDatagrams(path))
    } catch (cause) {
      throw new Failure('unavailable', `Cannot send to "unixgram://${path}": ${reasonOf(cause)}`, { cause })
    }
  }

  /** @throws Failure `invalid` for more than the socket takes at once; Error when nobody listens any more, or it is closed. */
  async send(bytes: Buffer): Promise<void> {
    for (let wait = firstWait; ; wait = Math.min(wait * 2, longestWait)) {
      if (this.#closed) throw new Error('the socket is closed')
      if (sendDatagram(this.#fd, bytes)) return
      await pause(wait)
    }
  }

  async close(): Promise<void> {
    if (!this.#closed) closeSync(this.#fd)
    this.#closed = true
  }
}

function reasonOf(error: unknown): string {
  if (errnoOf(error) === 'ENOENT') return 'no such file or directory'
  return errnoOf(error) === 'ECONNREFUSED' ? 'connection refused' : messageOf(error)
}
