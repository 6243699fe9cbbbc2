/** A connection handed to a container's streams: output framed to the client, its bytes to stdin, half-closes kept apart from leaving. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Duplex, Readable } from 'node:stream'
import type { Endpoint, Session, TakeConnection } from '../../api/endpoint.ts'
import { encodeFrame } from '../../api/frames.ts'
import { errorReply, statusOf } from '../../api/status.ts'
import { debug } from '../../lib/debug.ts'
import { Failure, messageOf } from '../../lib/failure.ts'
import { arrived, type Unread } from './arrival.ts'
import { bodyTimeout, maxJsonBody } from './decode.ts'
import { Outlet } from './outlet.ts'
import { multiplexed, raw } from './reply.ts'
import { Busy } from './turns.ts'

const log = debug('http')
/** After the last output, or an answer in its place, the client has this long to close, so that it is not reset with output unread. */
const closing = 2000
/** Of output that a client has not read: so much is held for it, and so long does the process wait for it then. */
const held = 16 * 1024 * 1024
const patience = 3000
const lastWord = 'the rest of the output is not shown: nobody read it, and the process could not wait\n'

export interface Switching {
  /** Lines of the 101 beside those that switch. */
  readonly headers: readonly (readonly [string, string])[]
  /** How much of the 101 is not read yet; without it nobody looks. */
  readonly unread: Unread | undefined
  readonly onCut: OnCut
}

/** Told why, when a client gets no more. */
export type OnCut = (why: string) => void

/** The 101 in the very words clients expect and, when it has been read, bytes both ways until the output has ended. */
export async function upgradeTo(socket: Duplex, session: Session, switching: Switching): Promise<void> {
  const { headers, unread, onCut } = switching
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  await new Promise(resolve =>
    socket.write(
      `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${session.tty ? raw : multiplexed}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n${lines}\r\n`,
      resolve,
    ),
  )
  if (unread) await arrived(socket, unread)
  await join(session, { input: socket, output: socket, framed: !session.tty, onCut })
}

/** The 101 of another protocol, then the connection is whoever's who takes it. */
export async function handOver(
  socket: Duplex,
  take: TakeConnection,
  { protocol, headers }: { readonly protocol: string; readonly headers: Switching['headers'] },
): Promise<void> {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  socket.write(`HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n${lines}\r\n`)
  await take(socket)
}

/** Without an upgrade: an answer that ends with the connection, still framed; the request's body is stdin. */
export async function streamTo(
  request: IncomingMessage,
  response: ServerResponse,
  session: Session,
  onCut: OnCut,
): Promise<void> {
  response.shouldKeepAlive = false
  response.useChunkedEncodingByDefault = false
  response.writeHead(200, { 'Content-Type': raw }).flushHeaders()
  const stdin = request.headers['transfer-encoding'] !== undefined && !request.complete
  await join(session, { input: stdin ? request : undefined, output: response, framed: !session.tty, onCut })
}

export interface Ends {
  /** Where stdin comes from. */
  readonly input: Readable | Duplex | undefined
  readonly output: ServerResponse | Duplex
  /** Whether the client can tell the streams apart. */
  readonly framed: boolean
  readonly onCut: OnCut
}

/** Bytes both ways until the output has ended. */
export async function join(session: Session, { input, output, framed, onCut }: Ends): Promise<void> {
  const left = new AbortController()
  output.once('close', () => left.abort())
  output.on('error', error => {
    log('a client left: %s', error.message)
    // it types no more: a process that reads to the end would wait for ever. No error says that we close, and then stdin is to go on.
    if (input) session.end()
  })
  left.signal.addEventListener('abort', () => session.close(), { once: true })
  if (output.destroyed) left.abort()
  void session.begin?.()
  const receiving = input ? receive(session, input, left.signal) : Promise.resolve()
  const outlet = new Outlet(output, {
    limit: held,
    patience,
    lastWord: framed ? encodeFrame('error', Buffer.from(lastWord)) : Buffer.from(`\r\n${lastWord}`),
  })
  try {
    for await (const { stream, data } of session.output) {
      if (left.signal.aborted) break
      await outlet.write(framed ? encodeFrame(stream, data) : data)
      if (outlet.cut) {
        onCut(`it has read nothing for ${patience / 1000} seconds while the process waited for it`)
        session.close()
        break
      }
    }
  } finally {
    outlet.end()
    // from when all is written: a slow reader is to get all of it
    output.once('finish', () => {
      const timer = setTimeout(() => output.destroy(), closing)
      output.once('close', () => clearTimeout(timer))
    })
  }
  await receiving
}

/** The client's bytes to stdin; its half-close is the end of stdin and no more than that. */
async function receive(session: Session, input: Readable | Duplex, left: AbortSignal): Promise<void> {
  try {
    for await (const chunk of input.iterator({ destroyOnReturn: false })) {
      // nobody reads stdin any more: taken and dropped, so that the client's half-close still arrives
      await session.write(chunk as Buffer).catch(error => log('stdin: %s', messageOf(error)))
    }
    if (!left.aborted) session.end()
  } catch (error) {
    // a client that breaks off, which 'close' tells as well
    log('a client broke off: %s', messageOf(error))
  }
  // both directions are over: the client has seen the end of output or does not care
  if ('writableEnded' in input && input.writableEnded) input.destroy()
}

/**
 * The body of a request whose connection was upgraded: node hands over everything after the head.
 * What follows the body stays on the socket.
 */
export async function upgradedBody(request: IncomingMessage, socket: Duplex): Promise<Readable> {
  if (request.headers['transfer-encoding'] !== undefined)
    throw new Failure('invalid', 'Cannot upgrade: a body needs a Content-Length')
  const length = Number(request.headers['content-length'] ?? 0)
  if (length > maxJsonBody) throw new Failure('invalid', `invalid JSON: the request body is over ${maxJsonBody} bytes`)
  const pieces: Buffer[] = []
  let left = length
  while (left > 0) {
    const piece = socket.read() as Buffer | null
    if (piece === null) {
      if (socket.readableEnded || socket.destroyed)
        throw new Failure('invalid', 'Cannot upgrade: the body is cut short')
      await readable(socket)
      continue
    }
    pieces.push(piece.subarray(0, left))
    if (piece.length > left) socket.unshift(piece.subarray(left))
    left -= Math.min(left, piece.length)
  }
  return Readable.from(pieces, { objectMode: false })
}

/** Until there is something to read, or never will be. @throws Failure when that takes too long. */
function readable(socket: Duplex): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (then: () => void) => () => {
      clearTimeout(timer)
      for (const event of ['readable', 'end', 'close']) socket.off(event, ready)
      then()
    }
    const ready = settle(resolve)
    const timer = setTimeout(
      settle(() => reject(new Failure('invalid', 'Cannot upgrade: the request body did not arrive in time'))),
      bodyTimeout,
    )
    for (const event of ['readable', 'end', 'close']) socket.on(event, ready)
  })
}

/** An error before the 101. Attach answers in plain text, as Docker's does; the rest in JSON. */
export function refuse(socket: Duplex, endpoint: Endpoint, error: unknown): void {
  const status = statusOf(error)
  const [type, body] =
    endpoint.name === 'containerAttach'
      ? [raw, `${messageOf(error)}\r\n`]
      : ['application/json', `${JSON.stringify(errorReply(error))}\n`]
  const retry = error instanceof Busy ? `Retry-After: ${error.retryAfter}\r\n` : ''
  answerInstead(
    socket,
    `HTTP/1.1 ${status} ${reasons[status] ?? 'Error'}\r\n${retry}Content-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}

/** All that is said on a connection that was to be handed over and is not. What still comes is read, or nobody would hear that the client has left. */
export function answerInstead(socket: Duplex, text: string): void {
  socket.end(text)
  socket.resume()
  const timer = setTimeout(() => socket.destroy(), closing)
  socket.once('close', () => clearTimeout(timer))
}

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
}
