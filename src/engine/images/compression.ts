/** A byte stream that may be gzip or zstd to its plain bytes. */
import { Readable, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { Failure, isFailure } from '../../lib/failure.ts'

const chunkSize = 256 * 1024

const formats: readonly {
  readonly name: string
  readonly magic: readonly number[]
  readonly open?: () => Transform
}[] = [
  { name: 'gzip', magic: [0x1f, 0x8b], open: () => createGunzip({ chunkSize }) },
  { name: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd], open: () => createZstdDecompress({ chunkSize }) },
  { name: 'bzip2', magic: [0x42, 0x5a, 0x68] },
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
]

/**
 * Decides by the first bytes, never by what the sender says, and decompresses in this process: no program is run.
 * @throws Failure `unsupported` for bzip2 and xz, `invalid` for damaged data.
 */
export async function* decompressed(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = source[Symbol.asyncIterator]()
  const [head, rest] = await peek(iterator)
  const format = formats.find(({ magic }) => magic.every((byte, i) => head[i] === byte))
  if (format === undefined) return yield* rest
  if (format.open === undefined) {
    await iterator.return?.()
    throw new Failure('unsupported', `Cannot decompress ${format.name}: gzip and zstd are supported`)
  }
  const plain = format.open()
  const fed = pipeline(Readable.from(rest, { objectMode: false }), plain)
  // reported by the iteration below, which ends with the same error
  fed.catch(() => undefined)
  try {
    yield* plain as AsyncIterable<Buffer>
  } catch (cause) {
    if (isFailure(cause)) throw cause
    const message = cause instanceof Error ? cause.message : String(cause)
    if (cause instanceof Error && cause.name === 'AbortError') throw cause
    throw new Failure('invalid', `Cannot decompress ${format.name} data: ${message}`, { cause })
  } finally {
    plain.destroy()
  }
}

/** The first six bytes (fewer at the end) and a stream that still has them. */
async function peek(
  iterator: AsyncIterator<Uint8Array>,
): Promise<[Uint8Array, AsyncGenerator<Uint8Array, void, undefined>]> {
  let head: Uint8Array = Buffer.alloc(0)
  while (head.length < 6) {
    const { done, value } = await iterator.next()
    if (done) break
    head = head.length === 0 ? value : Buffer.concat([head, value])
  }
  async function* whole(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      if (head.length > 0) yield head
      for (;;) {
        const { done, value } = await iterator.next()
        if (done) return
        yield value
      }
    } finally {
      await iterator.return?.()
    }
  }
  return [head, whole()]
}
