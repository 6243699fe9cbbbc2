/** What a handler returned, or threw, to an HTTP response. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Archive, Endpoint, Output, PathStat } from '../../api/endpoint.ts'
import { encodeFrames } from '../../api/frames.ts'
import { formatJsonLine } from '../../api/json-lines.ts'
import { errorReply, statusOf } from '../../api/status.ts'
import { newestVersion } from '../../api/version.ts'
import { Failure, isFailure, messageOf } from '../../lib/failure.ts'
import { drained } from './drained.ts'

/** A client that goes on sending after an error is cut off then. */
const lingering = 5000
/**
 * So long a body may be, and so long it may take, that its refusal waits for it: a client that does not keep its connection would
 * find it closed while it still writes, and see that instead of the answer.
 */
const shortBody = 64 * 1024
const soon = 200

export const multiplexed = 'application/vnd.docker.multiplexed-stream'
export const raw = 'application/vnd.docker.raw-stream'

/** On every answer but "page not found". */
export function standardHeaders(serverVersion: string): Record<string, string> {
  return {
    'Api-Version': newestVersion,
    'Docker-Experimental': 'false',
    Ostype: 'linux',
    Server: `tscompose/${serverVersion} (linux)`,
  }
}

/** Sends `value` as the endpoint's reply kind says; resolves when all is written or the client has left. */
export async function sendReply(response: ServerResponse, endpoint: Endpoint, value: unknown): Promise<void> {
  const { kind } = endpoint.reply
  switch (kind) {
    case 'empty':
    case 'hijack':
      response.writeHead(endpoint.status, endpoint.status === 204 ? {} : { 'Content-Length': '0' }).end()
      return
    case 'json':
      sendJson(response, endpoint.status, value)
      return
    case 'text':
      sendText(response, endpoint.status, endpoint.method === 'HEAD' ? '' : (value as string))
      return
    case 'stat':
      response.writeHead(200, { 'Content-Length': '0', [statHeader]: encodeStat(value as PathStat) }).end()
      return
    case 'lines':
      response.writeHead(200, { 'Content-Type': 'application/json' }).flushHeaders()
      return pump(response, formatted(value as AsyncIterable<unknown>, '\n'))
    case 'progress':
      return sendProgress(response, value as AsyncIterable<unknown>)
    case 'output': {
      const { tty, output } = value as Output
      response.writeHead(200, { 'Content-Type': tty ? raw : multiplexed }).flushHeaders()
      return pump(response, encoded(tty, output))
    }
    case 'archive': {
      const { stat, content } = value as Archive
      response.writeHead(200, {
        'Content-Type': endpoint.name === 'containerExport' ? 'application/octet-stream' : 'application/x-tar',
        ...(stat ? { [statHeader]: encodeStat(stat) } : {}),
      })
      return pump(response, content)
    }
    case 'connection':
    case 'websocket':
      throw new Failure('internal', `Cannot answer ${endpoint.name}: it takes over the connection`)
    default:
      return kind satisfies never
  }
}

const statHeader = 'X-Docker-Container-Path-Stat'

function encodeStat(stat: PathStat): string {
  return Buffer.from(JSON.stringify(stat)).toString('base64')
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(`${JSON.stringify(value)}\n`)
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': String(body.length) }).end(body)
}

export function sendText(response: ServerResponse, status: number, text: string): void {
  response
    .writeHead(status, {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': String(Buffer.byteLength(text)),
    })
    .end(text)
}

/** An error before the first byte is a status; after it the connection is broken off, so that no part passes for the whole. */
export function sendError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const status = statusOf(error)
  if (status === 304) {
    response.writeHead(304).end()
    return
  }
  const answer = () => sendJson(response, status, errorReply(error))
  const isOnItsWay = !response.req.complete
  if (isOnItsWay) discard(response.req)
  // one that does not tell its length may be short
  const length = Number(response.req.headers['content-length'] ?? 0)
  if (isOnItsWay && length <= shortBody) whenArrived(response.req, answer)
  else answer()
}

/** Calls once, when the body is here, or does not come. */
function whenArrived(request: IncomingMessage, call: () => void): void {
  const settle = () => {
    clearTimeout(timer)
    for (const event of ['end', 'close']) request.off(event, settle)
    call()
  }
  const timer = setTimeout(settle, soon)
  for (const event of ['end', 'close']) request.on(event, settle)
}

/**
 * Reads on what the client still sends and drops it: closing at once would reset the connection, and the client
 * would see that instead of the answer.
 */
function discard(request: IncomingMessage): void {
  const timer = setTimeout(() => request.socket.destroy(), lingering)
  request.once('close', () => clearTimeout(timer)).resume()
}

/** The first line decides: a failure before it is a status, one after it a line. */
async function sendProgress(response: ServerResponse, lines: AsyncIterable<unknown>): Promise<void> {
  const iterator = lines[Symbol.asyncIterator]()
  let item = await iterator.next()
  response.writeHead(200, { 'Content-Type': 'application/json' }).flushHeaders()
  try {
    while (!item.done && !response.destroyed) {
      await write(response, formatJsonLine(item.value, '\r\n'))
      item = await iterator.next()
    }
    if (response.destroyed) await iterator.return?.()
  } catch (error) {
    const message = messageOf(error)
    await write(response, formatJsonLine({ errorDetail: { message }, error: message }, '\r\n'))
  }
  response.end()
}

async function* formatted(items: AsyncIterable<unknown>, end: '\n'): AsyncGenerator<string> {
  for await (const item of items) yield formatJsonLine(item, end)
}

async function* encoded(tty: boolean, output: Output['output']): AsyncGenerator<Uint8Array> {
  for await (const chunks of output) yield tty ? Buffer.concat(chunks.map(({ data }) => data)) : encodeFrames(chunks)
}

/** Writes as fast as the client reads, and lets go of the source when it leaves. */
async function pump(response: ServerResponse, pieces: AsyncIterable<string | Uint8Array>): Promise<void> {
  try {
    for await (const piece of pieces) {
      if (response.destroyed) return
      await write(response, piece)
    }
  } catch (error) {
    // a source that ends because its reader has left
    if (response.destroyed && isFailure(error, 'cancelled')) return
    throw error
  }
  response.end()
}

async function write(response: ServerResponse, piece: string | Uint8Array): Promise<void> {
  if (!response.write(piece)) await drained(response)
}
