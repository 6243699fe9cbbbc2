import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { Events } from '../../../src/engine/base/events.ts'
import { Images } from '../../../src/engine/images/images.ts'
import { sumOf } from '../../../src/engine/images/sum.ts'
import type { ArchiveLimits } from '../../../src/engine/images/unpack-limits.ts'
import { UnpackError, UnpackPool } from '../../../src/engine/images/unpack-pool.ts'
import { lacking, program, root } from '../../support/needs.ts'
import { temporaryFolder, temporaryPaths } from '../../support/temporary-paths.ts'
import { sha256, tinyImageTar, tinyTar } from '../../support/tiny-image.ts'

const limits: ArchiveLimits = { bytes: 2 ** 32, entries: 1000, depth: 100, ratio: 2000 }

function place(t: TestContext) {
  const folder = temporaryFolder(t)
  const target = join(folder, 'root')
  mkdirSync(target)
  return { root: target, keep: join(folder, 'blob') }
}

async function* pieces(data: Buffer, size = 1000) {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size)
}

describe('UnpackPool', { skip: lacking(root()) }, () => {
  test('unpacks, keeps and digests what comes, twice over, in several threads at once', async t => {
    const pool = new UnpackPool()
    await Promise.all(
      Array.from({ length: 12 }, async (_, i) => {
        const { root, keep } = place(t)
        const tar = await tinyTar({ [`file${i}`]: 'x'.repeat(5000 + i) })
        const blob = gzipSync(tar)
        let taken = 0
        const done = await pool.run({ root, limits, keep }, pieces(blob), total => {
          taken = total
        })
        assert.equal(done.diffId, sha256(tar))
        assert.deepEqual(done.blob, { digest: sha256(blob), size: blob.length })
        assert.equal(taken, blob.length)
        assert.deepEqual(readdirSync(root), [`file${i}`])
        assert.ok(readFileSync(keep).equals(blob))
      }),
    )
  })

  test('tells of a bad archive what its bytes were, and goes on with the next', async t => {
    const pool = new UnpackPool()
    const bad = gzipSync(await tinyTar({ '../out': 'x' }))
    await assert.rejects(pool.run({ root: place(t).root, limits }, pieces(bad)), (error: unknown) => {
      assert.ok(error instanceof UnpackError && error.kind === 'invalid')
      assert.match(error.message, /holds "\.\."/)
      assert.deepEqual(error.blob, { digest: sha256(bad), size: bad.length })
      return true
    })
    const next = await pool.run({ root: place(t).root, limits }, pieces(await tinyTar({ a: 'x' })))
    assert.equal(next.entries, 1)
  })

  test('ends when its source fails, with that failure, and writes no more', async t => {
    const pool = new UnpackPool()
    const { root, keep } = place(t)
    const tar = await tinyTar({ a: 'x'.repeat(100_000), b: 'y' })
    async function* broken() {
      yield* pieces(tar.subarray(0, 50_000))
      throw new Error('gone')
    }
    await assert.rejects(pool.run({ root, limits, keep }, broken()), /gone/)
    assert.equal(readFileSync(keep).length, 50_000)
  })

  test('takes no more from a source than it can use', async t => {
    const pool = new UnpackPool()
    let given = 0
    async function* endless() {
      // an archive that is refused at its first entry
      yield await tinyTar({ '../out': '' })
      for (;;) {
        given += 65536
        yield Buffer.alloc(65536)
      }
    }
    await assert.rejects(pool.run({ root: place(t).root, limits }, endless()), UnpackError)
    assert.ok(given < 100 * 1024 * 1024, `${given} bytes were taken`)
  })

  test('refuses what grows too much', async t => {
    const pool = new UnpackPool()
    // 600 MB of zeros
    const zeros = Buffer.alloc(1 << 20)
    async function* tar() {
      const header = (await tinyTar({ big: '' })).subarray(0, 512)
      header.write((600 << 20).toString(8).padStart(11, '0'), 124)
      header.fill(' ', 148, 156)
      const sum = header.reduce((all, byte) => all + byte, 0)
      header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
      yield header
      for (let i = 0; i < 600; i++) yield zeros
      yield Buffer.alloc(1024)
    }
    const { createZstdCompress } = await import('node:zlib')
    const source = Readable.from(tar(), { objectMode: false }).compose(createZstdCompress())
    await assert.rejects(pool.run({ root: place(t).root, limits }, source), {
      message: 'Cannot unpack the archive: it grows to more than 2000 times its size',
    })
  })

  test('sums a layer and a file as they are summed here, while this thread has its turns', async t => {
    const pool = new UnpackPool()
    const folder = temporaryFolder(t)
    const layer = join(folder, 'layer')
    mkdirSync(join(layer, 'a'), { recursive: true })
    writeFileSync(join(layer, 'a/file'), 'x')
    truncateSync(join(layer, 'a/file'), 64 * 1024 * 1024)
    const fd = openSync(join(layer, 'a/file'), 'r')
    t.after(() => closeSync(fd))
    let turns = 0
    let isOver = false
    const count = () => {
      turns++
      if (!isOver) setImmediate(count)
    }
    count()
    const { signal } = new AbortController()
    const [ofLayer, ofFile] = await Promise.all([
      pool.sum({ kind: 'layer', root: layer }, signal),
      pool.sum({ kind: 'file', fd }, signal),
    ])
    isOver = true
    assert.ok(turns > 20, `${turns} turns`)
    assert.equal(ofLayer, await sumOf({ kind: 'layer', root: layer }, () => false))
    assert.equal(ofFile, sha256(readFileSync(join(layer, 'a/file'))))
  })

  test('stops a sum that nobody waits for, and goes on with the next', async t => {
    const pool = new UnpackPool()
    const path = join(temporaryFolder(t), 'file')
    writeFileSync(path, '')
    truncateSync(path, 2 ** 40)
    const fd = openSync(path, 'r')
    t.after(() => closeSync(fd))
    const stop = new AbortController()
    const sum = pool.sum({ kind: 'file', fd }, stop.signal)
    stop.abort(new Error('enough'))
    await assert.rejects(sum, { message: 'enough' })
    truncateSync(path, 1)
    assert.equal(await pool.sum({ kind: 'file', fd }, new AbortController().signal), sha256(Buffer.alloc(1)))
  })
})

test('layers lie apart on ext4', {
  skip: lacking(root(), program('lsattr')) || (!isExt() && 'needs a temporary folder on ext4'),
}, async t => {
  const paths = temporaryPaths(t)
  const images = await Images.open(paths, new Events())
  await images.load(Readable.from([await tinyImageTar({ tag: 'a:1' })]))
  assert.match(execFileSync('lsattr', ['-d', paths.imageTemp], { encoding: 'utf8' }).split(' ')[0]!, /T/)
})

function isExt(): boolean {
  const type = execFileSync('stat', ['-f', '-c', '%T', '/tmp'], { encoding: 'utf8' })
  return type.startsWith('ext')
}
