/** One HTTP request to an engine: connection reused, signal obeyed, trouble told as a Failure. */
import type { Agent, ClientRequest, IncomingMessage } from 'node:http'
import type { RequestOptions as HttpsRequestOptions } from 'node:https'
import type { Duplex } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import type { Bytes } from '../api/endpoint.ts'
import { replyFailure } from '../api/status.ts'
import { debug } from '../lib/debug.ts'
import { errnoOf, Failure, messageOf } from '../lib/failure.ts'
import type { Place } from './host.ts'
import { dialSsh, type SshPlace } from './ssh.ts'
import { readTls } from './tls.ts'

// Not by `import`: naming its exports reads the getters of WebSocket and its kin, which loads all of fetch: 34 ms instead of 4.
const http = process.getBuiltinModule('node:http')
const log = debug('http')

/** More than this many at once wait for a free connection; streams have their own. */
const maxSockets = 64
/** An ssh a connection: those are dear, on both machines. */
const maxPrograms = 8
/** How long an engine that is busy is asked again, and how long a pause it may wish for; seconds. */
const patience = 60
const longestPause = 10
/** An error's text is read up to here. */
const maxErrorBody = 1024 * 1024

/** Seconds that never go back. `performance` would be loaded for it: 3 ms of a command that takes 60. */
const now = () => process.uptime()

export interface RequestOptions {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: Bytes | undefined
  readonly signal?: AbortSignal | undefined
  /** What is being done, for messages: "start container". */
  readonly what: string
}

interface Upgraded {
  readonly socket: Duplex
  readonly contentType: string | undefined
}

export class Connections {
  readonly host: string
  readonly #place: Place
  /** Requests that end soon; node keeps the sockets. */
  readonly #agent: Agent
  /** How one is made, where it is no plain socket. */
  readonly #dialling: Dialling
  readonly #open = new Set<ClientRequest>()
  readonly #start: (() => Promise<void>) | undefined
  #started: Promise<void> | undefined
  #answered = false

  /** `start`: called once, when nobody listens; what was refused is then sent again. */
  constructor(host: string, place: Place, start?: () => Promise<void>) {
    this.host = host
    this.#place = place
    this.#start = start
    this.#dialling = diallingOf(place)
    const most = place.kind === 'ssh' ? maxPrograms : maxSockets
    this.#agent = new this.#dialling.module.Agent({
      keepAlive: true,
      maxSockets: most,
      maxFreeSockets: most,
      scheduling: 'lifo',
    })
    if (place.kind === 'ssh') Object.assign(this.#agent, dialler(place))
  }

  close(): void {
    this.#agent.destroy()
    for (const request of this.#open) request.destroy()
  }

  /** Resolves with the headers. A stream takes a connection of its own, so that long ones cannot starve the rest. */
  async send(options: RequestOptions, stream = false): Promise<IncomingMessage> {
    const repeatable = options.body === undefined || options.body instanceof Uint8Array
    if (!repeatable) await this.#listening()
    const until = now() + patience
    for (let failures = 0; ; ) {
      const request = this.#request(options, stream ? false : this.#agent)
      try {
        const response = await this.#response(request, options)
        if (!repeatable || !(await this.#isToComeBack(response, options, until))) return response
      } catch (error) {
        // the engine closed the idle connection while we were taking it up: it has seen nothing of the request
        if (request.reusedSocket && errnoOf(error) === 'ECONNRESET' && repeatable && failures++ < 3) continue
        if (this.#start && isAbsent(error) && repeatable && failures++ === 0) {
          await (this.#started ??= this.#start())
          continue
        }
        throw this.#failure(error, options)
      }
    }
  }

  /** Whether an engine that works on too much already is to be asked again, after the pause that it wishes. */
  async #isToComeBack(
    response: IncomingMessage,
    { method, path, signal }: RequestOptions,
    until: number,
  ): Promise<boolean> {
    const seconds = response.statusCode === 503 ? Number(response.headers['retry-after'] ?? Number.NaN) : Number.NaN
    if (!(seconds >= 0) || now() >= until) return false
    response.resume()
    // those that were refused together do not come back together
    const pause = Math.min(seconds, longestPause) * (500 + Math.random() * 1000)
    log('%s %s again in %d ms', method, path, pause)
    await setTimeout(pause, undefined, { signal })
    return true
  }

  /** Has the engine started before what can be sent only once. */
  async #listening(): Promise<void> {
    if (!this.#start || this.#answered) return
    const response = await this.send({ method: 'GET', path: '/_ping', what: 'ping the engine' })
    response.resume()
  }

  /** Sends with `Upgrade`; the connection itself, and its content type. */
  async upgrade(options: RequestOptions, protocol: 'tcp' | 'h2c' = 'tcp'): Promise<Upgraded> {
    await this.#listening()
    const until = now() + patience
    for (;;) {
      const answer = await this.#upgradeOnce(options, protocol)
      if ('contentType' in answer) return answer
      try {
        if (await this.#isToComeBack(answer, options, until)) continue
        if (answer.statusCode !== 200) throw await errorOf(answer, options)
        throw new Failure(
          'internal',
          `Cannot ${options.what}: the engine does not hand over the connection (${answer.statusCode} instead of 101)`,
        )
      } catch (error) {
        answer.destroy()
        throw error instanceof Failure ? error : this.#failure(error, options)
      }
    }
  }

  /** The connection, or why there is none. */
  async #upgradeOnce(options: RequestOptions, protocol: 'tcp' | 'h2c'): Promise<Upgraded | IncomingMessage> {
    const settled = Promise.withResolvers<Upgraded | IncomingMessage>()
    const headers = { ...options.headers, connection: 'Upgrade', upgrade: protocol }
    const request = this.#request({ ...options, headers }, false)
    request.once('upgrade', (response, socket, head) => {
      this.#open.delete(request)
      // node's client lets the end of reading end the writing; stdin may still be wanted
      if ('allowHalfOpen' in socket) socket.allowHalfOpen = true
      if (head.length > 0) socket.unshift(head)
      settled.resolve({ socket, contentType: response.headers['content-type'] })
    })
    this.#response(request, options).then(settled.resolve, error => settled.reject(this.#failure(error, options)))
    return settled.promise
  }

  #request({ method, path, headers, body, signal }: RequestOptions, agent: Agent | false): ClientRequest {
    const place = this.#place
    const { module, options } = this.#dialling
    const request = module.request({
      ...options,
      method,
      path,
      agent: agent === false && place.kind === 'ssh' ? Object.assign(new http.Agent(), dialler(place)) : agent,
      headers: {
        host:
          place.kind === 'tcp'
            ? `${place.hostname.includes(':') ? `[${place.hostname}]` : place.hostname}:${place.port}`
            : 'api.tscompose.localhost',
        'user-agent': 'tscompose',
        ...headers,
        ...(body instanceof Uint8Array
          ? { 'content-length': String(body.byteLength) }
          : body === undefined && method !== 'GET' && method !== 'HEAD'
            ? { 'content-length': '0' }
            : {}),
      },
      ...(signal ? { signal } : {}),
    })
    this.#open.add(request)
    request.once('close', () => this.#open.delete(request))
    return request
  }

  async #response(request: ClientRequest, { method, path, body }: RequestOptions): Promise<IncomingMessage> {
    const answered = Promise.withResolvers<IncomingMessage>()
    const since = Date.now()
    request.once('response', response => {
      this.#answered = true
      log('%s %s %d %d ms', method, path, response.statusCode, Date.now() - since)
      // an engine that refuses will not read the rest of the body
      if ((response.statusCode ?? 0) >= 400 && !request.writableEnded) response.once('end', () => request.destroy())
      answered.resolve(response)
    })
    request.on('error', answered.reject)
    if (body === undefined || body instanceof Uint8Array) request.end(body)
    else void this.#pour(body, request)
    return answered.promise
  }

  /** A body in pieces, as fast as the engine takes it; a refusal before its end closes the request and so ends the pouring. */
  async #pour(body: AsyncIterable<Uint8Array>, request: ClientRequest): Promise<void> {
    try {
      for await (const piece of body) {
        if (request.destroyed || request.writableEnded) return
        if (!request.write(piece))
          await new Promise<void>(resolve => {
            const go = () => {
              request.off('drain', go).off('close', go)
              resolve()
            }
            request.on('drain', go).on('close', go)
          })
      }
      request.end()
    } catch (error) {
      request.destroy(error as Error)
    }
  }

  #failure(error: unknown, { what, signal }: RequestOptions): Failure {
    if (error instanceof Failure) return error
    if (signal?.aborted) return new Failure('cancelled', `Cannot ${what}: cancelled`, { cause: signal.reason })
    if (isAbsent(error))
      return new Failure('unavailable', `Cannot reach the engine at "${this.host}": nothing is listening there`, {
        hint: 'Start one with "tscompose engine", or name another with --host or DOCKER_HOST',
        cause: error,
      })
    switch (errnoOf(error)) {
      case 'EACCES':
      case 'EPERM':
        return new Failure(
          'denied',
          `Cannot reach the engine at "${this.host}": the socket may not be opened by this user`,
          {
            hint: 'Run as root, or join the group that owns the socket',
            cause: error,
          },
        )
      default:
        return new Failure(
          'unavailable',
          `Cannot ${what}: the connection to "${this.host}" failed: ${messageOf(error)}`,
          { cause: error, ...hintOf(error, this.#place) },
        )
    }
  }
}

/** An agent dials by itself, and not by what a request says. */
function dialler(place: SshPlace): { createConnection(): Duplex } {
  return { createConnection: () => dialSsh(place) }
}

interface Dialling {
  readonly module: Pick<typeof http, 'request' | 'Agent'>
  readonly options: NetRequestOptions
}

type NetRequestOptions = HttpsRequestOptions & { readonly servername?: string }

/** @throws Failure `invalid` for certificates that cannot be read. */
function diallingOf(place: Place): Dialling {
  // left out where there is no TLS, node looks whether the host is an IPv6 address, by a regular expression that takes 6 ms to compile
  const plain = { servername: '' }
  if (place.kind === 'unix') return { module: http, options: { socketPath: place.path, ...plain } }
  if (place.kind === 'ssh') return { module: http, options: plain }
  const at = { host: place.hostname, port: place.port }
  if (!place.tls) return { module: http, options: { ...at, ...plain } }
  return { module: process.getBuiltinModule('node:https'), options: { ...at, ...readTls(place.tls) } }
}

/** Where one side speaks TLS and the other does not, or not with the right certificates, node's words help nobody. */
function hintOf(error: unknown, place: Place): { readonly hint?: string } {
  if (place.kind !== 'tcp') return {}
  const text = messageOf(error)
  if (!place.tls)
    return /hang up|ECONNRESET|Parse Error/.test(text)
      ? { hint: 'An engine that speaks TLS needs DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH' }
      : {}
  if (/certificate required|handshake failure|unknown ca|bad certificate|hang up|ECONNRESET|EPIPE/.test(text))
    return {
      hint: `The engine may want a certificate that its authority has signed: cert.pem and key.pem in "${place.tls.folder}"`,
    }
  if (/wrong version number|packet length/.test(text)) return { hint: 'What listens there speaks no TLS' }
  return {}
}

/** Nobody listens: there is no socket, or only one that an engine has left behind. */
function isAbsent(error: unknown): boolean {
  const errno = errnoOf(error)
  return errno === 'ENOENT' || errno === 'ECONNREFUSED'
}

/** The failure an error response tells. */
export async function errorOf(response: IncomingMessage, { what }: { readonly what: string }): Promise<Failure> {
  return replyFailure(response.statusCode ?? 0, (await readAll(response, maxErrorBody)).toString('utf8'), what)
}

/** The whole body. @throws Failure `internal` when it is longer than `limit`. */
export async function readAll(response: AsyncIterable<Buffer>, limit: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of response) {
    length += piece.length
    if (length > limit) throw new Failure('internal', `Cannot read the reply: it is over ${limit} bytes`)
    pieces.push(piece)
  }
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
}
