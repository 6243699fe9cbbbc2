/** Asks other name servers: one socket a question, a random id, two seconds each, in turn. */
import { randomInt } from 'node:crypto'
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { connect, isIPv6, type Socket as TcpSocket } from 'node:net'
import { debug } from '../../lib/debug.ts'
import { messageOf } from '../../lib/failure.ts'
import { answers, type Query } from './message.ts'

const log = debug('dns')

export interface Upstream {
  readonly address: string
  readonly port: number
  /** Until when it is asked last, since it did not answer; milliseconds since the epoch. */
  silentUntil?: number
}

/** A bound UDP socket's, or an unconnected TCP socket's, descriptor in the namespace to ask from; undefined: the engine's own. */
export type SocketFrom = ((kind: 'udp', address: string) => number) | undefined

export interface ForwardOptions {
  readonly upstreams: readonly Upstream[]
  readonly tcp: boolean
  readonly from: SocketFrom
}

const patience = 2000
/** How long a server that did not answer is asked last. */
const grudge = 10_000

/** Whether none of them has answered lately: then a name without a dot is not worth a wait. */
export function allSilent(upstreams: readonly Upstream[], now = Date.now()): boolean {
  return upstreams.every(({ silentUntil = 0 }) => silentUntil > now)
}

/** The first answer, as it came but with the query's id; undefined when no server gives one. */
export async function forward(query: Query, options: ForwardOptions): Promise<Buffer | undefined> {
  const now = Date.now()
  const isSilent = (upstream: Upstream) => ((upstream.silentUntil ?? 0) > now ? 1 : 0)
  for (const upstream of options.upstreams.toSorted((a, b) => isSilent(a) - isSilent(b))) {
    const id = randomInt(0x10000)
    const bytes = Buffer.from(query.bytes)
    bytes.writeUInt16BE(id, 0)
    const isAnswer = (response: Buffer) => answers(response, query, id)
    try {
      // from inside a sandbox over UDP only: those who ask such a server over TCP are given its UDP answer, whole or cut
      const response =
        options.tcp && !options.from
          ? await askTcp(bytes, upstream, isAnswer)
          : await askUdp(bytes, upstream, { isAnswer, from: options.from })
      upstream.silentUntil = 0
      response.writeUInt16BE(query.id, 0)
      return response
    } catch (error) {
      upstream.silentUntil = Date.now() + grudge
      log('%s did not answer: %s', upstream.address, messageOf(error))
    }
  }
  return undefined
}

interface Asking {
  readonly isAnswer: (response: Buffer) => boolean
  readonly from: SocketFrom
}

function askUdp(bytes: Buffer, upstream: Upstream, { isAnswer, from }: Asking): Promise<Buffer> {
  const six = isIPv6(upstream.address)
  const socket: UdpSocket = createSocket(six ? 'udp6' : 'udp4')
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const timer = setTimeout(() => reject(new Error('no answer')), patience)
  socket.on('error', reject)
  socket.on('message', response => {
    // anybody can send to the port: only what answers the question counts
    if (isAnswer(response)) resolve(response)
  })
  // connected, the kernel drops what other addresses send, and a closed port is an error at once
  const ask = () =>
    socket.connect(upstream.port, upstream.address, (error?: Error) => {
      if (error) reject(error)
      else socket.send(bytes)
    })
  try {
    if (from) socket.bind({ fd: from('udp', six ? '::' : '0.0.0.0') }, ask)
    else ask()
  } catch (error) {
    reject(error)
  }
  return promise.finally(() => {
    clearTimeout(timer)
    socket.close()
  })
}

function askTcp(bytes: Buffer, upstream: Upstream, isAnswer: Asking['isAnswer']): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const socket: TcpSocket = connect({ host: upstream.address, port: upstream.port })
  const timer = setTimeout(() => reject(new Error('no answer')), patience)
  const frames = new Frames(frame => (isAnswer(frame) ? resolve(frame) : reject(new Error('another answer'))))
  socket.on('error', reject)
  socket.on('end', () => reject(new Error('closed')))
  socket.on('data', (chunk: Buffer) => frames.take(chunk))
  socket.write(frame(bytes))
  return promise.finally(() => {
    clearTimeout(timer)
    socket.destroy()
  })
}

/** A message with its length before it, as DNS over TCP sends it. */
export function frame(message: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(message.length + 2)
  framed.writeUInt16BE(message.length, 0)
  message.copy(framed, 2)
  return framed
}

/** Chunks of a TCP stream to whole messages; holds at most one message, 64 KiB. */
export class Frames {
  #held: Buffer = Buffer.alloc(0)
  readonly #onMessage: (message: Buffer) => void

  constructor(onMessage: (message: Buffer) => void) {
    this.#onMessage = onMessage
  }

  take(chunk: Buffer): void {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    while (this.#held.length >= 2) {
      const end = 2 + this.#held.readUInt16BE(0)
      if (this.#held.length < end) return
      const message = this.#held.subarray(2, end)
      this.#held = this.#held.subarray(end)
      this.#onMessage(message)
    }
  }
}
