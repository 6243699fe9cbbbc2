/** The web view: a server on this machine, for whoever has the token that it prints. */
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { errnoOf, Failure, messageOf } from '../lib/failure.ts'
import { type Answering, answer, isKnown } from './answer.ts'
import { readPages } from './assets.ts'
import { isLoopback, placeOf, refusal } from './guard.ts'
import { handshake, serveLive } from './live.ts'
import { report } from './report.ts'
import type { Roads } from './roads.ts'
import { Routes } from './routes.ts'
import { Sessions } from './sessions.ts'
import { Shells } from './shells.ts'
import { stackRoutes } from './stack-routes.ts'
import { Stacks } from './stacks.ts'
import { topicsOf } from './topics.ts'

const http = process.getBuiltinModule('node:http')

export interface WebOptions {
  readonly roads: Roads
  /** An address of this machine. */
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  readonly readOnly: boolean
  /** Told of the address by which to log in: the first, and the next after each login. */
  onAddress(url: string): void
}

export interface WebServer {
  /** Where it is, without a token. */
  readonly url: string
  close(): Promise<void>
}

/** @throws Failure `conflict` when the port is taken, `invalid` for an address that is none of this machine */
export async function serveWeb({ roads, host, port, readOnly, onAddress }: WebOptions): Promise<WebServer> {
  const pages = readPages()
  const stacks = new Stacks(roads)
  const server = http.createServer({ maxHeaderSize: 32 * 1024, requestTimeout: 60_000 })
  await listen(server, host, port)
  const { port: taken } = server.address() as AddressInfo
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${taken}`
  const given: Answering = {
    pages,
    sessions: new Sessions({ onToken: token => onAddress(`${url}/login?token=${token}`) }),
    routes: new Routes(stackRoutes(stacks, { roads, readOnly }), { readOnly }),
    readOnly,
    names: ['localhost', ...(isLoopback(host) ? [] : [hostname().toLowerCase()])],
    cookie: `tscompose-${taken}`,
  }
  const topics = topicsOf(stacks)
  const shells = new Shells(roads.client)
  const peers = new Set<WebSocket>()
  server.on('request', (request, response) => {
    answer(request, response, given).catch((error: unknown) => {
      report(error)
      response.destroy()
    })
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    const refused = refusal({ method: 'GET', headers: request.headers, upgrade: true }, given.names)
    if (refused !== undefined || !isKnown(request, given)) return refuse(socket, refused ? 403 : 401)
    const { pathname, searchParams } = placeOf(request.url) ?? { pathname: '' }
    const isShell = pathname === '/api/shell'
    if (pathname !== '/api/live' && !isShell) return refuse(socket, 404)
    if (isShell && readOnly) return refuse(socket, 403)
    void handshake(request, socket, head).then(peer => {
      if (!peer) return
      peers.add(peer)
      peer.once('close', () => peers.delete(peer))
      if (isShell) void shells.serve(peer, searchParams!)
      else serveLive(peer, topics)
    })
  })
  await stacks.start()
  return {
    url,
    async close() {
      stacks.close()
      shells.close()
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      server.closeAllConnections()
      for (const peer of peers) peer.terminate()
      await closed
    },
  }
}

/** Closed behind the answer: nobody reads from it any more, or would hear that the other side has left. */
function refuse(socket: Duplex, status: number): void {
  socket.end(`HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`, () =>
    socket.destroy(),
  )
}

function listen(server: import('node:http').Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', cause => {
      const errno = errnoOf(cause)
      if (errno === 'EADDRINUSE')
        reject(
          new Failure('conflict', `Cannot listen on port ${port}: something else does`, {
            hint: 'Choose another one with --port, or 0 for any',
            cause,
          }),
        )
      else reject(new Failure('invalid', `Cannot listen on ${host}:${port}: ${errno ?? messageOf(cause)}`, { cause }))
    })
    server.listen(port, host, resolve)
  })
}
