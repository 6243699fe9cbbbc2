/** The calling end of gRPC on a connection that is there already. */
import * as http2 from 'node:http2'
import type { Duplex } from 'node:stream'
import { Failure, messageOf } from '../../lib/failure.ts'
import { streamWindow } from './grpc-server.ts'
import { failureOfTrailers } from './grpc-status.ts'
import { receiveMessages, sendMessage } from './grpc-stream.ts'
import type { Decoded, Fields, Partially } from './message.ts'
import type { CallKind, Method } from './service.ts'

export interface CallOptions {
  readonly metadata?: ReadonlyMap<string, readonly string[]> | undefined
  readonly signal?: AbortSignal | undefined
  /** Milliseconds from now; the other side is told. */
  readonly timeout?: number | undefined
}

/** Both directions of a call. Whoever has read `messages` to the end knows that it went well: a status that is not OK is thrown there. */
export interface OpenCall<I extends Fields, O extends Fields> {
  /** Resolves when another may be sent. @throws Failure once the call is over. */
  send(message: Partially<I>): Promise<void>
  /** No more will be sent. */
  end(): void
  readonly messages: AsyncIterable<Decoded<O>>
  /** Takes the call back. */
  cancel(): void
}

/** One connection to call over, any number at once. */
export class GrpcClient {
  readonly #session: http2.ClientHttp2Session
  readonly #connection: Duplex
  /** Resolves when the connection is over, however it came to it. */
  readonly closed: Promise<void>

  constructor(connection: Duplex) {
    const closed = Promise.withResolvers<void>()
    this.closed = closed.promise
    this.#connection = connection
    this.#session = http2.connect('http://localhost', {
      createConnection: () => connection,
      settings: { enablePush: false, initialWindowSize: streamWindow },
    })
    this.#session.on('error', () => {})
    this.#session.once('close', () => connection.destroy())
    connection.once('end', () => connection.destroy())
    const over = () => {
      this.#session.destroy()
      closed.resolve()
    }
    // one that has gone before tells it no more
    if (connection.destroyed) over()
    else connection.once('close', over)
  }

  /** @throws GrpcFailure as the other side says, Failure `unavailable` without an answer, `cancelled` by the signal or the timeout. */
  async call<I extends Fields, O extends Fields>(
    method: Method<'unary', I, O>,
    request: Partially<I>,
    options: CallOptions = {},
  ): Promise<Decoded<O>> {
    let answer: Decoded<O> | undefined
    for await (const message of this.#ask(method, request, options)) answer ??= message
    if (answer === undefined) throw new Failure('unavailable', `Cannot call ${method.path}: it answered nothing`)
    return answer
  }

  /** Messages until the call is over. @throws As `call`. */
  responses<I extends Fields, O extends Fields>(
    method: Method<'responses', I, O>,
    request: Partially<I>,
    options: CallOptions = {},
  ): AsyncIterable<Decoded<O>> {
    return this.#ask(method, request, options)
  }

  open<I extends Fields, O extends Fields>(method: Method<'both', I, O>, options: CallOptions = {}): OpenCall<I, O> {
    return this.#open(method, options)
  }

  close(): void {
    this.#session.destroy()
    this.#connection.destroy()
  }

  async *#ask<I extends Fields, O extends Fields>(
    method: Method<'unary' | 'responses', I, O>,
    request: Partially<I>,
    options: CallOptions,
  ): AsyncGenerator<Decoded<O>> {
    const call = this.#open(method, options)
    try {
      // a call that is refused at once says why in its trailers, not here
      await call.send(request).catch(() => {})
      call.end()
      yield* call.messages
    } finally {
      call.cancel()
    }
  }

  #open<I extends Fields, O extends Fields>(
    method: Method<CallKind, I, O>,
    { metadata, signal, timeout }: CallOptions,
  ): OpenCall<I, O> {
    if (signal?.aborted) throw cancelled(signal)
    if (this.#session.destroyed || this.#session.closed)
      throw new Failure('unavailable', `Cannot call ${method.path}: the connection is closed`)
    const stream = this.#session.request({
      ':method': 'POST',
      ':path': method.path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...(timeout === undefined ? {} : { 'grpc-timeout': `${Math.max(1, Math.min(99_999_999, Math.ceil(timeout)))}m` }),
      ...Object.fromEntries(metadata ?? []),
    })
    const ended = new Promise<http2.IncomingHttpHeaders>(resolve => {
      let last: http2.IncomingHttpHeaders = {}
      stream.once('response', headers => {
        last = headers
      })
      stream.once('trailers', trailers => resolve(trailers))
      stream.once('close', () => resolve(last))
    })
    stream.on('error', () => {})
    const late = timeout === undefined ? undefined : AbortSignal.timeout(timeout)
    const limits = [signal, late].filter(s => s !== undefined)
    const cancel = () => stream.close(http2.constants.NGHTTP2_CANCEL)
    // each by itself: one made by AbortSignal.any may be collected before it fires
    for (const limit of limits) {
      limit.addEventListener('abort', cancel, { once: true })
      stream.once('close', () => limit.removeEventListener('abort', cancel))
    }
    return {
      send: message => sendMessage(stream, method.request, message),
      end: () => {
        if (!stream.writableEnded && !stream.destroyed) stream.end()
      },
      messages: answered(stream, method, { ended, limits }),
      cancel: () => {
        if (!stream.closed) cancel()
      },
    }
  }
}

async function* answered<O extends Fields>(
  stream: http2.ClientHttp2Stream,
  method: Method<CallKind, Fields, O>,
  { ended, limits }: { ended: Promise<http2.IncomingHttpHeaders>; limits: readonly AbortSignal[] },
): AsyncGenerator<Decoded<O>> {
  let broken: unknown
  // servers of Go reset, without an error, a call that they have ended while our half is open: to node it is broken off
  const isOver = async () =>
    (await ended)['grpc-status'] !== undefined && stream.rstCode === http2.constants.NGHTTP2_NO_ERROR
  try {
    yield* receiveMessages(stream, method.response, isOver)
  } catch (error) {
    broken = error
  }
  const limit = limits.find(each => each.aborted)
  if (limit) throw cancelled(limit)
  // what the other side says of the end counts more than how the stream came to it
  const trailers = await ended
  if (trailers['grpc-status'] === undefined && broken !== undefined)
    throw new Failure('unavailable', `Cannot finish ${method.path}: ${messageOf(broken)}`, { cause: broken })
  const failure = failureOfTrailers(trailers)
  if (failure) throw failure
  if (broken !== undefined) throw broken
}

function cancelled(signal: AbortSignal): Failure {
  return new Failure('cancelled', 'context canceled', { cause: signal.reason })
}
