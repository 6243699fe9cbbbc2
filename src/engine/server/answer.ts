/** A request to its endpoint's handler, and what that returns or throws to an answer. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type {
  Endpoint,
  Handler,
  Handlers,
  ReplyShape,
  RequestContext,
  Session,
  TakeConnection,
} from '../../api/endpoint.ts'
import { endpoints } from '../../api/endpoints.ts'
import { checkVersion, compareVersions, oldestVersion } from '../../api/version.ts'
import { debug } from '../../lib/debug.ts'
import { errnoOf, Failure, isFailure, messageOf } from '../../lib/failure.ts'
import { spaceFailure } from '../base/space.ts'
import type { Unread } from './arrival.ts'
import { decodeBody, decodeHeaders, decodeQuery } from './decode.ts'
import { answerInstead, handOver, refuse, streamTo, upgradedBody, upgradeTo } from './hijack.ts'
import { sendError, sendJson, sendReply, sendText, standardHeaders } from './reply.ts'
import type { Route, Router } from './router.ts'
import { takeOver } from './take-over.ts'
import { Busy, endsWithItsHandler, type Turns } from './turns.ts'

const log = debug('http')

export type Listener =
  /** Access by file mode: 0660, root and `group`. */
  | {
      readonly kind: 'unix'
      readonly path: string
      readonly group?: number | undefined
      /** It is open already and its file somebody else's: whoever started us has made it, with the mode it is to have. */
      readonly fd?: number | undefined
    }
  /** With `tls` whoever has a certificate of that authority is root on this host; without, whoever reaches it: `insecure` says that this is meant. */
  | {
      readonly kind: 'tcp'
      readonly host: string
      readonly port: number
      readonly insecure: boolean
      readonly tls?: ServerTls | undefined
    }

export interface AnswerOptions {
  readonly handlers: Handlers<typeof endpoints>
  /** For the Server header. */
  readonly serverVersion: string
  /** Of a connection: bytes written that its reader has not taken. */
  readonly unread?: Unread | undefined
  /** Worked on at a time; 999 by default. */
  readonly mostOperations?: number | undefined
  /** Defects, and connections told off: a line each. */
  readonly onProblem?: (line: string) => void
}

/** PEM: who the engine is, and who may sign for its clients. */
export interface ServerTls {
  readonly ca: Buffer
  readonly cert: Buffer
  readonly key: Buffer
}

/** Protocols that a connection is switched to → replies that are served by them. */
const upgrades: ReadonlyMap<string, ReplyShape['kind']> = new Map([
  ['tcp', 'hijack'],
  ['h2c', 'connection'],
  ['websocket', 'websocket'],
])

/** One request to one handler. */
export class Answer {
  readonly #options: AnswerOptions
  readonly #router: Router
  readonly #listener: Listener
  readonly #turns: Turns
  readonly #headers: readonly (readonly [string, string])[]

  /** @param shared with those that answer on other sockets. */
  constructor(options: AnswerOptions, listener: Listener, shared: { readonly router: Router; readonly turns: Turns }) {
    this.#options = options
    this.#router = shared.router
    this.#turns = shared.turns
    this.#listener = listener
    this.#headers = Object.entries(standardHeaders(options.serverVersion))
  }

  /** Only what is to be had over the connection itself takes it over; whatever else asks for an upgrade is answered as if it had not. */
  upgrades(request: IncomingMessage): boolean {
    const wanted = upgrades.get(request.headers.upgrade?.toLowerCase() ?? '')
    if (wanted === undefined) return false
    try {
      return this.#router.find(request.method ?? '', request.url ?? '')?.endpoint.reply.kind === wanted
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
    let done = () => {}
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
      checkUpgradable(route.endpoint, request)
      if (route.endpoint.reply.kind === 'connection') return await this.upgrade(request, takeOver(request, response))
      if (route.endpoint.path === '/_ping') setPingHeaders(response)
      // whoever asks whether the engine lives is answered
      else done = this.#turns.take()
      const reply = await this.#handle(route, request, request, left.signal)
      // of one whose client has left, the work is over now
      if (endsWithItsHandler(route.endpoint.reply) || response.destroyed) done()
      else response.once('close', done)
      if (route.endpoint.reply.kind === 'hijack' && reply !== undefined)
        await streamTo(request, response, reply as Session, this.#telling(request))
      else await sendReply(response, route.endpoint, reply)
    } catch (error) {
      done()
      this.#note(request, error, response.headersSent)
      if (error instanceof Busy && !response.headersSent) response.setHeader('Retry-After', error.retryAfter)
      sendError(response, error)
    }
  }

  async upgrade(request: IncomingMessage, socket: Duplex): Promise<void> {
    const left = new AbortController()
    socket.once('close', () => left.abort())
    let endpoint: Endpoint = endpoints.containerAttach
    let session: Session | TakeConnection | undefined
    let done = () => {}
    try {
      checkOrigin(request, this.#listener)
      done = this.#turns.take()
      // `upgrades` has found it
      const route = this.#router.find(request.method ?? '', request.url ?? '')!
      endpoint = route.endpoint
      session = (await this.#handle(route, request, await upgradedBody(request, socket), left.signal)) as
        | Session
        | TakeConnection
        | undefined
    } catch (error) {
      this.#note(request, error)
      refuse(socket, endpoint, error)
      return
    } finally {
      done()
    }
    if (session === undefined) {
      answerInstead(socket, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
      return
    }
    try {
      if (endpoint.reply.kind === 'websocket') {
        const { serveWebSocket } = await import('./websocket.ts')
        await serveWebSocket(request, socket, session as Session, this.#telling(request))
      } else if (typeof session === 'function')
        await handOver(socket, session, { protocol: 'h2c', headers: this.#headers })
      else {
        const { unread } = this.#options
        await upgradeTo(socket, session, { headers: this.#headers, unread, onCut: this.#telling(request) })
      }
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
    try {
      return await handler(
        {
          params,
          query: decodeQuery(endpoint, query),
          headers: decodeHeaders(endpoint, request),
          body: (await decodeBody(endpoint, request, body)) as never,
        },
        context,
      )
    } catch (error) {
      throw spaceFailure(error)
    }
  }

  #setHeaders(response: ServerResponse): void {
    for (const [name, value] of this.#headers) response.setHeader(name, value)
  }

  /** For the engine's log, when a client is cut off in the middle of its answer: nothing else would say why. */
  #telling(request: IncomingMessage): (why: string) => void {
    return why => this.#options.onProblem?.(`${request.method} ${request.url}: the client is cut off: ${why}`)
  }

  /**
   * What the engine could not do is one line in its log, a defect of ours has its stack; what a client did wrong is told to the client,
   * unless its answer had `begun`.
   */
  #note(request: IncomingMessage, error: unknown, begun = false): void {
    const told = error instanceof Failure || errnoOf(error) !== undefined
    if (begun && error instanceof Failure && error.kind === 'unavailable') this.#telling(request)(error.message)
    else if (error instanceof Failure && error.kind !== 'internal')
      log('%s %s: %s', request.method, request.url, error.message)
    else
      this.#options.onProblem?.(
        `${request.method} ${request.url}: ${told || !(error instanceof Error) ? messageOf(error) : error.stack}`,
      )
  }
}

function tooOld(version: string): string {
  try {
    checkVersion(version)
  } catch (error) {
    return `${messageOf(error)}\n`
  }
  throw new Failure('internal', `version ${version} is not too old`)
}

function setPingHeaders(response: ServerResponse): void {
  response.setHeader('Builder-Version', '1')
  response.setHeader('Swarm', 'inactive')
  response.setHeader('Cache-Control', 'no-cache, no-store, must-revalidate')
  response.setHeader('Pragma', 'no-cache')
}

/** What is to be had over the connection itself, and that alone, is refused to whoever did not ask for it. */
function checkUpgradable({ reply }: Endpoint, { headers }: IncomingMessage): void {
  if (reply.kind === 'websocket') throw new Failure('invalid', 'Cannot attach: this is to be had by a WebSocket alone')
  if (reply.kind !== 'connection') return
  const { upgrade } = headers
  if (upgrade === undefined) throw new Failure('invalid', 'no upgrade proto in request')
  if (upgrades.get(upgrade.toLowerCase()) !== 'connection')
    throw new Failure('invalid', `protocol ${upgrade} not supported`)
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0)
    throw new Failure(
      'invalid',
      `Cannot switch to ${upgrade}: a request with a body should say "Connection: Upgrade" too`,
    )
}

/**
 * A browser on this machine reaches a TCP port for any page it shows: by a name that now resolves to 127.0.0.1, or by a plain form.
 * Neither can leave out Origin or forge Host. A unix socket is out of its reach, and so is what asks for a certificate.
 */
function checkOrigin({ headers }: IncomingMessage, listener: Listener): void {
  if (listener.kind === 'unix' || listener.tls) return
  const host = (headers.host ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  if (!['localhost', '127.0.0.1', '::1', listener.host].includes(host))
    throw new Failure('denied', `Host "${host}" is not served here`)
  if (headers.origin !== undefined || (headers['sec-fetch-site'] ?? 'none') !== 'none')
    throw new Failure('denied', 'Requests from web pages are not served')
}
