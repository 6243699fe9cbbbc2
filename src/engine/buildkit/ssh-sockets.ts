/** Sockets below the engine's own folder that speak with the SSH agent of a client, each for the time of one step. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { ssh, sshIdKey } from '../../api/buildkit/session-services.ts'
import { debug } from '../../lib/debug.ts'
import { isFailure, messageOf } from '../../lib/failure.ts'
import type { HostPath } from '../../runtime/spec.ts'
import { ensureDirectory } from '../base/store.ts'
import type { SshSocket } from '../build/request.ts'
import type { ClientSession } from './sessions.ts'

const log = debug('buildkit')

/** Of one message; clients take 4 MiB, agents send far less. */
const largestPiece = 32 * 1024
const mostConnections = 64
const patience = 10_000

/** Undefined when the client forwards no agent of that id. */
export async function openSshSocket(
  session: ClientSession,
  id: string,
  { folder, signal }: { readonly folder: HostPath; readonly signal: AbortSignal },
): Promise<SshSocket | undefined> {
  if (!session.serves(ssh.forwardAgent.path)) return undefined
  try {
    await session.grpc.call(ssh.checkAgent, { id }, { signal, timeout: patience })
  } catch (error) {
    if (isFailure(error, 'not-found') || isFailure(error, 'unsupported') || isFailure(error, 'internal')) {
      log('no agent "%s": %s', id, messageOf(error))
      return undefined
    }
    throw error
  }
  await ensureDirectory(folder)
  const path = join(folder, `${randomBytes(8).toString('hex')}.sock`)
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, socket => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    socket.on('error', error => log('an agent’s connection broke: %s', error.message))
    void forward(session, id, { socket, signal })
  })
  server.maxConnections = mostConnections
  server.listen(path)
  await once(server, 'listening')
  return {
    path,
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of open) socket.destroy()
      await rm(path, { force: true })
    },
  }
}

interface Forwarding {
  readonly socket: Socket
  readonly signal: AbortSignal
}

/** Bytes both ways until one side has ended. */
async function forward(session: ClientSession, id: string, { socket, signal }: Forwarding): Promise<void> {
  try {
    const call = session.grpc.open(ssh.forwardAgent, { signal, metadata: new Map([[sshIdKey, [id]]]) })
    socket.once('close', () => call.cancel())
    const sending = (async () => {
      for await (const chunk of socket.iterator({ destroyOnReturn: false }))
        for (let at = 0; at < (chunk as Buffer).length; at += largestPiece)
          await call.send({ data: (chunk as Buffer).subarray(at, at + largestPiece) })
      call.end()
    })()
    // what breaks it is told where messages end
    sending.catch(error => log('to agent "%s": %s', id, messageOf(error)))
    for await (const { data } of call.messages)
      if (!socket.write(data)) await new Promise<void>(resolve => settled(socket, resolve))
  } catch (error) {
    log('agent "%s": %s', id, messageOf(error))
  } finally {
    socket.end()
  }
}

/** Drained, or over. */
function settled(socket: Socket, then: () => void): void {
  const done = () => {
    socket.off('drain', done)
    socket.off('close', done)
    then()
  }
  socket.on('drain', done)
  socket.on('close', done)
}
