import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { unpack } from '../../../src/engine/images/unpack.ts'
import type { UnpackLimits } from '../../../src/engine/images/unpack-limits.ts'
import { isFailure } from '../../../src/lib/failure.ts'
import { getXattr } from '../../../src/runtime/native.ts'
import { lacking, root } from '../../support/needs.ts'
import { type TinyFiles, tinyTar } from '../../support/tiny-image.ts'

const limits: UnpackLimits = { bytes: 1024 * 1024, entries: 1000, depth: 64 }
const place = mkdtempSync(join(tmpdir(), 'tscompose-unpack-'))
after(() => rmSync(place, { recursive: true, force: true }))
let serial = 0

/** Unpacks into <place>/n/layer, beside a canary that nothing may touch, and checks that nothing did. */
async function unpackTar(tar: Buffer, options: Partial<UnpackLimits> = {}) {
  const outside = join(place, String(++serial))
  const layer = join(outside, 'layer')
  mkdirSync(layer, { recursive: true })
  writeFileSync(join(outside, 'canary'), 'alive', { mode: 0o640 })
  const before = lstatSync(join(outside, 'canary'), { bigint: true })
  async function* chunks() {
    // odd pieces, so that headers and bodies are cut anywhere
    for (let at = 0; at < tar.length; at += 777) yield tar.subarray(at, at + 777)
  }
  let failure: unknown
  let result: Awaited<ReturnType<typeof unpack>> | undefined
  try {
    result = await unpack(chunks(), layer, { ...limits, ...options })
  } catch (error) {
    failure = error
  }
  assert.deepEqual(readdirSync(outside).sort(), ['canary', 'layer'])
  assert.equal(readFileSync(join(outside, 'canary'), 'utf8'), 'alive')
  const now = lstatSync(join(outside, 'canary'), { bigint: true })
  assert.deepEqual([now.ctimeNs, now.nlink, now.mode], [before.ctimeNs, before.nlink, before.mode])
  return { layer, failure, result, at: (name: string) => join(layer, name) }
}

const skip = lacking(root())

describe('unpack() refuses a layer', { skip }, () => {
  const canary = '../canary'
  const hostile: Readonly<Record<string, readonly [TinyFiles, RegExp]>> = {
    'with ".." in a name': [{ [canary]: 'dead' }, /holds "\.\."/],
    'with ".." further on': [{ 'a/': '', 'a/../../canary': 'dead' }, /holds "\.\."/],
    'with a file behind a link to the outside': [
      { link: { type: 'symlink', linkname: '..' }, 'link/canary': 'dead' },
      /lies behind the link "link"/,
    ],
    'with a file behind a link to the inside': [
      { 'd/': '', link: { type: 'symlink', linkname: 'd' }, 'link/x': 'dead' },
      /lies behind the link/,
    ],
    'with a folder behind an absolute link': [
      { link: { type: 'symlink', linkname: place }, 'link/x/': '' },
      /lies behind the link/,
    ],
    'with a hard link to the outside': [{ link: { type: 'link', linkname: canary } }, /holds "\.\."/],
    'with a hard link through a link': [
      { up: { type: 'symlink', linkname: '..' }, stolen: { type: 'link', linkname: 'up/canary' } },
      /is not a file of this layer/,
    ],
    'with a hard link to a missing file': [
      { link: { type: 'link', linkname: 'etc/shadow' } },
      /is not a file of this layer/,
    ],
    'with a whiteout of ".."': [{ 'a/': '', 'a/.wh...': '' }, /hides no name/],
    'with a whiteout of nothing': [{ '.wh.': '' }, /hides no name/],
    'with a whiteout behind a link': [
      { link: { type: 'symlink', linkname: '..' }, 'link/.wh.canary': '' },
      /lies behind the link/,
    ],
    'with an opaque mark behind a link': [
      { link: { type: 'symlink', linkname: '..' }, 'link/.wh..wh..opq': '' },
      /lies behind the link/,
    ],
    'with a file as a folder': [{ a: 'x', 'a/b': 'y' }, /"a" above it is not a folder/],
    'with a root that is a file': [
      { './': '', '.': { type: 'symlink', linkname: '..' } },
      /root of a layer should be a folder/,
    ],
    'with a NUL in a pax path': [{ x: { pax: { path: 'a\0b' } } }, /holds a NUL/],
    'with holes that reach beyond the file': [
      { x: { pax: { 'GNU.sparse.size': '1', 'GNU.sparse.map': '1,1' }, content: 'x' } },
      /reach beyond its end/,
    ],
    'with a map of holes that is cut short': [{ x: { pax: { 'GNU.sparse.major': '1' } } }, /map of a file with holes/],
    'with an owner out of range': [{ x: { pax: { uid: '4294967295' } } }, /owner is out of range/],
    'with a pax size that is no number': [{ x: { pax: { size: '-1' } } }, /pax size is "-1"/],
  }
  for (const [what, [files, text]] of Object.entries(hostile)) {
    test(what, async () => {
      const { failure } = await unpackTar(await tinyTar(files))
      assert.ok(isFailure(failure, 'invalid'), String(failure))
      assert.match(failure.message, text)
    })
  }

  test('with more bytes, entries or depth than allowed', async () => {
    const bomb = await tinyTar({ a: Buffer.alloc(600_000), b: Buffer.alloc(600_000) })
    assert.match(String((await unpackTar(bomb)).failure), /more than 1048576 bytes/)
    const many = await tinyTar(Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`f${i}`, ''])))
    assert.match(String((await unpackTar(many, { entries: 10 })).failure), /more than 10 entries/)
    const deep = await tinyTar({ [`${'d/'.repeat(70)}x`]: '' })
    assert.match(String((await unpackTar(deep)).failure), /more than 64 folders deep/)
  })

  test('that is cut short, or whose header is damaged', async () => {
    const tar = await tinyTar({ a: Buffer.alloc(5000, 'x') })
    assert.match(String((await unpackTar(tar.subarray(0, 2000))).failure), /unexpected EOF/)
    const damaged = Buffer.from(tar)
    damaged[0] = 'b'.charCodeAt(0)
    assert.match(String((await unpackTar(damaged)).failure), /does not match its checksum/)
  })

  test('whose header announces a negative size', async () => {
    const tar = await tinyTar({ a: 'x' })
    tar.write('\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00', 124, 'latin1')
    tar.write('        ', 148, 'latin1')
    const sum = tar.subarray(0, 512).reduce((a, b) => a + b, 0)
    tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
    assert.match(String((await unpackTar(tar)).failure), /size is negative/)
  })

  test('whose extended header is larger than any real one', async () => {
    const tar = await tinyTar({ a: { pax: { comment: 'x'.repeat(2 * 1024 * 1024) } } })
    assert.match(String((await unpackTar(tar)).failure), /an extended header has \d+ bytes/)
  })
})

describe('unpack()', { skip }, () => {
  test('keeps an absolute name inside the layer', async () => {
    const { at, failure } = await unpackTar(await tinyTar({ '/etc/passwd': 'mine' }))
    assert.equal(failure, undefined)
    assert.equal(readFileSync(at('etc/passwd'), 'utf8'), 'mine')
  })

  test('keeps owners, modes, set-uid bits, times and links', async () => {
    const mtime = new Date('2020-02-02T02:02:02Z')
    const { at, failure, result } = await unpackTar(
      await tinyTar({
        'd/': { uid: 7, gid: 8, mode: 0o2750, mtime },
        'd/su': { content: 'abc', uid: 0, gid: 5, mode: 0o4755, mtime },
        'd/same': { type: 'link', linkname: 'd/su' },
        'd/link': { type: 'symlink', linkname: '../../../etc/shadow', uid: 9, gid: 9, mtime },
      }),
    )
    assert.equal(failure, undefined)
    assert.deepEqual(result, { size: 22, entries: 4, opaque: false })
    const [d, su, same, link] = ['d', 'd/su', 'd/same', 'd/link'].map(name => lstatSync(at(name)))
    assert.deepEqual([d!.uid, d!.gid, d!.mode & 0o7777, d!.mtimeMs], [7, 8, 0o2750, mtime.getTime()])
    assert.deepEqual([su!.uid, su!.gid, su!.mode & 0o7777, su!.mtimeMs], [0, 5, 0o4755, mtime.getTime()])
    assert.equal(same!.ino, su!.ino)
    assert.deepEqual([link!.uid, link!.mtimeMs], [9, mtime.getTime()])
    assert.equal(readlinkSync(at('d/link')), '../../../etc/shadow')
  })

  test('takes a time before 1970 for its first second, of files, folders and links alike', async () => {
    const mtime = new Date(-86_400_000)
    const header = (type: 'file' | 'directory' | 'symlink') => ({ type, mtime, pax: { mtime: '-86400' } })
    const { failure, at } = await unpackTar(
      await tinyTar({ f: header('file'), 'd/': header('directory'), l: { ...header('symlink'), linkname: 'f' } }),
    )
    assert.equal(failure, undefined)
    assert.deepEqual(
      ['f', 'd', 'l'].map(name => lstatSync(at(name)).mtimeMs),
      [0, 0, 0],
    )
  })

  test('makes devices and fifos', async () => {
    const { at } = await unpackTar(
      await tinyTar({
        null: { type: 'character-device', devmajor: 1, devminor: 3, mode: 0o666 },
        loop: { type: 'block-device', devmajor: 7, devminor: 300 },
        pipe: { type: 'fifo', mode: 0o600 },
      }),
    )
    const [device, loop, pipe] = ['null', 'loop', 'pipe'].map(name => lstatSync(at(name)))
    assert.ok(device!.isCharacterDevice() && device!.rdev === 0x103 && (device!.mode & 0o777) === 0o666)
    assert.ok(loop!.isBlockDevice())
    assert.equal(execFileSync('stat', ['-c', '%t:%T', at('loop')], { encoding: 'utf8' }).trim(), '7:12c')
    assert.ok(pipe!.isFIFO())
  })

  test('turns whiteouts and opaque marks into what overlay knows', async () => {
    const { at, result } = await unpackTar(
      await tinyTar({
        '.wh.gone': '',
        'd/.wh..wh..opq': '',
        'd/new': 'x',
        '.wh..wh.plnk/': '',
        '.wh..wh.plnk/1.2': 'x',
      }),
    )
    assert.ok(lstatSync(at('gone')).isCharacterDevice() && lstatSync(at('gone')).rdev === 0)
    assert.equal(getXattr(at('d'), 'trusted.overlay.opaque')?.toString(), 'y')
    assert.deepEqual(readdirSync(at('.')).sort(), ['d', 'gone'])
    assert.equal(result!.opaque, false)
  })

  test('reports an opaque mark on the layer root, which overlay would ignore', async () => {
    const { result } = await unpackTar(await tinyTar({ '.wh..wh..opq': '', a: '' }))
    assert.equal(result!.opaque, true)
  })

  test('keeps what a layer brings itself, whichever side of its whiteout it stands on', async () => {
    const { at } = await unpackTar(
      await tinyTar({ a: 'x', '.wh.a': '', '.wh.b/': '', '.wh.c': '', 'c/': '', 'c/d': 'y', 'e/f': 'z', '.wh.e': '' }),
    )
    assert.equal(readFileSync(at('a'), 'utf8'), 'x')
    assert.equal(readFileSync(at('c/d'), 'utf8'), 'y')
    assert.equal(readFileSync(at('e/f'), 'utf8'), 'z')
    assert.equal(getXattr(at('c'), 'trusted.overlay.opaque')?.toString(), 'y')
    assert.equal(getXattr(at('e'), 'trusted.overlay.opaque')?.toString(), 'y')
  })

  test('replaces an earlier entry of the same name without following it', async () => {
    const { at } = await unpackTar(
      await tinyTar({
        x: { type: 'symlink', linkname: '../canary' },
        'x ': '',
        'y/': '',
        'y/z': '1',
      }).then(async first => Buffer.concat([first.subarray(0, -1024), await tinyTar({ x: 'mine', y: 'file' })])),
    )
    assert.equal(readFileSync(at('x'), 'utf8'), 'mine')
    assert.equal(readFileSync(at('y'), 'utf8'), 'file')
  })

  test('keeps file capabilities and drops attributes that are overlay’s or the host’s', async () => {
    // a capability set is bytes, not text, so the system's tar makes this archive
    const source = join(place, 'capabilities')
    mkdirSync(source)
    writeFileSync(join(source, 'ping'), '')
    const value = Buffer.from('0100000200200080000000000000000000000000', 'hex')
    const { setXattr } = await import('../../../src/runtime/native.ts')
    setXattr(join(source, 'ping'), 'security.capability', value)
    setXattr(join(source, 'ping'), 'user.note', Buffer.from('n'))
    setXattr(join(source, 'ping'), 'user.overlay.redirect', Buffer.from('/etc'))
    setXattr(join(source, 'ping'), 'trusted.overlay.metacopy', Buffer.from(''))
    const tar = execFileSync('tar', ['--xattrs', '--xattrs-include=*', '-C', source, '-cf', '-', 'ping'])
    const { at, failure } = await unpackTar(tar)
    assert.equal(failure, undefined)
    assert.deepEqual(getXattr(at('ping'), 'security.capability'), value)
    assert.equal(getXattr(at('ping'), 'user.note')?.toString(), 'n')
    assert.equal(getXattr(at('ping'), 'user.overlay.redirect'), undefined)
    assert.equal(getXattr(at('ping'), 'trusted.overlay.metacopy'), undefined)
  })

  for (const format of ['gnu', 'pax', 'ustar', 'v7'])
    test(`reads what the system’s tar writes in its ${format} format`, async () => {
      const source = join(place, `source-${format}`)
      const long = format === 'v7' ? 'n'.repeat(60) : 'n'.repeat(90)
      const folder = format === 'gnu' || format === 'pax' ? `${'f'.repeat(200)}/${'g'.repeat(200)}` : 'f'
      mkdirSync(join(source, folder), { recursive: true })
      writeFileSync(join(source, folder, long), 'content', { mode: 0o600 })
      writeFileSync(join(source, 'umlaut-ü'), Buffer.alloc(100_000, 'u'))
      const tar = execFileSync('tar', [`--format=${format}`, '-C', source, '-cf', '-', '.'], { maxBuffer: 1e7 })
      const { layer, failure } = await unpackTar(tar)
      assert.equal(failure, undefined)
      assert.equal(execFileSync('diff', ['-r', source, layer], { encoding: 'utf8' }), '')
    })
})
