/** Listens on sockets and answers the Docker Engine API with the handlers it is given. */
import { chmod, chown, lstat, unlink } from 'node:fs/promises'
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Endpoint, Handler, Handlers, RequestContext, Session } from '../../api/endpoint.ts'
import { endpoints } from '../../api/endpoints.ts'
import { checkVersion, compareVersions, oldestVersion } from '../../api/version.ts'
import { debug } from '../../lib/debug.ts'
import { errnoOf, Failure, isFailure, messageOf } from '../../lib/failure.ts'
import { decodeBody, decodeHeaders, decodeQuery } from './decode.ts'
import { refuse, streamTo, upgradedBody, upgradeTo } from './hijack.ts'
import { sendError, sendJson, sendReply, sendText, standardHeaders } from './reply.ts'
import { type Route, Router } from './router.ts'

// not by `import`, which would load all of fetch: see client/request.ts
const http = process.getBuiltinModule('node:http')
const log = debug('http')

/** A request's line and headers together. */
const maxHeaderSize = 16 * 1024
/** A client that has not sent its headers by then is cut off. */
const headersTimeout = 10_000
const keepAliveTimeout = 120_000
/** Per socket; beyond it new ones are closed, so that file descriptors are left for containers. */
const maxConnections = 4096

export type Listener =
  /** Access by file mode: 0660, root and `group`. */
  | { readonly kind: 'unix'; readonly path: string; readonly group?: number | undefined }
  /** Whoever reaches it is root on this host; `insecure` says that this is meant. */
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly insecure: boolean }

export interface ServeOptions {
  readonly listeners: readonly Listener[]
  readonly handlers: Handlers<typeof endpoints>
  /** For the Server header. */
  readonly serverVersion: string
  /** Defects, and connections told off: a line each. */
  readonly onProblem?: (line: string) => void
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
    await Promise.all(
      this.#servers.map(server => {
        const closed = new Promise<void>(resolve => server.close(() => resolve()))
        server.closeAllConnections()
        return closed
      }),
    )
    for (const socket of this.#upgraded) socket.destroy()
  }
}

/** @throws Failure `denied` for plain TCP not asked for, `conflict` when someone listens there already. */
export async function serve(options: ServeOptions): Promise<Server> {
  const router = new Router(Object.values(endpoints))
  const upgraded = new Set<Duplex>()
  const servers: HttpServer[] = []
  const sockets: ServedSocket[] = []
  try {
    for (const listener of options.listeners) {
      const server = makeServer(options, router, listener, upgraded)
      sockets.push({ address: await listen(server, listener) })
      servers.push(server)
    }
  } catch (error) {
    await new Server(servers, sockets, upgraded).close()
    throw error
  }
  return new Server(servers, sockets, upgraded)
}

function makeServer(options: ServeOptions, router: Router, listener: Listener, upgraded: Set<Duplex>): HttpServer {
  const answer = new Answer(options, router, listener)
  const server = http.createServer({
    maxHeaderSize,
    headersTimeout,
    // bodies have limits of their own: an image may take long to load
    requestTimeout: 0,
    keepAliveTimeout,
    connectionsCheckingInterval: 5000,
    // BuildKit sends an empty one
    requireHostHeader: false,
    noDelay: true,
    shouldUpgradeCallback: request => answer.upgrades(request),
  })
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

async function listen(server: HttpServer, listener: Listener): Promise<string> {
  const started = Promise.withResolvers<void>()
  server.once('error', started.reject)
  server.once('listening', () => started.resolve())
  if (listener.kind === 'tcp') {
    if (!listener.insecure)
      throw new Failure(
        'denied',
        `Cannot listen on tcp://${listener.host}:${listener.port}: without TLS whoever reaches it is root on this host`,
        {
          hint: 'Use a unix socket, or ask for plain TCP in so many words',
        },
      )
    server.listen(listener.port, listener.host)
    await started.promise.catch(error => {
      throw listenFailure(`tcp://${listener.host}:${listener.port}`, error)
    })
    const { address, port, family } = server.address() as AddressInfo
    return `tcp://${family === 'IPv6' ? `[${address}]` : address}:${port}`
  }
  await removeStale(listener.path)
  // The file gets its mode from the umask at bind(), which listen() does before it returns: at no time may others connect.
  const mask = process.umask(0o117)
  try {
    server.listen(listener.path)
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

/** One request to one handler. */
class Answer {
  readonly #options: ServeOptions
  readonly #router: Router
  readonly #listener: Listener
  readonly #headers: readonly (readonly [string, string])[]

  constructor(options: ServeOptions, router: Router, listener: Listener) {
    this.#options = options
    this.#router = router
    this.#listener = listener
    this.#headers = Object.entries(standardHeaders(options.serverVersion))
  }

  /** Only a hijack takes the connection over; whatever else asks for an upgrade is answered as if it had not. */
  upgrades(request: IncomingMessage): boolean {
    if (request.headers.upgrade?.toLowerCase() !== 'tcp') return false
    try {
      return this.#router.find(request.method ?? '', request.url ?? '')?.endpoint.reply.kind === 'hijack'
    } catch (error) {
      // a malformed URL: `request` meets it again and says so
      if (isFailure(error)) return false
      throw error
    }
  }

  async request(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const since = performance.now()
    response.once('close', () =>
      log('%s %s %d %s ms', request.method, request.url, response.statusCode, (performance.now() - since).toFixed(1)),
    )
    // a client that leaves while it is written to; 'close' follows and is what counts
    response.on('error', error => log('a client left: %s', error.message))
    request.on('error', error => log('a client left: %s', error.message))
    const left = new AbortController()
    response.once('close', () => {
      if (!response.writableFinished) left.abort()
    })
    try {
      checkOrigin(request, this.#listener)
      if (request.method === 'OPTIONS') {
        this.#setHeaders(response)
        response.writeHead(200, { 'Content-Length': '0' }).end()
        return
      }
      const route = this.#router.find(request.method ?? '', request.url ?? '')
      if (route === undefined) {
        sendJson(response, 404, { message: 'page not found' })
        return
      }
      this.#setHeaders(response)
      if (compareVersions(route.version, oldestVersion) < 0) {
        sendText(response, 400, tooOld(route.version))
        return
      }
      if (route.endpoint.path === '/_ping') setPingHeaders(response)
      const reply = await this.#handle(route, request, request, left.signal)
      if (route.endpoint.reply.kind === 'hijack' && reply !== undefined)
        await streamTo(request, response, reply as Session)
      else await sendReply(response, route.endpoint, reply)
    } catch (error) {
      this.#note(request, error)
      sendError(response, error)
    }
  }

  async upgrade(request: IncomingMessage, socket: Duplex): Promise<void> {
    const left = new AbortController()
    socket.once('close', () => left.abort())
    let endpoint: Endpoint = endpoints.containerAttach
    let session: Session | undefined
    try {
      checkOrigin(request, this.#listener)
      // `upgrades` has found it
      const route = this.#router.find(request.method ?? '', request.url ?? '')!
      endpoint = route.endpoint
      session = (await this.#handle(route, request, await upgradedBody(request, socket), left.signal)) as
        | Session
        | undefined
    } catch (error) {
      this.#note(request, error)
      refuse(socket, endpoint, error)
      return
    }
    if (session === undefined) {
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
      return
    }
    try {
      await upgradeTo(socket, session)
    } catch (error) {
      this.#note(request, error)
      socket.destroy()
    }
  }

  async #handle(
    { endpoint, params, query, version }: Route,
    request: IncomingMessage,
    body: IncomingMessage | Awaited<ReturnType<typeof upgradedBody>>,
    signal: AbortSignal,
  ): Promise<unknown> {
    checkVersion(version)
    const handler = this.#options.handlers[endpoint.name as keyof typeof endpoints] as unknown as Handler<Endpoint>
    const context: RequestContext = { signal, version }
    return handler(
      {
        params,
        query: decodeQuery(endpoint, query),
        headers: decodeHeaders(endpoint, request),
        body: (await decodeBody(endpoint, request, body)) as never,
      },
      context,
    )
  }

  #setHeaders(response: ServerResponse): void {
    for (const [name, value] of this.#headers) response.setHeader(name, value)
  }

  /** Defects of ours are worth a line in the engine's log; what a client did wrong is told to the client. */
  #note(request: IncomingMessage, error: unknown): void {
    if (error instanceof Failure && error.kind !== 'internal')
      log('%s %s: %s', request.method, request.url, error.message)
    else this.#options.onProblem?.(`${request.method} ${request.url}: ${error instanceof Error ? error.stack : error}`)
  }
}

function tooOld(version: string): string {
  try {
    checkVersion(version)
  } catch (error) {
    return messageOf(error)
  }
  throw new Failure('internal', `version ${version} is not too old`)
}

function setPingHeaders(response: ServerResponse): void {
  response.setHeader('Builder-Version', '1')
  response.setHeader('Swarm', 'inactive')
  response.setHeader('Cache-Control', 'no-cache, no-store, must-revalidate')
  response.setHeader('Pragma', 'no-cache')
}

/**
 * A browser on this machine reaches a TCP port for any page it shows: by a name that now resolves to 127.0.0.1, or by a plain form.
 * Neither can leave out Origin or forge Host. A unix socket is out of its reach.
 */
function checkOrigin({ headers }: IncomingMessage, listener: Listener): void {
  if (listener.kind === 'unix') return
  const host = (headers.host ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  if (!['localhost', '127.0.0.1', '::1', listener.host].includes(host))
    throw new Failure('denied', `Host "${host}" is not served here`)
  if (headers.origin !== undefined || (headers['sec-fetch-site'] ?? 'none') !== 'none')
    throw new Failure('denied', 'Requests from web pages are not served')
}
