/** A byte stream that may be compressed to its plain bytes. */
import { PassThrough, Readable, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { Failure, isFailure } from '../../lib/failure.ts'

const chunkSize = 256 * 1024

type Bytes = AsyncIterable<Uint8Array>

/** The two that are rare are loaded when they are met. */
const formats: readonly {
  readonly name: string
  readonly magic: readonly number[]
  readonly plain: (compressed: Bytes) => Bytes
}[] = [
  { name: 'gzip', magic: [0x1f, 0x8b], plain: bytes => through(createGunzip({ chunkSize }), bytes) },
  {
    name: 'zstd',
    magic: [0x28, 0xb5, 0x2f, 0xfd],
    plain: bytes => through(createZstdDecompress({ chunkSize }), bytes),
  },
  { name: 'bzip2', magic: [0x42, 0x5a, 0x68], plain: bunzip2 },
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], plain: unxz },
]

/**
 * Decides by the first bytes, never by what the sender says, and decompresses in this process: no program is run.
 * @throws Failure `invalid` for damaged data.
 */
export async function* decompressed(source: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
  const [head, rest] = await peek(source[Symbol.asyncIterator]())
  const format = formats.find(({ magic }) => magic.every((byte, i) => head[i] === byte))
  if (format === undefined) return yield* rest
  try {
    yield* format.plain(rest)
  } catch (cause) {
    if (isFailure(cause)) throw cause
    const message = cause instanceof Error ? cause.message : String(cause)
    if (cause instanceof Error && cause.name === 'AbortError') throw cause
    throw new Failure('invalid', `Cannot decompress ${format.name} data: ${message}`, { cause })
  } finally {
    // some formats end before their bytes do
    await rest.return()
  }
}

async function* through(plain: Transform, bytes: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
  const fed = pipeline(Readable.from(bytes, { objectMode: false }), plain)
  // reported by the iteration below, which ends with the same error
  fed.catch(() => undefined)
  try {
    yield* plain as AsyncIterable<Buffer>
  } finally {
    plain.destroy()
  }
}

/** The library's stream is one of the first kind, which closes before all of it is read: only a pipe takes it as it is. */
async function* bunzip2(bytes: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
  const { default: unbzip2 } = await import('unbzip2-stream')
  const source = Readable.from(bytes, { objectMode: false })
  const old = unbzip2()
  const plain = new PassThrough()
  const fail = (error: Error) => plain.destroy(error)
  source.on('error', fail)
  old.on('error', fail)
  source.pipe(old).pipe(plain)
  try {
    yield* plain as AsyncIterable<Buffer>
  } finally {
    source.destroy()
    plain.destroy()
  }
}

async function* unxz(bytes: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
  const { default: xz } = await import('xz-decompress')
  const source = Readable.from(bytes, { objectMode: false })
  try {
    yield* new xz.XzReadableStream(Readable.toWeb(source) as ReadableStream<Uint8Array>) as unknown as Bytes
  } finally {
    source.destroy()
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
