import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { type TarHeader, tarEnd, tarHeader, tarPadding } from '../../../../src/engine/base/tar-writer.ts'
import type { AddStep } from '../../../../src/engine/build/dockerfile/plan.ts'
import { fileWork } from '../../../../src/engine/build/file-work.ts'
import type { ArchiveLimits } from '../../../../src/engine/images/unpack-limits.ts'
import { getXattr } from '../../../../src/runtime/native.ts'
import { lacking, root } from '../../../support/needs.ts'
import { addStep, copied, folderOf, marks, shown, type Tree } from './support.ts'

type Entry = Partial<TarHeader> & { readonly name: string; readonly content?: string }

function tarOf(entries: readonly Entry[]): Buffer {
  const parts = entries.flatMap(({ content = '', ...header }) => {
    const size = Buffer.byteLength(content)
    const whole: TarHeader = { type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 1_600_000_000, size, ...header }
    return [tarHeader(whole), Buffer.from(content), tarPadding(size)]
  })
  return Buffer.concat([...parts, tarEnd])
}

const base: Tree = {
  'etc/passwd': 'app:x:1000:1000::/:\n',
  'opt/lower/one.txt': 'one',
  'opt/lower/two.txt': ['two', '0600', '1000:1000'],
  'opt/lower/sub/three.txt': 'three',
  'opt/link': '-> lower',
  'opt/abs': '-> /opt/lower',
}

interface Case {
  readonly does: string
  readonly entries: readonly Entry[]
  readonly to: string
  readonly more?: Partial<AddStep>
  readonly gives: Record<string, string>
}

/** As BuildKit 0.25 does it. */
const cases: readonly Case[] = [
  {
    does: 'makes folders that the archive lacks for root, whatever --chown says, and gives it the rest',
    entries: [{ name: 'p/q/file', content: 'x', mode: 0o640, uid: 5, gid: 6 }],
    to: '/u/v',
    more: { chown: 'app', chmod: '700' },
    gives: {
      '/u/': '755 1000:1000',
      '/u/v/': '755 1000:1000',
      '/u/v/p/': '755',
      '/u/v/p/q/': '755',
      '/u/v/p/q/file': '640 1000:1000 x',
    },
  },
  {
    does: 'keeps owners, modes, set-id bits and links',
    entries: [
      { name: './', type: 'directory', mode: 0o700, uid: 4, gid: 4 },
      { name: 'su', mode: 0o4755, uid: 5, gid: 6, content: 's' },
      { name: 'g/', type: 'directory', mode: 0o2775, uid: 5, gid: 6 },
      { name: 'sy', type: 'symlink', linkname: '../../../etc/passwd', uid: 7 },
      { name: 'p', type: 'fifo', mode: 0o622 },
    ],
    to: '/t',
    gives: {
      '/t/': '755',
      '/t/g/': '2775 5:6',
      '/t/p': '622 fifo',
      '/t/su': '4755 5:6 s',
      '/t/sy': '-> ../../../etc/passwd 7:0',
    },
  },
  {
    does: 'merges folders and replaces the rest',
    entries: [
      { name: 'one.txt/', type: 'directory', mode: 0o700 },
      { name: 'one.txt/y', content: 'y' },
      { name: 'sub', content: 'a file now' },
      { name: 'two.txt', content: 'new' },
    ],
    to: '/opt/lower',
    gives: {
      '/opt/lower/one.txt': 'gone',
      '/opt/lower/one.txt/': '700',
      '/opt/lower/one.txt/y': '644 y',
      '/opt/lower/sub': '644 a file now',
      '/opt/lower/sub/': 'gone',
      '/opt/lower/sub/three.txt': 'gone',
      '/opt/lower/two.txt': '644 new',
    },
  },
  {
    does: 'goes through a link that is there',
    entries: [{ name: 'link/in', content: 'x' }],
    to: '/opt',
    gives: { '/opt/lower/in': '644 x' },
  },
  {
    does: 'takes the folder it goes to for the root of links',
    entries: [{ name: 'abs/in', content: 'x' }],
    to: '/opt',
    gives: { '/opt/opt/': '755', '/opt/opt/lower/': '755', '/opt/opt/lower/in': '644 x' },
  },
  {
    does: 'replaces a link by a folder',
    entries: [
      { name: 'link/', type: 'directory', mode: 0o755 },
      { name: 'link/in', content: 'x' },
    ],
    to: '/opt',
    gives: { '/opt/link': 'gone', '/opt/link/': '755', '/opt/link/in': '644 x' },
  },
  {
    does: 'takes away what .wh.NAME names',
    entries: [{ name: '.wh.one.txt' }, { name: '.wh.sub' }, { name: '.wh.none' }],
    to: '/opt/lower',
    gives: { '/opt/lower/one.txt': 'gone', '/opt/lower/sub/': 'gone', '/opt/lower/sub/three.txt': 'gone' },
  },
  {
    does: 'takes nothing away that it brought itself',
    entries: [{ name: 'f', content: '1' }, { name: '.wh.f' }, { name: 'd/x', content: '2' }, { name: '.wh.d' }],
    to: '/t',
    gives: { '/t/': '755', '/t/d/': '755', '/t/d/x': '644 2', '/t/f': '644 1' },
  },
  {
    does: 'empties a folder by .wh..wh..opq but for what it brought',
    entries: [
      { name: 'lower/sub/new', content: 'n' },
      { name: 'lower/.wh..wh..opq' },
      { name: 'lower/later', content: 'l' },
    ],
    to: '/opt',
    gives: {
      '/opt/lower/later': '644 l',
      '/opt/lower/one.txt': 'gone',
      '/opt/lower/sub/new': '644 n',
      '/opt/lower/sub/three.txt': 'gone',
      '/opt/lower/two.txt': 'gone',
    },
  },
  {
    does: 'passes over the marks of aufs',
    entries: [
      { name: '.wh..wh.plnk/', type: 'directory' },
      { name: '.wh..wh.aufs' },
      { name: '.wh.' },
      { name: '.wh...' },
      { name: 'ok' },
    ],
    to: '/t/',
    gives: { '/t/': '755', '/t/ok': '644 ' },
  },
  {
    does: 'reads names as they are meant',
    entries: [{ name: './a' }, { name: '/abs/b' }, { name: 'c/../d' }],
    to: '/t',
    gives: { '/t/': '755', '/t/a': '644 ', '/t/abs/': '755', '/t/abs/b': '644 ', '/t/d': '644 ' },
  },
]

interface Refused {
  readonly does: string
  readonly entries: readonly Entry[]
  readonly says: RegExp
  readonly to?: string
  readonly limits?: Partial<ArchiveLimits>
}

const refused: readonly Refused[] = [
  { does: 'a name that leads out', entries: [{ name: '../up' }], says: /"\.\.\/up": it leads out/ },
  { does: 'a name that leads out in the end', entries: [{ name: 'a/../../up' }], says: /leads out/ },
  {
    does: 'a way out by a link of its own',
    entries: [{ name: 's', type: 'symlink', linkname: '../../etc' }, { name: 's/x' }],
    says: /path escapes from parent/,
  },
  {
    does: 'a link that goes round',
    entries: [{ name: 's', type: 'symlink', linkname: 's' }, { name: 's/x' }],
    says: /too many links/,
  },
  {
    does: 'a hard link out',
    entries: [{ name: 'h', type: 'link', linkname: '../one.txt' }],
    says: /invalid hardlink target "\.\.\/one\.txt"/,
  },
  {
    does: 'a hard link to nothing',
    entries: [{ name: 'h', type: 'link', linkname: 'absent' }],
    says: /linkat absent h/,
  },
  { does: 'a way through a file', entries: [{ name: 'f' }, { name: 'f/x' }], says: /f\/x: not a directory/ },
  {
    does: 'a file for a destination',
    entries: [{ name: 'f' }],
    to: '/opt/lower/one.txt',
    says: /one\.txt: not a directory/,
  },
  {
    does: 'too many entries',
    entries: [{ name: 'a' }, { name: 'b' }, { name: 'c' }],
    limits: { entries: 2 },
    says: /more than 2 entries/,
  },
  {
    does: 'too many bytes',
    entries: [{ name: 'a', content: '12345' }],
    limits: { bytes: 4 },
    says: /more than 4 bytes/,
  },
  { does: 'folders too deep', entries: [{ name: 'a/b/c/d' }], limits: { depth: 3 }, says: /more than 3 folders deep/ },
]

function contextOf(t: TestContext, files: Readonly<Record<string, Buffer>>): string {
  const folder = folderOf(t, {})
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content, { mode: 0o644 })
  return folder
}

describe('copyFiles() of an ADD', { skip: lacking(root()) }, () => {
  for (const { does, entries, to, more, gives } of cases)
    test(does, async t => {
      const context = contextOf(t, { 'x.tar': tarOf(entries) })
      const { changes } = await copied(t, addStep(['x.tar'], to, more), { context: [context], base })
      assert.deepEqual(changes, gives)
    })

  for (const { does, entries, says, to = '/t/u', limits } of refused)
    test(`refuses ${does}`, async t => {
      const context = contextOf(t, { 'x.tar': tarOf(entries) })
      await assert.rejects(copied(t, addStep(['x.tar'], to), { context: [context], base, limits }), { message: says })
    })

  test('looks at the bytes, not at the name', async t => {
    const tar = tarOf([{ name: 'f', content: 'x' }])
    const context = contextOf(t, {
      'plain.png': tar,
      gzip: gzipSync(tar),
      zstd: zstdCompressSync(tar),
      'text.tar': Buffer.from('no archive '.repeat(100)),
      'short.tar': Buffer.from('x'),
      'text.gz': gzipSync('text'),
      'empty.tar': Buffer.alloc(10240),
      'none.tar': Buffer.alloc(0),
    })
    for (const name of ['plain.png', 'gzip', 'zstd']) {
      const { changes } = await copied(t, addStep([name], '/t'), { context: [context] })
      assert.deepEqual(changes, { '/t/': '755', '/t/f': '644 x' }, name)
    }
    for (const name of ['text.tar', 'short.tar', 'text.gz', 'empty.tar', 'none.tar']) {
      const { changes } = await copied(t, addStep([name], '/t/'), { context: [context] })
      assert.deepEqual(Object.keys(changes), ['/t/', `/t/${name}`])
    }
  })

  test('unpacks each match of a wildcard, leaves archives in folders alone, and all of them without --unpack', async t => {
    const context = contextOf(t, { '1.tar': tarOf([{ name: 'a' }]), '2.tar': tarOf([{ name: 'b' }]) })
    const paths = async (step: AddStep) => Object.keys((await copied(t, step, { context: [context] })).changes)
    assert.deepEqual(await paths(addStep(['*.tar'], '/t/')), ['/t/', '/t/a', '/t/b'])
    assert.deepEqual(await paths(addStep(['.'], '/t/')), ['/t/', '/t/1.tar', '/t/2.tar'])
    assert.deepEqual(await paths(addStep(['1.tar'], '/t/', { unpack: false })), ['/t/', '/t/1.tar'])
  })

  test('joins a hard link to a file of a layer below, which comes along', async t => {
    const context = contextOf(t, { 'x.tar': tarOf([{ name: 'hl', type: 'link', linkname: '/two.txt' }]) })
    const { upper, changes } = await copied(t, addStep(['x.tar'], '/opt/lower'), { context: [context], base })
    assert.deepEqual(changes, { '/opt/lower/hl': '600 1000:1000 two' })
    assert.equal(statSync(join(upper, 'opt/lower/hl')).ino, statSync(join(upper, 'opt/lower/two.txt')).ino)
  })

  test('refuses an archive that is cut short', async t => {
    const tar = tarOf([{ name: 'f', content: randomBytes(2000).toString('hex') }])
    const context = contextOf(t, { 'x.tar': tar.subarray(0, 1500), 'x.gz': gzipSync(tar).subarray(0, 1500) })
    for (const name of ['x.tar', 'x.gz'])
      await assert.rejects(copied(t, addStep([name], '/t'), { context: [context] }), { kind: 'invalid' }, name)
  })

  test('keeps attributes and times, of folders as well, and marks what it hides', async t => {
    const xattrs = new Map([
      ['user.x', Buffer.from('red')],
      ['trusted.overlay.opaque', Buffer.from('y')],
    ])
    const context = contextOf(t, {
      'x.tar': tarOf([
        { name: 'd/', type: 'directory', mode: 0o755, xattrs },
        { name: 'd/f' },
        { name: '.wh.one.txt' },
      ]),
    })
    const { upper, layers } = await copied(t, addStep(['x.tar'], '/opt/lower'), { context: [context], base })
    assert.equal(getXattr(join(upper, 'opt/lower/d'), 'user.x')?.toString(), 'red')
    assert.equal(statSync(join(upper, 'opt/lower/d')).mtimeMs, 1_600_000_000_000)
    assert.equal(statSync(join(upper, 'opt/lower/d/f')).mtimeMs, 1_600_000_000_000)
    assert.deepEqual(marks(upper), { '/opt/lower/one.txt': 'whiteout' })
    assert.equal(shown(layers)['/opt/lower/two.txt'], '600 1000:1000 two')
  })

  test('has the limits of the engine', async t => {
    const context = contextOf(t, { 'x.tar': tarOf([{ name: 'a' }, { name: 'b' }, { name: 'c', content: 'long' }]) })
    const add = async (limits: Partial<ArchiveLimits>) =>
      await fileWork(join(folderOf(t, {}), 'downloads'), { limits }).copy({
        step: addStep(['x.tar'], '/'),
        source: { layers: [context], exclude: [] },
        fetched: [],
        below: [],
        upper: folderOf(t, {}),
        signal: new AbortController().signal,
      })
    await add({ entries: 3 })
    await assert.rejects(add({ entries: 2 }), /more than 2 entries/)
    await assert.rejects(add({ bytes: 3 }), /more than 3 bytes/)
  })
})
