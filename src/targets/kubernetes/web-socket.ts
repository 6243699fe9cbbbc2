/** WebSockets to an API server, whose refusals are told in its words. */
import type { Duplex } from 'node:stream'
import { createWebSocketStream, type WebSocket } from 'ws'
import { Failure } from '../../lib/failure.ts'
import { statusOf } from './rest/status.ts'

/** What comes, message by message, from the first one on: it may be here before whoever waits for the opening has been told. */
export function messagesOf(socket: WebSocket): Duplex {
  const messages = createWebSocketStream(socket, { readableObjectMode: true })
  // what goes wrong before anybody reads is told by `opened`
  messages.on('error', () => undefined)
  return messages
}

/** Resolves once it is open. `cannot`: what is not to be had otherwise. @throws Failure of what the server says to it */
export function opened(socket: WebSocket, signal: AbortSignal, cannot: string): Promise<void> {
  return new Promise((done, failed) => {
    const stop = () => {
      socket.terminate()
      failed(new Failure('cancelled', 'Interrupted'))
    }
    signal.addEventListener('abort', stop, { once: true })
    const settle = (end: () => void) => {
      signal.removeEventListener('abort', stop)
      end()
    }
    socket.once('open', () => settle(done))
    socket.once('error', error =>
      settle(() => failed(new Failure('unavailable', `${cannot}: ${error.message}`, { cause: error }))),
    )
    socket.once('unexpected-response', (_, response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.once('end', () => {
        const { message, code } = statusOf(Buffer.concat(parts).toString(), response.statusCode ?? 0)
        const kind = code === 401 || code === 403 ? 'denied' : 'invalid'
        settle(() => failed(new Failure(kind, `${cannot}: ${message}`)))
        socket.terminate()
      })
    })
  })
}
