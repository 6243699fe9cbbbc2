/** One WebSocket a page: what it shows is opened by a number, comes as it changes, and is closed when it is no longer shown. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import { z } from 'zod'
import { isFailure, messageOf } from '../lib/failure.ts'
import { report } from './report.ts'
import type { Opening, ToPage } from './wire.ts'

/** Gives what an opening is about, until the signal fires; resolves when there is no more. */
export type Topic<T extends Opening['topic']> = (
  what: Extract<Opening, { readonly topic: T }>,
  send: (data: unknown) => Promise<void>,
  signal: AbortSignal,
) => Promise<void>

export type Topics = { readonly [T in Opening['topic']]: Topic<T> }

/** Openings of one page at once. */
const most = 32
/** Bytes that may wait for a slow page before what sends is held back. */
const ahead = 1024 * 1024

const name = z.string().min(1).max(200)
const wish = {
  services: z.array(name).max(1000).optional(),
  grep: z.string().max(1000).optional(),
  level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).optional(),
  since: z.number().optional(),
  until: z.number().optional(),
  follow: z.boolean(),
}
const opening = z.discriminatedUnion('topic', [
  z.object({ topic: z.literal('board') }),
  z.object({ topic: z.literal('events'), stack: name }),
  z.object({ topic: z.literal('job'), job: name }),
  z.object({ topic: z.literal('stats'), stack: name }),
  z.object({ topic: z.literal('builds'), stack: name }),
  z.object({ topic: z.literal('build'), stack: name, ref: z.string().min(1).max(256) }),
  z.object({ topic: z.literal('logs'), stack: name, ...wish }),
]) satisfies z.ZodType<Opening>
const message = z.union([z.object({ open: z.number().int(), what: opening }), z.object({ close: z.number().int() })])

export const socketServer = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 1024 * 1024 })

/** Undefined: the handshake was none. */
export function handshake(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<WebSocket | undefined> {
  return new Promise(resolve => {
    socket.once('close', () => resolve(undefined))
    socketServer.handleUpgrade(request, socket, head, resolve)
  })
}

/** Serves one page until it leaves. */
export function serveLive(socket: WebSocket, topics: Topics): void {
  const open = new Map<number, AbortController>()
  const send = (data: ToPage): Promise<void> => {
    if (socket.readyState !== socket.OPEN) return Promise.resolve()
    const text = JSON.stringify(data)
    if (socket.bufferedAmount < ahead) {
      socket.send(text)
      return Promise.resolve()
    }
    // one that has left needs nothing any more
    return new Promise(resolve => socket.send(text, () => resolve()))
  }
  const begin = async (on: number, what: Opening): Promise<void> => {
    const control = new AbortController()
    open.get(on)?.abort()
    open.set(on, control)
    const { signal } = control
    try {
      const topic = topics[what.topic] as Topic<Opening['topic']>
      await topic(what, data => (signal.aborted ? Promise.resolve() : send({ on, data })), signal)
      if (!signal.aborted) await send({ on, end: true })
    } catch (error) {
      if (!signal.aborted) await send({ on, end: true, error: messageOf(error) })
      // a fault of ours: the page has its message, the log its stack
      if (!isFailure(error) && !signal.aborted) report(error)
    } finally {
      if (open.get(on) === control) open.delete(on)
    }
  }
  socket.on('message', (data: RawData, isBinary) => {
    const parsed = isBinary ? undefined : message.safeParse(json(data.toString()))
    if (!parsed?.success) return socket.close(1008, 'not understood')
    if ('close' in parsed.data) {
      open.get(parsed.data.close)?.abort()
      open.delete(parsed.data.close)
    } else if (open.size >= most) socket.close(1008, 'too much at once')
    else void begin(parsed.data.open, parsed.data.what)
  })
  socket.on('error', () => socket.terminate())
  socket.on('close', () => {
    for (const control of open.values()) control.abort()
  })
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // what is none fits no schema
    return undefined
  }
}

/** Resolves when the signal fires. */
export function until(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
