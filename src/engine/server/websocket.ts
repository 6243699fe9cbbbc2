/** A session over a WebSocket (RFC 6455): output in binary messages as it comes, what a client sends to stdin, its close frame the end of it. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws'
import type { Session } from '../../api/endpoint.ts'
import { join, type OnCut } from './hijack.ts'

/** A message to stdin may have this many bytes. */
const maxPayload = 1024 * 1024

/** Compression would cost more than a local connection gains. */
const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload })

/** Answers the handshake, which may be refused, and serves the session until one of both has ended. */
export async function serveWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  session: Session,
  onCut: OnCut,
): Promise<void> {
  const peer = await handshake(request, socket)
  if (peer === undefined) return session.close()
  const stream = createWebSocketStream(peer)
  await join(session, { input: stream, output: stream, framed: false, onCut })
}

/** Undefined: the client did not ask as the protocol wants it, and has been told. */
function handshake(request: IncomingMessage, socket: Duplex): Promise<WebSocket | undefined> {
  return new Promise(resolve => {
    socket.once('close', () => resolve(undefined))
    // what came with the head is on the socket again
    server.handleUpgrade(request, socket, Buffer.alloc(0), resolve)
  })
}
