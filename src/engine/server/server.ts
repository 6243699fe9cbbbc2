/** Listens on sockets and answers the Docker Engine API with the handlers it is given. */
import { chmod, chown, lstat, unlink } from 'node:fs/promises'
import type { Server as HttpServer, IncomingMessage, ServerOptions } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { endpoints } from '../../api/endpoints.ts'
import { debug } from '../../lib/debug.ts'
import { errnoOf, Failure, messageOf } from '../../lib/failure.ts'
import { Answer, type AnswerOptions, type Listener, type ServerTls } from './answer.ts'
import { Router } from './router.ts'
import { Turns } from './turns.ts'

// not by `import`, which would load all of fetch: see client/request.ts
const http = process.getBuiltinModule('node:http')
const log = debug('http')

/** A request's line and headers together. */
const maxHeaderSize = 16 * 1024
/** A client that has not sent its headers by then is cut off. */
const headersTimeout = 10_000
const keepAliveTimeout = 120_000
/** Connections that wait to be accepted; with fewer a burst of clients is refused (EAGAIN). The kernel has a limit of its own. */
const backlog = 4096
/** Per socket; beyond it new ones are closed, so that file descriptors are left for containers. */
const maxConnections = 4096

export interface ServeOptions extends AnswerOptions {
  readonly listeners: readonly Listener[]
  /** Hears that an operation has ended. */
  readonly onDone?: () => void
}

export interface ServedSocket {
  /** unix:///run/tscompose/engine.sock, tcp://127.0.0.1:2375 */
  readonly address: string
}

/** The listening sockets; `close` ends them and every connection. */
export class Server {
  readonly sockets: readonly ServedSocket[]
  readonly #servers: readonly HttpServer[]
  readonly #upgraded: ReadonlySet<Duplex>

  constructor(servers: readonly HttpServer[], sockets: readonly ServedSocket[], upgraded: ReadonlySet<Duplex>) {
    this.#servers = servers
    this.sockets = sockets
    this.#upgraded = upgraded
  }

  async close(): Promise<void> {
    const closed = this.#servers.map(server => new Promise<void>(resolve => server.close(() => resolve())))
    for (const server of this.#servers) server.closeAllConnections()
    // they count as connections, but not among those that can be closed at once
    for (const socket of this.#upgraded) socket.destroy()
    await Promise.all(closed)
  }
}

/** @throws Failure `denied` for plain TCP not asked for, `conflict` when someone listens there already. */
export async function serve(options: ServeOptions): Promise<Server> {
  const shared = {
    router: new Router(Object.values(endpoints)),
    turns: new Turns(options.mostOperations, options.onDone),
  }
  const upgraded = new Set<Duplex>()
  const servers: HttpServer[] = []
  const sockets: ServedSocket[] = []
  try {
    for (const listener of options.listeners) {
      const server = makeServer(options, listener, { ...shared, upgraded })
      sockets.push({ address: await listen(server, listener) })
      servers.push(server)
    }
  } catch (error) {
    await new Server(servers, sockets, upgraded).close()
    throw error
  }
  return new Server(servers, sockets, upgraded)
}

interface Shared {
  readonly router: Router
  readonly turns: Turns
  readonly upgraded: Set<Duplex>
}

function makeServer(options: ServeOptions, listener: Listener, { upgraded, ...shared }: Shared): HttpServer {
  const answer = new Answer(options, listener, shared)
  const tls = listener.kind === 'tcp' ? listener.tls : undefined
  const settings: ServerOptions = {
    maxHeaderSize,
    headersTimeout,
    // bodies have limits of their own: an image may take long to load
    requestTimeout: 0,
    keepAliveTimeout,
    connectionsCheckingInterval: 5000,
    // BuildKit sends an empty one
    requireHostHeader: false,
    noDelay: true,
    shouldUpgradeCallback: (request: IncomingMessage) => answer.upgrades(request),
  }
  const server: HttpServer = tls ? secured(settings, tls) : http.createServer(settings)
  server.maxConnections = maxConnections
  server.on('request', (request, response) => void answer.request(request, response))
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    upgraded.add(socket)
    socket.once('close', () => upgraded.delete(socket))
    socket.on('error', error => log('an upgraded connection broke: %s', error.message))
    if (head.length > 0) socket.unshift(head)
    void answer.upgrade(request, socket)
  })
  server.on('clientError', (error: Error & { code?: string }, socket: Socket) => {
    log('refused: %s', error.message)
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.destroy()
      return
    }
    const status =
      error.code === 'HPE_HEADER_OVERFLOW'
        ? '431 Request Header Fields Too Large'
        : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
          ? '408 Request Timeout'
          : '400 Bad Request'
    const body = `{"message":"${status.slice(4)}"}\n`
    socket.end(
      `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    )
    socket.destroySoon()
  })
  return server
}

/** Clients prove who they are, or are not let in. */
function secured(settings: ServerOptions, tls: ServerTls): HttpServer {
  const https = process.getBuiltinModule('node:https')
  const server = https.createServer({
    ...settings,
    ...tls,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: headersTimeout,
  })
  // a client's half-close is the end of stdin; node's plain server keeps the other half open by itself
  server.on('secureConnection', socket => {
    socket.allowHalfOpen = true
  })
  server.on('tlsClientError', error => log('refused: %s', error.message))
  return server
}

async function listen(server: HttpServer, listener: Listener): Promise<string> {
  const started = Promise.withResolvers<void>()
  server.once('error', started.reject)
  server.once('listening', () => started.resolve())
  if (listener.kind === 'tcp') {
    if (!listener.insecure && !listener.tls)
      throw new Failure(
        'denied',
        `Cannot listen on tcp://${listener.host}:${listener.port}: without TLS whoever reaches it is root on this host`,
        {
          hint: 'Name certificates by --tlscacert, --tlscert and --tlskey, use a unix socket, or ask for plain TCP by --insecure-tcp',
        },
      )
    server.listen({ port: listener.port, host: listener.host, backlog })
    await started.promise.catch(error => {
      throw listenFailure(`tcp://${listener.host}:${listener.port}`, error)
    })
    const { address, port, family } = server.address() as AddressInfo
    return `tcp://${family === 'IPv6' ? `[${address}]` : address}:${port}`
  }
  if (listener.fd !== undefined) {
    server.listen({ fd: listener.fd })
    await started.promise.catch(error => {
      throw listenFailure(`the socket that is open as ${listener.fd}`, error)
    })
    return `unix://${listener.path}`
  }
  await removeStale(listener.path)
  // The file gets its mode from the umask at bind(), which listen() does before it returns: at no time may others connect.
  const mask = process.umask(0o117)
  try {
    server.listen({ path: listener.path, backlog })
  } finally {
    process.umask(mask)
  }
  await started.promise.catch(error => {
    throw listenFailure(`unix://${listener.path}`, error)
  })
  if (listener.group !== undefined) {
    await chown(listener.path, process.getuid?.() ?? 0, listener.group)
    // chown clears nothing on a socket, but a mode is set and not hoped for
    await chmod(listener.path, 0o660)
  }
  return `unix://${listener.path}`
}

function listenFailure(address: string, error: unknown): Failure {
  const kind = errnoOf(error) === 'EADDRINUSE' ? 'conflict' : errnoOf(error) === 'EACCES' ? 'denied' : 'unavailable'
  return new Failure(kind, `Cannot listen on ${address}: ${errnoOf(error) ?? messageOf(error)}`, { cause: error })
}

/** What a killed engine left behind; never a file that is no socket, never one that someone answers on. */
async function removeStale(path: string): Promise<void> {
  let found: Awaited<ReturnType<typeof lstat>>
  try {
    found = await lstat(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return
    throw listenFailure(`unix://${path}`, error)
  }
  if (!found.isSocket()) throw new Failure('conflict', `Cannot listen on unix://${path}: it exists and is no socket`)
  const probe = connect(path)
  const alive = await new Promise<boolean>(resolve => {
    probe.once('connect', () => resolve(true))
    probe.once('error', error => resolve(errnoOf(error) !== 'ECONNREFUSED'))
  })
  probe.destroy()
  if (alive) throw new Failure('conflict', `Cannot listen on unix://${path}: an engine is listening there already`)
  await unlink(path)
}
