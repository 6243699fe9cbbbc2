import assert from 'node:assert/strict'
import { linkSync, lstatSync, statSync, truncateSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { getXattr, setXattr } from '../../../../src/runtime/native.ts'
import { memory } from '../../../support/memory.ts'
import { lacking, root } from '../../../support/needs.ts'
import { type CopyWorld, copied, copyStep, folderOf, marks, shown, type Tree } from './support.ts'

const passwd = 'root:x:0:0:root:/root:/bin/sh\nwww:x:33:33::/:\napp:x:1000:1000::/:\n'
const group = 'root:x:0:\nwww:x:33:app\nstaff:x:50:app\napp:x:1000:\n'

const base: Tree = {
  'etc/passwd': passwd,
  'etc/group': group,
  'opt/lower/one.txt': 'one',
  'opt/lower/two.txt': ['two', '0600', '1000:1000'],
  'opt/lower/sub/': ['', '0750', '1000:33'],
  'opt/lower/sub/three.txt': 'three',
  'opt/link': '-> lower',
  'opt/filelink': '-> lower/one.txt',
  'opt/dangle': '-> /made/by/copy',
  'opt/dangledir': '-> nodir',
  'opt/out': '-> ../../../../../../out',
}

const context: Tree = {
  a: 'a',
  b: 'b',
  'd/x': 'x',
  'd/e/y': 'y',
  'd/e/': ['', '0711'],
  'm/one.txt': 'new one',
  'm/sub/': ['', '0700', '7:8'],
  'm/sub/n': 'n',
  'c.txt': 'c',
  'f.txt': 'f',
  'bb.txt': 'bb',
  '.dot': 'dot',
  tofile: '-> a',
  todir: '-> d',
  dangling: '-> nowhere',
  out: '-> ../../../../etc/passwd',
  'links/up': '-> ../a',
  'links/abs': '-> /etc/passwd',
  'links/gone': '-> gone',
  'ex/1.md': '1',
  'ex/2.txt': '2',
  'ex/deep/3.md': '3',
}

interface Case {
  readonly does: string
  readonly copy: readonly [sources: readonly string[], destination: string, more?: Parameters<typeof copyStep>[2]]
  readonly gives: Record<string, string>
  readonly world?: Partial<CopyWorld>
}

const cases: readonly Case[] = [
  { does: 'a file to a name', copy: [['a'], '/new/name'], gives: { '/new/': '755', '/new/name': '644 a' } },
  {
    does: 'files into a folder',
    copy: [['a', 'b'], '/two/'],
    gives: { '/two/': '755', '/two/a': '644 a', '/two/b': '644 b' },
  },
  {
    does: 'a path with .. inside the context',
    copy: [['./d/../a', '../../b'], '/x/'],
    gives: { '/x/': '755', '/x/a': '644 a', '/x/b': '644 b' },
  },
  {
    does: 'what is in a folder, which is made anew while those below keep their mode',
    copy: [['d'], '/n'],
    gives: { '/n/': '755', '/n/e/': '711', '/n/e/y': '644 y', '/n/x': '644 x' },
  },
  {
    does: 'a folder into one that is there, those below take the mode and owner of the source',
    copy: [['m'], '/opt/lower'],
    gives: { '/opt/lower/one.txt': '644 new one', '/opt/lower/sub/': '700 7:8', '/opt/lower/sub/n': '644 n' },
  },
  { does: 'over a file', copy: [['a'], '/opt/lower/two.txt'], gives: { '/opt/lower/two.txt': '644 a' } },
  { does: 'through a link to a folder', copy: [['a'], '/opt/link/'], gives: { '/opt/lower/a': '644 a' } },
  { does: 'through a link to a file', copy: [['a'], '/opt/filelink'], gives: { '/opt/lower/one.txt': '644 a' } },
  {
    does: 'to the target of a dangling link',
    copy: [['a'], '/opt/dangle'],
    gives: { '/made/': '755', '/made/by/': '755', '/made/by/copy': '644 a' },
  },
  {
    does: 'into the folder a dangling link names',
    copy: [['a'], '/opt/dangledir/'],
    gives: { '/opt/nodir/': '755', '/opt/nodir/a': '644 a' },
  },
  { does: 'never out of the tree by a link', copy: [['a'], '/opt/out'], gives: { '/out': '644 a' } },
  { does: 'over a link of its own name in a folder', copy: [['a'], '/opt/', {}], gives: { '/opt/a': '644 a' } },
  {
    does: 'what a link names',
    copy: [['tofile', 'todir'], '/l/'],
    gives: { '/l/': '755', '/l/e/': '711', '/l/e/y': '644 y', '/l/tofile': '644 a', '/l/x': '644 x' },
  },
  {
    does: 'links inside a folder as they are',
    copy: [['links'], '/l'],
    gives: { '/l/': '755', '/l/abs': '-> /etc/passwd', '/l/gone': '-> gone', '/l/up': '-> ../a' },
  },
  {
    does: 'each match of a wildcard',
    copy: [['*.txt', '[b-d]*.txt'], '/w/'],
    gives: { '/w/': '755', '/w/bb.txt': '644 bb', '/w/c.txt': '644 c', '/w/f.txt': '644 f' },
  },
  {
    does: 'names by ? and in folders',
    copy: [['?.txt', 'd/*/y'], '/w/'],
    gives: { '/w/': '755', '/w/c.txt': '644 c', '/w/f.txt': '644 f', '/w/y': '644 y' },
  },
  { does: 'nothing when a wildcard matches nothing', copy: [['*.none'], '/w/'], gives: {} },
  { does: 'several files to one name, the last one stays', copy: [['a', 'b'], '/same'], gives: { '/same': '644 b' } },
  {
    does: 'for a user by name, with the parents',
    copy: [['a'], '/p/q/a', { chown: 'app' }],
    gives: { '/p/': '755 1000:1000', '/p/q/': '755 1000:1000', '/p/q/a': '644 1000:1000 a' },
  },
  {
    does: 'for a user and a group by name',
    copy: [['a'], '/a', { chown: 'app:www' }],
    gives: { '/a': '644 1000:33 a' },
  },
  { does: 'for a group alone', copy: [['a'], '/a', { chown: ':staff' }], gives: { '/a': '644 0:50 a' } },
  { does: 'for a number, which is the group too', copy: [['a'], '/a', { chown: '7' }], gives: { '/a': '644 7:7 a' } },
  { does: 'for root when nobody knows the user', copy: [['a'], '/a', { chown: 'ghost' }], gives: { '/a': '644 a' } },
  {
    does: 'for the user’s own group when nobody knows the group',
    copy: [['a'], '/a', { chown: 'app:ghosts' }],
    gives: { '/a': '644 1000:1000 a' },
  },
  {
    does: 'with a mode, masked for new parents',
    copy: [['a'], '/n/a', { chmod: '737' }],
    gives: { '/n/': '715', '/n/a': '737 a' },
  },
  {
    does: 'with a mode in words',
    copy: [['d'], '/n', { chmod: 'go-r,u+X' }],
    gives: { '/n/': '755', '/n/e/': '711', '/n/e/y': '600 y', '/n/x': '600 x' },
  },
  {
    does: 'links without the mode',
    copy: [['links'], '/l/', { chmod: '700', chown: '5' }],
    gives: { '/l/': '700 5:5', '/l/abs': '-> /etc/passwd 5:5', '/l/gone': '-> gone 5:5', '/l/up': '-> ../a 5:5' },
  },
  {
    does: 'without what --exclude names at the top',
    copy: [['ex'], '/e', { exclude: ['*.md'] }],
    gives: { '/e/': '755', '/e/2.txt': '644 2', '/e/deep/': '755', '/e/deep/3.md': '644 3' },
  },
  {
    does: 'without what --exclude names anywhere',
    copy: [['ex'], '/e', { exclude: ['**/*.md'] }],
    gives: { '/e/': '755', '/e/2.txt': '644 2', '/e/deep/': '755' },
  },
  {
    does: 'what comes back by a ! in --exclude',
    copy: [['ex'], '/e', { exclude: ['deep', '*.txt', '!deep/3.md'] }],
    gives: { '/e/': '755', '/e/1.md': '644 1', '/e/deep/': '755', '/e/deep/3.md': '644 3' },
  },
  {
    does: 'what a wildcard names, whatever --exclude says',
    copy: [['b*'], '/e/', { exclude: ['b*'] }],
    gives: { '/e/': '755', '/e/b': '644 b', '/e/bb.txt': '644 bb' },
  },
  {
    does: 'without what is ignored, but its empty folders',
    copy: [['ex'], '/e'],
    world: { ignore: ['**/*.md'] },
    gives: { '/e/': '755', '/e/2.txt': '644 2', '/e/deep/': '755' },
  },
  {
    does: 'what comes back in an ignored folder',
    copy: [['.'], '/e'],
    world: { ignore: ['*', '!ex/deep'] },
    gives: { '/e/': '755', '/e/ex/': '755', '/e/ex/deep/': '755', '/e/ex/deep/3.md': '644 3' },
  },
  { does: 'for group 0 after an empty group', copy: [['a'], '/a', { chown: 'app:' }], gives: { '/a': '644 1000:0 a' } },
  {
    does: 'for root where a number is too large to be one',
    copy: [['a'], '/a', { chown: '4294967295' }],
    gives: { '/a': '644 a' },
  },
  {
    does: 'a folder with a mode, its own included',
    copy: [['d'], '/n', { chmod: '1700' }],
    gives: { '/n/': '700', '/n/e/': '1700', '/n/e/y': '1700 y', '/n/x': '1700 x' },
  },
  {
    does: 'with the parents of a path',
    copy: [['d/e/y', 'ex/deep'], '/p/', { parents: true }],
    gives: {
      '/p/': '755',
      '/p/d/': '755',
      '/p/d/e/': '711',
      '/p/d/e/y': '644 y',
      '/p/ex/': '755',
      '/p/ex/deep/': '755',
      '/p/ex/deep/3.md': '644 3',
    },
  },
  {
    does: 'with the parents behind a pivot',
    copy: [['./d/./e/y'], '/p/', { parents: true }],
    gives: { '/p/': '755', '/p/e/': '711', '/p/e/y': '644 y' },
  },
  {
    does: 'with the parents of what a wildcard matches',
    copy: [['**/*.md', 'd/*/y'], '/p', { parents: true, exclude: ['ex/1*'] }],
    gives: {
      '/p/': '755',
      '/p/d/': '755',
      '/p/d/e/': '711',
      '/p/d/e/y': '644 y',
      '/p/ex/': '755',
      '/p/ex/deep/': '755',
      '/p/ex/deep/3.md': '644 3',
    },
  },
  {
    does: 'a text of the Dockerfile',
    copy: [[], '/h/', { heredocs: [{ name: 'file.txt', content: 'text' }], chown: '5' }],
    gives: { '/h/': '755 5:5', '/h/file.txt': '644 5:5 text' },
  },
  {
    does: 'a text to a name, with a mode',
    copy: [[], '/h', { heredocs: [{ name: 'EOF', content: '' }], chmod: '700' }],
    gives: { '/h': '700 ' },
  },
]

const failing: readonly (Pick<Case, 'does' | 'copy' | 'world'> & { readonly says: RegExp })[] = [
  { does: 'a source that is not there', copy: [['absent'], '/x'], says: /"\/absent": not found/ },
  { does: 'a file behind a file', copy: [['a/x'], '/x'], says: /"\/a\/x": not found/ },
  { does: 'a dangling link', copy: [['dangling'], '/x'], says: /dangling/ },
  { does: 'a link that leads out of the context', copy: [['out'], '/x'], says: /out/ },
  {
    does: 'what is ignored',
    copy: [['ex/2.txt'], '/x'],
    world: { ignore: ['**/*.txt'] },
    says: /"\/ex\/2.txt": not found/,
  },
  { does: 'a folder over a file', copy: [['d'], '/opt/lower/one.txt'], says: /one\.txt/ },
  {
    does: 'a folder over a file inside a folder',
    copy: [['m'], '/x'],
    world: { base: { 'x/sub': 'file' } },
    says: /cannot copy to non-directory: \/x\/sub/,
  },
  {
    does: 'a file over a folder inside a folder',
    copy: [['m'], '/x'],
    world: { base: { 'x/one.txt/in': 'file' } },
    says: /\/x\/one\.txt/,
  },
  { does: 'below a file', copy: [['a'], '/opt/lower/one.txt/x'], says: /one\.txt: not a directory/ },
  {
    does: 'a heredoc whose name has a folder',
    copy: [[], '/h/', { heredocs: [{ name: 'dir/name', content: 'text' }] }],
    says: /^open \/dir\/name: no such file or directory$/,
  },
  { does: 'a bad mode', copy: [['a'], '/x', { chmod: '9z' }], says: /invalid chmod parameter: '9z'/ },
  {
    does: 'for a name where there are no files',
    copy: [['a'], '/x', { chown: 'app' }],
    world: { base: [] },
    says: /passwd/,
  },
]

describe('copyFiles()', { skip: lacking(root()) }, () => {
  for (const { does, copy, gives, world } of cases)
    test(`copies ${does}`, async t => {
      const { changes } = await copied(t, copyStep(...copy), { context, base, ...world })
      assert.deepEqual(changes, gives)
    })

  for (const { does, copy, world, says } of failing)
    test(`refuses ${does}`, async t => {
      await assert.rejects(copied(t, copyStep(...copy), { context, base, ...world }), { message: says })
    })

  test('copies from a stage that has no layer yet', async t => {
    const { changes } = await copied(t, copyStep(['/'], '/made'), { base, context: [] })
    assert.deepEqual(changes, { '/made/': '755' })
    const missing = copied(t, copyStep(['/x'], '/made'), { base, context: [] })
    await assert.rejects(missing, { kind: 'not-found', message: 'lstat /x: no such file or directory' })
  })

  test('makes folders as mkdir does in a set-group-id folder', async t => {
    const world = { context, base: { 'etc/passwd': passwd, 'sg/': ['', '2775', '0:33'] } as const }
    const plain = await copied(t, copyStep(['d'], '/sg/d'), world)
    assert.deepEqual(plain.changes, {
      '/sg/d/': '2755 0:33',
      '/sg/d/e/': '711',
      '/sg/d/e/y': '644 y',
      '/sg/d/x': '644 x',
    })
    const owned = await copied(t, copyStep(['a'], '/sg/n/', { chown: 'app' }), world)
    assert.deepEqual(owned.changes, { '/sg/n/': '2755 1000:1000', '/sg/n/a': '644 1000:1000 a' })
  })

  test('copies onto nothing (FROM scratch)', async t => {
    const { changes } = await copied(t, copyStep(['a'], '/etc/deep/a', { chown: '3:4', chmod: '700' }), { context })
    assert.deepEqual(changes, { '/etc/': '700 3:4', '/etc/deep/': '700 3:4', '/etc/deep/a': '700 3:4 a' })
  })

  test('leaves folders of the layers below alone in which it writes nothing, and copies up the others', async t => {
    const { upper, layers } = await copied(t, copyStep(['a'], '/opt/lower/sub/'), { context, base })
    assert.deepEqual(shown([upper]), {
      '/opt/': '755',
      '/opt/lower/': '755',
      '/opt/lower/sub/': '750 1000:33',
      '/opt/lower/sub/a': '644 a',
    })
    assert.equal(shown(layers)['/opt/lower/sub/three.txt'], '644 three')
  })

  test('makes a folder opaque where an earlier layer took one away', async t => {
    const below = [folderOf(t, { 'x/old': 'old' }), folderOf(t, { x: null })]
    const { upper, changes } = await copied(t, copyStep(['a'], '/x/'), { context, base: below })
    assert.deepEqual(changes, { '/x/': '755', '/x/a': '644 a' })
    assert.deepEqual(marks(upper), {})
  })

  test('keeps hard links inside one source, set-id bits, times, pipes and attributes', async t => {
    const from = folderOf(t, { 'h/a': ['x', '0644'], 'h/suid': ['s', '4755', '5:6'], 'h/p': 'fifo', outside: 'o' })
    linkSync(join(from, 'h/a'), join(from, 'h/b'))
    linkSync(join(from, 'h/a'), join(from, 'h/z'))
    setXattr(join(from, 'h/a'), 'user.colour', Buffer.from('red'))
    const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex')
    setXattr(join(from, 'h/suid'), 'security.capability', capability)
    utimesSync(join(from, 'h/a'), 1_000_000_000, 1_000_000_000)
    const { upper, changes } = await copied(t, copyStep(['h'], '/h', { chown: '9' }), { context: [from] })
    assert.equal(changes['/h/suid'], '4755 9:9 s')
    assert.equal(changes['/h/p'], '600 9:9 fifo')
    assert.equal(statSync(join(upper, 'h/a')).nlink, 3)
    assert.equal(statSync(join(upper, 'h/a')).mtimeMs, 1_000_000_000_000)
    assert.equal(getXattr(join(upper, 'h/a'), 'user.colour')?.toString(), 'red')
    assert.deepEqual(getXattr(join(upper, 'h/suid'), 'security.capability'), capability)
  })

  test('copies from a stack of layers what they show together', async t => {
    const stage = [
      folderOf(t, { 'p/a': 'low', 'p/gone': 'low', 'p/q/x': 'x' }),
      folderOf(t, { 'p/a': 'high', 'p/gone': null }),
    ]
    const { changes } = await copied(t, copyStep(['/p'], '/p'), { context: stage })
    assert.deepEqual(changes, { '/p/': '755', '/p/a': '644 high', '/p/q/': '755', '/p/q/x': '644 x' })
  })

  test('copies large files whole, with their holes', async t => {
    const from = folderOf(t, { large: 'l'.repeat(300_000), sparse: '' })
    truncateSync(join(from, 'sparse'), 100_000_000)
    const { upper, changes } = await copied(t, copyStep(['large', 'sparse'], '/x/'), { context: [from], base })
    assert.equal(statSync(join(upper, 'x/large')).size, 300_000)
    assert.equal(statSync(join(upper, 'x/sparse')).size, 100_000_000)
    assert.ok(statSync(join(upper, 'x/sparse')).blocks < 100)
    assert.equal(Object.keys(changes).length, 3)
  })

  const many = (count: number, name: string) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`${name}${i}`, `${i}`]))

  test('copies thousands of matches with few descriptors', async t => {
    const from = folderOf(t, many(5000, 'n/f'), memory)
    const { changes } = await copied(t, copyStep(['n/f*'], '/x/'), { context: [from], base, place: memory })
    assert.equal(Object.keys(changes).length, 5001)
  })

  test('stops when it is told to', async t => {
    const from = folderOf(t, many(3000, 'f'), memory)
    const { copyFiles } = await import('../../../../src/engine/build/files/copy.ts')
    const source = { layers: [from], exclude: [] }
    const upper = folderOf(t, {}, memory)
    const signal = AbortSignal.abort(new Error('enough'))
    await assert.rejects(
      copyFiles({ step: copyStep(['.'], '/x/'), source, fetched: [], below: [], upper, signal }),
      /enough/,
    )
    assert.ok((lstatSync(join(upper, 'x'), { throwIfNoEntry: false })?.nlink ?? 0) <= 2)
  })
})
