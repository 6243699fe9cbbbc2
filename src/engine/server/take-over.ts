/** The connection of a request that Node has read as any other. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Nothing more of it is read as HTTP, and nothing is answered by `response`. For requests without a body that ask by "Upgrade" alone: Node,
 * as RFC 9110 7.8 has it, wants "Connection" to say so too; Docker's clients leave it out, and its engine does not miss it.
 */
export function takeOver({ socket }: IncomingMessage, response: ServerResponse): Socket {
  response.detachSocket(socket)
  // the server reads past the stream as long as nobody else listens to it
  socket.on('data', () => undefined)
  for (const event of ['data', 'end', 'drain', 'timeout']) socket.removeAllListeners(event)
  // what comes before somebody reads is kept
  return socket.pause()
}
