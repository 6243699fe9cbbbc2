/** Messages on a gRPC stream: five bytes before each, whether it is compressed and its length. (grpc: PROTOCOL-HTTP2.md) */
import { Failure } from '../../lib/failure.ts'

/** Of one message; what BuildKit itself takes. */
export const maxMessage = 16 * 1024 * 1024

export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(5 + message.length)
  framed[0] = 0
  framed.writeUInt32BE(message.length, 1)
  framed.set(message, 5)
  return framed
}

/** @throws Failure `invalid` for a message that is cut short or too large, `unsupported` for a compressed one. */
export async function* unframe(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let pieces: Uint8Array[] = []
  let held = 0
  let wanted = 5
  let header = true
  for await (const chunk of chunks) {
    pieces.push(chunk)
    held += chunk.length
    while (held >= wanted) {
      const all =
        pieces.length === 1 ? Buffer.from(pieces[0]!.buffer, pieces[0]!.byteOffset, held) : Buffer.concat(pieces)
      const taken = all.subarray(0, wanted)
      held -= wanted
      pieces = held > 0 ? [all.subarray(wanted)] : []
      if (!header) {
        yield taken
        wanted = 5
      } else {
        if (taken[0] !== 0) throw new Failure('unsupported', 'Cannot read a compressed message: none was asked for')
        wanted = taken.readUInt32BE(1)
        if (wanted > maxMessage)
          throw new Failure('invalid', `Cannot read a message of ${wanted} bytes: ${maxMessage} is the most`)
      }
      header = !header
    }
  }
  if (held > 0 || !header) throw new Failure('invalid', 'Cannot read a message: it is cut short')
}
