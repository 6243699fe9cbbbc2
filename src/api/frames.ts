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
        const take = Math.min(headerSize - this.#headerLength, piece.byteLength - at)
        this.#header.set(piece.subarray(at, at + take), this.#headerLength)
        this.#headerLength += take
        at += take
        if (this.#headerLength < headerSize) return chunks
        this.#headerLength = 0
        const number = this.#header[0]!
        this.#left = this.#header.readUInt32BE(4)
        if (number > 3 || this.#header.readUIntBE(1, 3) !== 0 || this.#left > maxFrame)
          throw new Failure('internal', 'Cannot read the output: it is not in frames')
        // what the engine itself says is seen as an error
        this.#stream = number >= 2 ? 'stderr' : 'stdout'
        continue
      }
      const take = Math.min(this.#left, piece.byteLength - at)
      this.#left -= take
      chunks.push({ stream: this.#stream, data: piece.subarray(at, at + take) })
      at += take
    }
    return chunks
  }

  /** To be called when the stream has ended. */
  end(): void {
    if (this.#left > 0 || this.#headerLength > 0)
      throw new Failure('internal', 'Cannot read the output: it ended in the middle of a frame')
  }
}

/** Frames of a whole stream; with a terminal there are none and everything is stdout. */
export async function* decodeOutput(source: AsyncIterable<Uint8Array>, tty: boolean): AsyncGenerator<OutputChunk> {
  if (tty) {
    for await (const data of source) yield { stream: 'stdout', data }
    return
  }
  const decoder = new FrameDecoder()
  for await (const piece of source) yield* decoder.push(piece)
  decoder.end()
}
