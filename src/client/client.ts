/** Calls the table of endpoints on one engine. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Archive, Bytes, Endpoint, Input, PathStat, Reply } from '../api/endpoint.ts'
import { decodeOutput, type OutputChunk } from '../api/frames.ts'
import { parseJsonLines } from '../api/json-lines.ts'
import { Failure, isFailure, messageOf } from '../lib/failure.ts'
import { Agreement } from './connection.ts'
import { parseHost } from './host.ts'
import { requestPath } from './query.ts'
import { Connections, errorOf, type RequestOptions, readAll } from './request.ts'
import type { Tls } from './tls.ts'

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
}

export interface StreamOptions extends CallOptions {
  /** Whether output comes from a terminal and so without frames; the reply's content type tells when this is absent. */
  readonly tty?: boolean
}

/** What `stream` gives for an endpoint. */
export type Stream<E extends Endpoint> = E['reply']['kind'] extends 'output'
  ? AsyncIterable<OutputChunk>
  : E['reply']['kind'] extends 'archive'
    ? Archive
    : AsyncIterable<Reply<E>>

/** A connection taken over: output to read, stdin to write; `socket.end()` half-closes and `output` goes on. */
export interface Hijacked {
  readonly tty: boolean
  readonly output: AsyncIterable<OutputChunk>
  readonly socket: Duplex
}

export interface Client {
  /** "unix:///run/tscompose/engine.sock", for messages. */
  readonly host: string
  /** The API version both sides speak; asks the engine the first time. */
  version(): Promise<string>
  /** One document or nothing; 304 (already so) is a success. @throws Failure by the engine's status. */
  call<E extends Endpoint>(endpoint: E, input: Input<E>, options?: CallOptions): Promise<Reply<E>>
  /** Resolves when the headers are here: `wait` must have them before `start` is sent. Leaving the iteration closes the connection. */
  stream<E extends Endpoint>(endpoint: E, input: Input<E>, options?: StreamOptions): Promise<Stream<E>>
  hijack<E extends Endpoint>(endpoint: E, input: Input<E>, options?: StreamOptions): Promise<Hijacked>
  /** The connection itself, to speak HTTP/2 on: the builder to be called, or a session of ours that it calls. */
  upgrade(path: '/grpc' | '/session', options?: UpgradeOptions): Promise<Duplex>
  /** Closes every connection. */
  close(): void
}

export interface UpgradeOptions extends CallOptions {
  /** Some more than once. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
}

export interface ClientOptions {
  /** The API version to speak, without asking. */
  readonly version?: string | undefined
  /** How TCP is spoken, where it is TLS. */
  readonly tls?: Tls | undefined
  /** Starts an engine: called once, when nobody listens. */
  readonly start?: (() => Promise<void>) | undefined
}

/** A document longer than this is refused: it would be held in memory whole. */
const maxDocument = 256 * 1024 * 1024

/**
 *     const client = createClient('unix:///run/tscompose/engine.sock')
 *     const { State } = await client.call(endpoints.containerInspect, { params: { id: 'web' } })
 *
 * @throws Failure when the host is none; whether an engine is there shows at the first call.
 */
export function createClient(host: string, options: ClientOptions = {}): Client {
  const place = parseHost(host, options.tls)
  const connections = new Connections(host, place, options.start)
  const agreement = new Agreement(connections, place, options.version)

  async function prepare(endpoint: Endpoint, input: AnyInput, { signal }: CallOptions): Promise<RequestOptions> {
    const path = requestPath(endpoint, input.params ?? {}, input.query ?? {})
    const what = whatOf(endpoint, input)
    const prefix = endpoint.path === '/_ping' ? '' : `/v${await unlessAborted(agreement.version(), what, signal)}`
    const headers: Record<string, string> = {}
    for (const [member, header] of Object.entries(endpoint.headers)) {
      const value = input.headers?.[member]
      if (value !== undefined) headers[header] = value
    }
    let body: Bytes | undefined
    if (endpoint.body.kind === 'json' && input.body !== undefined) {
      headers['content-type'] = 'application/json'
      body = Buffer.from(JSON.stringify(input.body))
    } else if (endpoint.body.kind === 'bytes' && input.body !== undefined) {
      headers['content-type'] = 'application/x-tar'
      body = input.body as Bytes
    }
    return { method: endpoint.method, path: prefix + path, headers, body, signal, what }
  }

  return {
    host,
    version: () => agreement.version(),
    close: () => connections.close(),

    async call(endpoint, input, options = {}) {
      const request = await prepare(endpoint, input as AnyInput, options)
      const response = await connections.send(request)
      if (isError(response)) throw await errorOf(response, request)
      if (endpoint.reply.kind === 'stat') {
        response.resume()
        return statOf(response, request) as never
      }
      const body = await readBody(response, request)
      if (endpoint.reply.kind === 'text') return body.toString('utf8') as never
      if (body.length === 0 || endpoint.reply.kind === 'empty') return undefined as never
      return parseDocument(body, request) as never
    },

    async stream(endpoint, input, options = {}) {
      const request = await prepare(endpoint, input as AnyInput, options)
      const response = await connections.send(request, true)
      if (isError(response)) throw await errorOf(response, request)
      const pieces = chunksOf(response, request)
      switch (endpoint.reply.kind) {
        case 'output':
          return decodeOutput(pieces, options.tty ?? isRaw(response.headers['content-type'])) as never
        case 'archive': {
          const stat = response.headers[statHeader] === undefined ? undefined : statOf(response, request)
          return { stat, content: pieces } as never
        }
        default:
          return parseJsonLines(pieces) as never
      }
    },

    async hijack(endpoint, input, options = {}) {
      const request = await prepare(endpoint, input as AnyInput, options)
      const { socket, contentType } = await connections.upgrade(request)
      const tty = options.tty ?? isRaw(contentType)
      return { tty, socket, output: decodeOutput(socketPieces(socket, request), tty) }
    },

    async upgrade(path, { headers = {}, signal } = {}) {
      const what = path === '/grpc' ? 'reach the builder' : 'open a session of the builder'
      const version = await unlessAborted(agreement.version(), what, signal)
      const request = { method: 'POST', path: `/v${version}${path}`, headers, signal, what }
      return (await connections.upgrade(request, 'h2c')).socket
    },
  }
}

interface AnyInput {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly body?: unknown
}

/** "containerStart" of "web" → `start container "web"`. */
function whatOf(endpoint: Endpoint, { params = {} }: AnyInput): string {
  const [subject, ...verb] = endpoint.name.replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`).split(' ')
  const words = verb.length > 0 ? `${verb.join(' ')} ${subject}` : `get ${subject}`
  const object = Object.values(params)[0]
  return object === undefined ? words : `${words} "${object}"`
}

/** The answer to a question that several calls share; a call that is called off does not wait for it. */
async function unlessAborted<T>(answer: Promise<T>, what: string, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return await answer
  const off = Promise.withResolvers<never>()
  const abort = () => off.reject(new Failure('cancelled', `Cannot ${what}: cancelled`, { cause: signal.reason }))
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([answer, off.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

function isError(response: IncomingMessage): boolean {
  const status = response.statusCode ?? 0
  return status !== 304 && (status < 200 || status >= 300)
}

function isRaw(contentType: string | undefined): boolean {
  return contentType?.startsWith('application/vnd.docker.raw-stream') ?? false
}

const statHeader = 'x-docker-container-path-stat'

function statOf(response: IncomingMessage, { what }: RequestOptions): PathStat {
  const header = response.headers[statHeader]
  if (typeof header !== 'string')
    throw new Failure('internal', `Cannot ${what}: the engine did not tell the path's stat`)
  return parseDocument(Buffer.from(header, 'base64'), { what }) as PathStat
}

function parseDocument(body: Buffer, { what }: { readonly what: string }): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw new Failure('internal', `Cannot ${what}: the engine's reply is not JSON`, { cause })
  }
}

async function readBody(response: IncomingMessage, request: RequestOptions): Promise<Buffer> {
  try {
    return await readAll(response, maxDocument)
  } catch (error) {
    throw lost(error, request)
  }
}

async function* chunksOf(response: IncomingMessage, request: RequestOptions): AsyncGenerator<Buffer> {
  try {
    yield* response as AsyncIterable<Buffer>
  } catch (error) {
    throw lost(error, request)
  } finally {
    // also when the reader has had enough
    response.destroy()
  }
}

/** Reading ends by the engine's half-close; the socket stays open for writing until its user closes it. */
async function* socketPieces(socket: Duplex, request: RequestOptions): AsyncGenerator<Buffer> {
  const { signal } = request
  const abort = () => socket.destroy(new Failure('cancelled', `Cannot ${request.what}: cancelled`))
  if (signal?.aborted) abort()
  signal?.addEventListener('abort', abort, { once: true })
  try {
    for await (const piece of socket.iterator({ destroyOnReturn: false })) yield piece as Buffer
  } catch (error) {
    throw lost(error, request)
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

function lost(error: unknown, { what, signal }: RequestOptions): Failure {
  if (isFailure(error)) return error
  if (signal?.aborted) return new Failure('cancelled', `Cannot ${what}: cancelled`, { cause: signal.reason })
  return new Failure('unavailable', `Cannot ${what}: the engine broke off its reply: ${messageOf(error)}`, {
    cause: error,
  })
}
