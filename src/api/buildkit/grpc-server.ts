/** The serving end of gRPC on a connection that is there already: one that was hijacked from HTTP/1, or a session's. */
import * as http2 from 'node:http2'
import type { Duplex } from 'node:stream'
import { Failure, messageOf } from '../../lib/failure.ts'
import { trailersOf } from './grpc-status.ts'
import { receiveMessages, sendMessage, timeoutOf } from './grpc-stream.ts'
import type { Decoded, Fields, Partially } from './message.ts'
import type { Method, Methods } from './service.ts'

export interface Call {
  /** Lower case, several values of a key in order. */
  readonly metadata: ReadonlyMap<string, readonly string[]>
  /** Fires when the client has taken the call back, has left, or its deadline has passed. */
  readonly signal: AbortSignal
}

export type Serve<M extends Method> =
  M extends Method<infer Kind, infer I, infer O>
    ? Kind extends 'unary'
      ? (request: Decoded<I>, call: Call) => Promise<Partially<O>> | Partially<O>
      : Kind extends 'responses'
        ? (request: Decoded<I>, call: Call) => AsyncIterable<Partially<O>>
        : (requests: AsyncIterable<Decoded<I>>, call: Call) => AsyncIterable<Partially<O>>
    : never

interface Served {
  readonly method: Method
  readonly serve: (input: unknown, call: Call) => unknown
}
/** A service with who serves it; what is left out is answered as unimplemented. */
export type Implementation = ReadonlyMap<string, Served>

export function implement<T extends Methods>(
  methods: T,
  handlers: { readonly [K in keyof T]?: Serve<T[K]> },
): Implementation {
  const served = new Map<string, Served>()
  for (const [name, method] of Object.entries(methods)) {
    const serve = handlers[name] as Served['serve'] | undefined
    if (serve) served.set(method.path, { method, serve })
  }
  return served
}

export interface GrpcServerOptions {
  readonly services: readonly Implementation[]
  /** What a handler threw that is no Failure: a defect of ours. */
  readonly onProblem?: (line: string) => void
  /** A call that has ended, and how; for debugging. */
  readonly onCall?: (path: string, call: { readonly milliseconds: number; readonly status: string }) => void
}

/**
 * Bytes that may be under way to us in one call. All calls of a connection together stay at the protocol's own 65,535: Node does not read a
 * connection while it waits to write to it, so two of them stand still as soon as what is under way fills the socket in both directions.
 * Half of it for one call, so that one that is not read holds up no other.
 */
export const streamWindow = 32 * 1024
/** Calls at once. */
const maxCalls = 250

/** Resolves when the connection is over; `signal` ends it. */
export async function serveGrpc(connection: Duplex, options: GrpcServerOptions, signal?: AbortSignal): Promise<void> {
  // one that has gone before tells it no more
  if (connection.destroyed || signal?.aborted) {
    connection.destroy()
    return
  }
  const over = Promise.withResolvers<void>()
  const session = http2.performServerHandshake(connection, {
    settings: { initialWindowSize: streamWindow, maxConcurrentStreams: maxCalls },
  })
  // Go's clients say at their end that they had seen a stream which nobody has opened: an error to nghttp2, and of no matter
  session.on('error', () => {})
  session.once('close', () => connection.destroy())
  const served = new Map(options.services.flatMap(implementation => [...implementation]))
  session.on('stream', (stream, headers, _flags, raw) => void answer(stream, { headers, raw }, { served, options }))
  connection.once('close', () => {
    session.destroy()
    over.resolve()
  })
  // a client that was killed; sockets of an HTTP server stay open for writing then
  connection.once('end', () => connection.destroy())
  const end = () => {
    session.destroy()
    connection.destroy()
  }
  signal?.addEventListener('abort', end, { once: true })
  await over.promise
  signal?.removeEventListener('abort', end)
}

interface Serving {
  readonly served: ReadonlyMap<string, Served>
  readonly options: GrpcServerOptions
}

async function answer(
  stream: http2.ServerHttp2Stream,
  { headers, raw }: { headers: http2.IncomingHttpHeaders; raw: readonly string[] },
  { served, options }: Serving,
): Promise<void> {
  const since = performance.now()
  const left = new AbortController()
  stream.on('error', () => {})
  stream.once('close', () => left.abort())
  stream.once('aborted', () => left.abort())
  const timeout = timeoutOf(headers['grpc-timeout'])
  const signal =
    timeout === undefined
      ? left.signal
      : AbortSignal.any([left.signal, AbortSignal.timeout(Math.min(timeout, 2 ** 31 - 1))])
  let trailers = trailersOf(undefined)
  stream.once('wantTrailers', () => {
    if (!stream.destroyed) stream.sendTrailers(trailers)
  })
  try {
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', 'grpc-accept-encoding': 'identity' },
      { waitForTrailers: true },
    )
    const path = headers[':path'] ?? ''
    const found = served.get(path)
    if (found === undefined) throw new Failure('unsupported', `unknown method ${path.slice(0, 200)}`)
    await serveOne(stream, found, { metadata: metadataOf(raw), signal })
  } catch (error) {
    trailers = trailersOf(error)
    if (!(error instanceof Failure) && !signal.aborted)
      options.onProblem?.(`${headers[':path']}: ${error instanceof Error ? error.stack : messageOf(error)}`)
  }
  options.onCall?.(headers[':path'] ?? '', {
    milliseconds: performance.now() - since,
    status: String(trailers['grpc-status']),
  })
  if (stream.destroyed) return
  stream.end()
  // what it still sends is not read
  stream.resume()
}

async function serveOne(stream: http2.ServerHttp2Stream, { method, serve }: Served, call: Call): Promise<void> {
  const requests = receiveMessages(stream, method.request as never)
  if (method.kind === 'both') {
    await sendAll(stream, method, serve(requests, call) as AsyncIterable<Partially<Fields>>)
    return
  }
  const first = await requests.next()
  if (first.done) throw new Failure('invalid', 'Cannot answer a call without a message')
  const answered = serve(first.value, call)
  if (method.kind === 'unary') {
    const message = (await answered) as Partially<Fields>
    if (!stream.destroyed) await sendMessage(stream, method.response, message)
  } else await sendAll(stream, method, answered as AsyncIterable<Partially<Fields>>)
}

async function sendAll(
  stream: http2.ServerHttp2Stream,
  method: Method,
  messages: AsyncIterable<Partially<Fields>>,
): Promise<void> {
  for await (const message of messages) await sendMessage(stream, method.response, message)
}

/** Of names and values in turn: where a name comes twice the values are kept apart, since they may hold commas. */
function metadataOf(raw: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const metadata = new Map<string, string[]>()
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at]!
    if (name.startsWith(':')) continue
    const values = metadata.get(name)
    if (values) values.push(raw[at + 1]!)
    else metadata.set(name, [raw[at + 1]!])
  }
  return metadata
}
