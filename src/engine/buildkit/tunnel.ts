/** A connection inside a call: bytes of messages both ways. Clients that have no way to another connection open their session so. */
import { Duplex } from 'node:stream'
import type { bytesMessage } from '../../api/buildkit/bytes-message.ts'
import type { From, Of } from '../../api/buildkit/message.ts'

type Piece = From<typeof bytesMessage>

export interface Tunnel {
  readonly connection: Duplex
  /** What is written to the connection. */
  readonly sent: AsyncIterable<Piece>
}

/** Bytes that wait to be sent before a writer waits. */
const held = 256 * 1024

export function openTunnel(received: AsyncIterable<Of<typeof bytesMessage>>): Tunnel {
  const incoming = received[Symbol.asyncIterator]()
  const waiting: Buffer[] = []
  let wake = Promise.withResolvers<void>()
  let written: (() => void) | undefined
  let over = false
  const ring = () => {
    wake.resolve()
    wake = Promise.withResolvers<void>()
  }
  const connection = new Duplex({
    writableHighWaterMark: held,
    read() {
      incoming.next().then(
        ({ done, value }) => this.push(done ? null : value.data),
        error => this.destroy(error instanceof Error ? error : undefined),
      )
    },
    write(chunk: Buffer, _encoding, callback) {
      waiting.push(chunk)
      written = callback
      ring()
    },
    final(callback) {
      over = true
      ring()
      callback()
    },
    destroy(error, callback) {
      over = true
      ring()
      callback(error)
    },
  })
  connection.on('error', () => {})
  return {
    connection,
    sent: (async function* () {
      try {
        for (;;) {
          const data = waiting.shift()
          if (data === undefined) {
            if (over) return
            await wake.promise
            continue
          }
          yield { data }
          const callback = written
          written = undefined
          callback?.()
        }
      } finally {
        connection.destroy()
      }
    })(),
  }
}
