/** stdout and stderr in one stream: a header of eight bytes (stream, three zeros, length), then the payload. */
import { Failure } from '../lib/failure.ts'

export interface OutputChunk {
  readonly stream: 'stdout' | 'stderr'
  readonly data: Uint8Array
}

const headerSize = 8
/** `error` carries the engine's own word; Docker's clients print it as an error from the daemon and end. */
const numbers = { stdout: 1, stderr: 2, error: 3 } as const
/** Above any frame an engine writes in one piece; a larger one means that these are not frames. */
const maxFrame = 64 * 1024 * 1024

/** One frame. */
export function encodeFrame(stream: keyof typeof numbers, data: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(headerSize + data.byteLength)
  frame.writeUInt32BE(numbers[stream] << 24, 0)
  frame.writeUInt32BE(data.byteLength, 4)
  frame.set(data, headerSize)
  return frame
}

/** A frame for each chunk. */
export function encodeFrames(chunks: readonly OutputChunk[]): Buffer {
  let size = 0
  for (const { data } of chunks) size += headerSize + data.byteLength
  const frames = Buffer.allocUnsafe(size)
  let at = 0
  for (const { stream, data } of chunks) {
    frames.writeUInt32BE(numbers[stream] << 24, at)
    frames.writeUInt32BE(data.byteLength, at + 4)
    frames.set(data, at + headerSize)
    at += headerSize + data.byteLength
  }
  return frames
}

/**
 * Frames out of pieces cut anywhere; payloads are passed on as they arrive, not gathered.
 * @throws Failure `internal` when the bytes are no frames or end in the middle of one.
 */
export class FrameDecoder {
  readonly #header = Buffer.alloc(headerSize)
  #headerLength = 0
  #left = 0
  #stream: OutputChunk['stream'] = 'stdout'

  /** The chunks that `piece` completes or continues. */
  push(piece: Uint8Array): OutputChunk[] {
    const chunks: OutputChunk[] = []
    let at = 0
    while (at < piece.byteLength) {
      if (this.#left === 0) {
        if (this.#headerLength === 0 && piece.byteLength - at >= headerSize) {
          this.#begin(piece, at)
          at += headerSize
          continue
        }
        const take = Math.min(headerSize - this.#headerLength, piece.byteLength - at)
        this.#header.set(piece.subarray(at, at + take), this.#headerLength)
        this.#headerLength += take
        at += take
        if (this.#headerLength < headerSize) return chunks
        this.#headerLength = 0
        this.#begin(this.#header, 0)
        continue
      }
      const take = Math.min(this.#left, piece.byteLength - at)
      this.#left -= take
      chunks.push({ stream: this.#stream, data: piece.subarray(at, at + take) })
      at += take
    }
    return chunks
  }

  /** By the header that stands at `at`. */
  #begin(bytes: Uint8Array, at: number): void {
    const number = bytes[at]!
    this.#left = bytes[at + 4]! * 0x1000000 + (bytes[at + 5]! << 16) + (bytes[at + 6]! << 8) + bytes[at + 7]!
    if (number > 3 || bytes[at + 1] !== 0 || bytes[at + 2] !== 0 || bytes[at + 3] !== 0 || this.#left > maxFrame)
      throw new Failure('internal', 'Cannot read the output: it is not in frames')
    // what the engine itself says is seen as an error
    this.#stream = number >= 2 ? 'stderr' : 'stdout'
  }

  /** To be called when the stream has ended. */
  end(): void {
    if (this.#left > 0 || this.#headerLength > 0)
      throw new Failure('internal', 'Cannot read the output: it ended in the middle of a frame')
  }
}

/**
 * Frames of a whole stream; with a terminal there are none and everything is stdout. Written by hand, since a log has millions of them and a
 * generator costs four times as much for each: what has been decoded is handed out without waiting.
 */
export function decodeOutput(source: AsyncIterable<Uint8Array>, tty: boolean): AsyncIterableIterator<OutputChunk> {
  return new DecodedOutput(source, tty)
}

type Next = IteratorResult<OutputChunk, undefined>

class DecodedOutput implements AsyncIterableIterator<OutputChunk, undefined> {
  readonly #source: AsyncIterator<Uint8Array>
  readonly #decoder: FrameDecoder | undefined
  #chunks: readonly OutputChunk[] = []
  #at = 0
  #isOver = false
  /** The piece that is waited for. */
  #reading: Promise<Next> | undefined

  constructor(source: AsyncIterable<Uint8Array>, tty: boolean) {
    this.#source = source[Symbol.asyncIterator]()
    this.#decoder = tty ? undefined : new FrameDecoder()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<Next> {
    // whoever asks again before there was an answer gets the next one
    if (this.#reading) return this.#reading.then(() => this.next())
    const chunk = this.#chunks[this.#at]
    if (chunk) {
      this.#at++
      return Promise.resolve({ value: chunk, done: false })
    }
    if (this.#isOver) return Promise.resolve({ value: undefined, done: true })
    this.#reading = this.#read().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async return(): Promise<Next> {
    this.#chunks = []
    if (!this.#isOver) {
      this.#isOver = true
      await this.#source.return?.()
    }
    return { value: undefined, done: true }
  }

  async #read(): Promise<Next> {
    try {
      while (!this.#isOver) {
        const piece = await this.#source.next()
        if (piece.done) {
          this.#isOver = true
          this.#decoder?.end()
          break
        }
        if (this.#isOver) break
        this.#chunks = this.#decoder ? this.#decoder.push(piece.value) : [{ stream: 'stdout', data: piece.value }]
        const [first] = this.#chunks
        this.#at = 1
        if (first) return { value: first, done: false }
      }
    } catch (error) {
      await this.return()
      throw error
    }
    return { value: undefined, done: true }
  }
}
