import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { decompressed } from '../../../src/engine/images/compression.ts'
import { lacking, program } from '../../support/needs.ts'

const content = Buffer.concat([Buffer.alloc(900_000, 'text that is packed well. '), randomBytes(200_000)])

function by(name: string): (data: Buffer) => Buffer {
  return data => spawnSync(name, ['-c'], { input: data, maxBuffer: 64 * 1024 * 1024 }).stdout
}

const formats: readonly (readonly [name: string, compress: (data: Buffer) => Buffer, missing: string | false])[] = [
  ['gzip', data => gzipSync(data), false],
  ['zstd', data => zstdCompressSync(data), false],
  ['bzip2', by('bzip2'), program('bzip2')],
  ['xz', by('xz'), program('xz')],
]

async function* pieces(data: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size)
}

async function all(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const found: Uint8Array[] = []
  for await (const piece of decompressed(source)) found.push(piece)
  return Buffer.concat(found)
}

describe('decompressed()', () => {
  for (const [name, compress, missing] of formats) {
    test(`reads ${name} in small and in large pieces`, { skip: lacking(missing) }, async () => {
      const compressed = compress(content)
      for (const size of [1000, 3_000_000]) assert.ok(content.equals(await all(pieces(compressed, size))), `${size}`)
      assert.equal((await all(pieces(compress(Buffer.from('x')), 2))).toString(), 'x')
    })

    test(`refuses ${name} that is damaged or cut short`, { skip: lacking(missing) }, async () => {
      const compressed = compress(content)
      const damaged = Buffer.from(compressed)
      damaged.fill(0x55, 12, 90)
      for (const data of [damaged, compressed.subarray(0, compressed.length - 1000)])
        await assert.rejects(all(pieces(data, 64_000)), {
          kind: 'invalid',
          message: new RegExp(`^Cannot decompress ${name} data`),
        })
    })

    test(`lets go of the source when its reader of ${name} leaves, and passes on what the source fails with`, {
      skip: lacking(missing),
    }, async () => {
      const compressed = compress(content)
      let closed = false
      async function* watched(): AsyncGenerator<Uint8Array> {
        try {
          yield* pieces(compressed, 64_000)
        } finally {
          closed = true
        }
      }
      for await (const piece of decompressed(watched())) if (piece.length > 0) break
      assert.equal(closed, true)
      async function* failing(): AsyncGenerator<Uint8Array> {
        yield compressed.subarray(0, 64_000)
        throw new Error('of the source')
      }
      await assert.rejects(all(failing()), /of the source/)
    })
  }

  test('passes on what is not compressed', async () => {
    for (const text of ['', 'BZ', 'plain text', '\u0028plain'])
      assert.equal((await all(pieces(Buffer.from(text), 3))).toString(), text)
  })
})
