/** Two sockets of this process that are connected to each other. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export async function connectedPair(): Promise<readonly [Socket, Socket]> {
  const server = createServer()
  // an abstract name: no file to be left behind
  const name = `\0tscompose-test-${randomUUID()}`
  server.listen(name)
  await once(server, 'listening')
  const accepted = once(server, 'connection')
  const near = connect(name)
  const [far] = (await accepted) as [Socket]
  server.close()
  return [near, far]
}
