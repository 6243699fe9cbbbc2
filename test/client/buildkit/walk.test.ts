import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type WalkOptions, walk } from '../../../src/client/buildkit/walk.ts'

/** Files by path; a value that begins with "→" is a symbolic link, one of null an empty folder. */
function tree(t: TestContext, files: Readonly<Record<string, string | null>>): string {
  const root = mkdtempSync(join(tmpdir(), 'tscompose-walk-'))
  t.after(() => rmSync(root, { recursive: true }))
  for (const [path, content] of Object.entries(files)) {
    const at = join(root, path)
    mkdirSync(content === null ? at : dirname(at), { recursive: true })
    if (content?.startsWith('→')) symlinkSync(content.slice(1), at)
    else if (content !== null) writeFileSync(at, content)
  }
  return root
}

function paths(root: string, options: Partial<WalkOptions> = {}): readonly string[] {
  return [...walk({ root, exclude: [], include: [], follow: [], ...options })].map(({ path }) => path)
}

test('walk() tells folders before what is in them, names in the order of their bytes', t => {
  const root = tree(t, { 'a/x': '', 'a-b': '', 'a.b': '', B: '', é: '', 日: '', empty: null })
  assert.deepEqual(paths(root), ['B', 'a', 'a/x', 'a-b', 'a.b', 'empty', '\xc3\xa9', '\xe6\x97\xa5'].sort(byFolder))
})

/** As a walk goes: a folder's entries follow it at once. */
function byFolder(a: string, b: string): number {
  const [left, right] = [a, b].map(each => each.replaceAll('/', '\0'))
  return left! < right! ? -1 : 1
}

test('walk() leaves out what is ignored, but for folders of what comes back', t => {
  const root = tree(t, { 'a/b/keep': '', 'a/b/drop': '', 'a/c': '', 'd/e': '', f: '' })
  assert.deepEqual(paths(root, { exclude: ['a', '!a/b/keep', 'd'] }), ['a', 'a/b', 'a/b/keep', 'f'])
  assert.deepEqual(paths(root, { exclude: ['**', '!d/**'] }), ['d', 'd/e'])
  assert.deepEqual(paths(root, { exclude: ['**/e'] }), ['a', 'a/b', 'a/b/drop', 'a/b/keep', 'a/c', 'd', 'f'])
})

test('walk() goes by what is wanted, and by what links there lead to, inside the folder', t => {
  const root = tree(t, {
    'src/a': '',
    'src/b/c': '',
    other: '',
    link: '→src/b',
    up: '→../../../src/a',
    absolute: '→/other',
    chain: '→link/c',
    'x1.txt': '→src/a',
    'x2.txt': '',
  })
  const wanted = (...follow: string[]) => paths(root, { follow })
  assert.deepEqual(wanted('src/b'), ['src', 'src/b', 'src/b/c'])
  assert.deepEqual(wanted('link'), ['link', 'src', 'src/b', 'src/b/c'])
  assert.deepEqual(wanted('link/c'), ['link', 'src', 'src/b', 'src/b/c'])
  assert.deepEqual(wanted('up', 'absolute'), ['absolute', 'other', 'src', 'src/a', 'up'])
  assert.deepEqual(wanted('chain'), ['chain', 'link', 'src', 'src/b', 'src/b/c'])
  assert.deepEqual(wanted('x*.txt'), ['src', 'src/a', 'x1.txt', 'x2.txt'])
  assert.deepEqual(wanted('nothing', '../..'), paths(root))
  assert.deepEqual(wanted('nothing'), [])
  assert.deepEqual(paths(root, { include: ['src/*'] }), ['src', 'src/a', 'src/b', 'src/b/c'])
})

test('walk() keeps a link that leads to itself for what it is', t => {
  const root = tree(t, { loop: '→loop', one: '→two', two: '→one' })
  assert.deepEqual(paths(root, { follow: ['loop', 'one/x'] }), ['loop', 'one', 'two'])
})

test('walk() keeps names that are no text, and leaves sockets out', async t => {
  const root = tree(t, { a: '' })
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0x62])]), '')
  const server = createServer().listen(join(root, 's'))
  await once(server, 'listening')
  t.after(() => server.close())
  assert.deepEqual(paths(root), ['a', '\xffb'])
})

test('walk() says which folder cannot be read, and what to do', () => {
  assert.throws(() => paths('/no/such/folder'), { kind: 'invalid', message: /"\/no\/such\/folder".*ENOENT/ })
})
