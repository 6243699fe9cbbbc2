/** A connection handed to a container's streams: output framed to the client, its bytes to stdin, half-closes kept apart from leaving. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Duplex, Readable } from 'node:stream'
import type { Endpoint, Session } from '../../api/endpoint.ts'
import { encodeFrame } from '../../api/frames.ts'
import { errorReply, statusOf } from '../../api/status.ts'
import { debug } from '../../lib/debug.ts'
import { Failure, messageOf } from '../../lib/failure.ts'
import { bodyTimeout, maxJsonBody } from './decode.ts'
import { drained } from './drained.ts'
import { multiplexed, raw } from './reply.ts'

const log = debug('http')
/** After the last output the client has this long to close, so that it is not reset with output unread. */
const closing = 2000

/** The 101 in the very words clients expect, then bytes both ways until the output has ended. */
export async function upgradeTo(socket: Duplex, session: Session): Promise<void> {
  socket.write(
    `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${session.tty ? raw : multiplexed}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`,
  )
  await join(session, socket, socket)
}

/** Without an upgrade: an answer that ends with the connection, still framed; the request's body is stdin. */
export async function streamTo(request: IncomingMessage, response: ServerResponse, session: Session): Promise<void> {
  response.shouldKeepAlive = false
  response.useChunkedEncodingByDefault = false
  response.writeHead(200, { 'Content-Type': raw }).flushHeaders()
  const stdin = request.headers['transfer-encoding'] !== undefined && !request.complete
  await join(session, stdin ? request : undefined, response)
}

async function join(
  session: Session,
  input: Readable | Duplex | undefined,
  output: ServerResponse | Duplex,
): Promise<void> {
  const left = new AbortController()
  output.once('close', () => left.abort())
  output.on('error', error => log('a client left: %s', error.message))
  left.signal.addEventListener('abort', () => session.close(), { once: true })
  const receiving = input ? receive(session, input, left.signal) : Promise.resolve()
  try {
    for await (const { stream, data } of session.output) {
      if (left.signal.aborted) break
      if (!output.write(session.tty ? data : encodeFrame(stream, data))) await drained(output)
    }
  } finally {
    output.end()
    const timer = setTimeout(() => output.destroy(), closing)
    output.once('close', () => clearTimeout(timer))
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
  socket.end(
    `HTTP/1.1 ${status} ${reasons[status] ?? 'Error'}\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
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
