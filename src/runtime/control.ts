/** A connection to a monitor: frames both ways, output held back while nobody reads it. */
import { closeSync, openSync } from 'node:fs'
import { connect, Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { errnoOf } from '../lib/failure.ts'
import { attachBits } from './parts/process.ts'
import type { AttachStreams, Exit, OutputChunk } from './runtime.ts'

/** Frame types; native/frames.h has the same. */
const to = { program: 1, signal: 2, resize: 3, attach: 4, stdin: 5, stdinEnd: 6, goOn: 7 } as const
const from = { started: 1, failed: 2, stdout: 3, stderr: 4, exited: 5, yielded: 6 } as const

/** What a monitor says first. `lost`: it ended without a word. */
export type First =
  | { readonly kind: 'started'; readonly pid: number; readonly at: Date }
  | { readonly kind: 'failed'; readonly step: number; readonly errno: number }
  | { readonly kind: 'lost' }

const headSize = 5
const largestFrame = 65_536
/** Bytes of output held here before the monitor is made to wait. */
const highWater = 262_144

function dateOf(nanoseconds: bigint): Date {
  return new Date(Number(nanoseconds / 1_000_000n))
}

/** How often a monitor is tried that others keep busy: for five seconds. */
const mostTries = 500

/** Connected, or why not. */
function dial(path: string): Promise<Socket | Error> {
  const socket = connect(path)
  return new Promise(resolve => {
    socket.once('connect', () => resolve(socket))
    socket.once('error', resolve)
  })
}

export class Control {
  readonly #socket: Socket
  readonly #yielded = Promise.withResolvers<boolean>()
  readonly #first = Promise.withResolvers<First>()
  readonly #exit = Promise.withResolvers<Exit | undefined>()
  #pending: Buffer = Buffer.alloc(0)
  #queue: OutputChunk[] = []
  #queued = 0
  #wake: (() => void) | undefined
  #ended = false
  #discard = false

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', data => this.#take(data))
    // an error is followed by close; what it means is decided there
    socket.on('error', () => undefined)
    socket.on('close', () => this.#close())
  }

  /** Our end of the pair a monitor was started with. */
  static over(fd: number): Control {
    return new Control(new Socket({ fd, readable: true, writable: true }))
  }

  /** Undefined when nobody listens. The path goes through a descriptor of its folder: socket paths end at 108 bytes. */
  static async to(directory: string): Promise<Control | undefined> {
    let folder: number
    try {
      folder = openSync(directory, 'r')
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw error
    }
    try {
      for (let tries = 1; ; tries++) {
        const found = await dial(`/proc/self/fd/${folder}/control.sock`)
        if (found instanceof Socket) return new Control(found)
        const code = errnoOf(found)
        if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ECONNRESET') return undefined
        // as many as the monitor has room for wait to be let in
        if (code !== 'EAGAIN' || tries === mostTries) throw found
        await pause(10)
      }
    } finally {
      closeSync(folder)
    }
  }

  /** Whether it waits for a word to go on; false when its first report, or its end, comes before. */
  get yielded(): Promise<boolean> {
    return this.#yielded.promise
  }

  get first(): Promise<First> {
    return this.#first.promise
  }

  /** Undefined when the connection ended without it. */
  get exit(): Promise<Exit | undefined> {
    return this.#exit.promise
  }

  sendProgram(bytes: Buffer): void {
    this.#send(to.program, bytes)
  }

  goOn(): void {
    this.#send(to.goOn, Buffer.alloc(0))
  }

  /** In place of `goOn`: all is taken back, and then comes the report of that. */
  giveUp(): void {
    this.#socket.end()
  }

  signal(number: number): void {
    const data = Buffer.alloc(4)
    data.writeUInt32LE(number)
    this.#send(to.signal, data)
  }

  resize(rows: number, columns: number): void {
    const data = Buffer.alloc(4)
    data.writeUInt16LE(rows & 0xffff)
    data.writeUInt16LE(columns & 0xffff, 2)
    this.#send(to.resize, data)
  }

  attach(streams: AttachStreams): void {
    this.#send(to.attach, Buffer.from([attachBits(streams)]))
  }

  /** No output from now on; what is on the way is thrown away. */
  detach(): void {
    this.#discard = true
    this.#queue = []
    this.#queued = 0
    this.#socket.resume()
    if (this.#socket.writable) this.#send(to.attach, Buffer.from([0]))
    this.#wake?.()
  }

  /** Resolves when the kernel has taken it; the monitor reads on only as fast as the process does. */
  async write(chunk: Uint8Array): Promise<void> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    for (let at = 0; at < bytes.length; at += largestFrame) {
      const part = bytes.subarray(at, at + largestFrame)
      await new Promise<void>(resolve => {
        // a process that has ended takes no input: that is no failure of the writer
        if (!this.#socket.writable) resolve()
        else this.#send(to.stdin, part, () => resolve())
      })
    }
  }

  endInput(): void {
    if (this.#socket.writable) this.#send(to.stdinEnd, Buffer.alloc(0))
  }

  /** Ends the connection behind what was written to it: the monitor reads all of that, as fast as the process does. */
  leave(): void {
    this.detach()
    this.#socket.end()
  }

  close(): void {
    this.#socket.destroy()
  }

  async *output(): AsyncGenerator<OutputChunk> {
    for (;;) {
      const chunk = this.#queue.shift()
      if (chunk !== undefined) {
        this.#queued -= chunk.data.length
        if (this.#queued < highWater) this.#socket.resume()
        yield chunk
      } else if (this.#ended || this.#discard) return
      else await new Promise<void>(resolve => (this.#wake = resolve))
    }
  }

  #send(type: number, data: Buffer, done?: () => void): void {
    const head = Buffer.alloc(headSize)
    head[0] = type
    head.writeUInt32LE(data.length, 1)
    this.#socket.cork()
    this.#socket.write(head)
    this.#socket.write(data, done)
    this.#socket.uncork()
  }

  #take(data: Buffer): void {
    let rest = this.#pending.length === 0 ? data : Buffer.concat([this.#pending, data])
    while (rest.length >= headSize) {
      const end = headSize + rest.readUInt32LE(1)
      if (rest.length < end) break
      this.#frame(rest[0]!, rest.subarray(headSize, end))
      rest = rest.subarray(end)
    }
    this.#pending = rest
  }

  #frame(type: number, data: Buffer): void {
    switch (type) {
      case from.yielded:
        this.#yielded.resolve(true)
        break
      case from.started:
        this.#says({ kind: 'started', pid: data.readUInt32LE(0), at: dateOf(data.readBigUInt64LE(4)) })
        break
      case from.failed:
        this.#says({ kind: 'failed', step: data.readInt32LE(0), errno: data.readInt32LE(4) })
        break
      case from.stdout:
      case from.stderr:
        this.#output({ stream: type === from.stdout ? 'stdout' : 'stderr', data })
        break
      case from.exited:
        this.#ended = true
        this.#exit.resolve({
          kind: 'exited',
          code: data.readUInt32LE(0),
          signal: data.readUInt32LE(4) || undefined,
          oomKilled: data.readUInt32LE(8) !== 0,
          finishedAt: dateOf(data.readBigUInt64LE(12)),
        })
        this.#wake?.()
        break
      default:
        this.close()
    }
  }

  #says(first: First): void {
    this.#first.resolve(first)
    this.#yielded.resolve(false)
  }

  #output(chunk: OutputChunk): void {
    if (this.#discard) return
    this.#queue.push(chunk)
    this.#queued += chunk.data.length
    if (this.#queued >= highWater) this.#socket.pause()
    this.#wake?.()
  }

  #close(): void {
    this.#ended = true
    this.#says({ kind: 'lost' })
    this.#exit.resolve(undefined)
    this.#wake?.()
  }
}
