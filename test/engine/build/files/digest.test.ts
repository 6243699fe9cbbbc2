import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  fstatSync,
  lstatSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import type { CopyStep } from '../../../../src/engine/build/dockerfile/plan.ts'
import { filesDigest, treeDigest } from '../../../../src/engine/build/files/digest.ts'
import { DigestMemory } from '../../../../src/engine/build/files/digest-memory.ts'
import { sumOf } from '../../../../src/engine/images/sum.ts'
import { setXattr } from '../../../../src/runtime/native.ts'
import { lacking, root } from '../../../support/needs.ts'
import { copyStep, folderOf } from './support.ts'

const signal = new AbortController().signal

function contextOf(t: TestContext): string {
  return folderOf(t, {
    'src/a.ts': 'a',
    'src/b.ts': 'b',
    'src/deep/c.ts': 'c',
    link: '-> src/a.ts',
    other: 'o',
    'two/a.ts': 'a',
  })
}

const digestOf = (layers: readonly string[], step: CopyStep, exclude: readonly string[] = []) =>
  filesDigest({ step, source: { layers, exclude }, fetched: [], memory: new DigestMemory(), signal })

function relink(folder: string): void {
  rmSync(join(folder, 'link'))
  symlinkSync('src/b.ts', join(folder, 'link'))
}

interface Change {
  readonly of: string
  readonly change: (folder: string) => void
  readonly step?: CopyStep
  readonly ignore?: readonly string[]
  /** Paths whose digests are others; none when the whole is the same. */
  readonly tells: readonly string[]
}

const all = copyStep(['.'], '/x')
const changes: readonly Change[] = [
  { of: 'a content', change: f => writeFileSync(join(f, 'src/a.ts'), 'A'), tells: ['src/a.ts'] },
  { of: 'a time', change: f => utimesSync(join(f, 'src/a.ts'), 5, 5), tells: [] },
  { of: 'a mode', change: f => chmodSync(join(f, 'src/a.ts'), 0o600), tells: ['src/a.ts'] },
  {
    of: 'a mode under --chmod',
    change: f => chmodSync(join(f, 'src/a.ts'), 0o600),
    step: copyStep(['.'], '/x', { chmod: '644' }),
    tells: [],
  },
  {
    of: 'a mode that words bring together again',
    change: f => chmodSync(join(f, 'src/a.ts'), 0o600),
    step: copyStep(['.'], '/x', { chmod: 'go=u' }),
    tells: [],
  },
  { of: 'an owner', change: f => chownSync(join(f, 'src/a.ts'), 5, 5), tells: ['src/a.ts'] },
  {
    of: 'an owner under --chown',
    change: f => chownSync(join(f, 'src/a.ts'), 5, 5),
    step: copyStep(['.'], '/x', { chown: 'app' }),
    tells: [],
  },
  { of: 'the mode of the folder itself', change: f => chmodSync(f, 0o700), tells: [] },
  { of: 'the mode of a folder below', change: f => chmodSync(join(f, 'src/deep'), 0o700), tells: ['src/deep'] },
  { of: 'a link', change: f => relink(f), tells: ['link'] },
  {
    of: 'what a named link leads to',
    change: f => writeFileSync(join(f, 'src/a.ts'), 'A'),
    step: copyStep(['link'], '/x'),
    tells: ['link'],
  },
  { of: 'a name', change: f => renameSync(join(f, 'src/a.ts'), join(f, 'src/z.ts')), tells: ['src/a.ts', 'src/z.ts'] },
  {
    of: 'an attribute of its own',
    change: f => setXattr(join(f, 'other'), 'user.x', Buffer.from('1')),
    tells: ['other'],
  },
  {
    of: 'what is not copied',
    change: f => writeFileSync(join(f, 'other'), 'O'),
    step: copyStep(['src'], '/x'),
    tells: [],
  },
  { of: 'what is ignored', change: f => writeFileSync(join(f, 'other'), 'O'), ignore: ['other'], tells: [] },
  {
    of: 'what is excluded',
    change: f => writeFileSync(join(f, 'other'), 'O'),
    step: copyStep(['.'], '/x', { exclude: ['oth*'] }),
    tells: [],
  },
  {
    of: 'what a wildcard does not match',
    change: f => writeFileSync(join(f, 'other'), 'O'),
    step: copyStep(['src/*.ts'], '/x/'),
    tells: [],
  },
  {
    of: 'what a wildcard matches',
    change: f => writeFileSync(join(f, 'src/b.ts'), 'B'),
    step: copyStep(['src/*.ts'], '/x/'),
    tells: ['src/b.ts'],
  },
  {
    of: 'what --parents names',
    change: f => writeFileSync(join(f, 'src/b.ts'), 'B'),
    step: copyStep(['**/b.ts'], '/x/', { parents: true }),
    tells: ['src/b.ts'],
  },
]

describe('filesDigest()', { skip: lacking(root()) }, () => {
  for (const { of, change, step = all, ignore = [], tells } of changes)
    test(`${tells.length > 0 ? 'tells' : 'does not mind'} a change of ${of}`, async t => {
      const folder = contextOf(t)
      const before = await digestOf([folder], step, ignore)
      change(folder)
      const after = await digestOf([folder], step, ignore)
      const paths = new Set([...before.entries!.keys(), ...after.entries!.keys()])
      assert.deepEqual([...paths].filter(path => before.entries!.get(path) !== after.entries!.get(path)).sort(), tells)
      assert.equal(before.digest === after.digest, tells.length === 0)
    })

  test('is the same for the same files elsewhere, in one layer or in several', async t => {
    const one = contextOf(t)
    const layers = [
      folderOf(t, { 'src/a.ts': 'old', 'src/b.ts': 'b', gone: 'x', other: 'o', 'two/a.ts': 'a' }),
      folderOf(t, { 'src/a.ts': 'a', 'src/deep/c.ts': 'c', gone: null, link: '-> src/a.ts' }),
    ]
    assert.equal((await digestOf([one], all)).digest, (await digestOf(layers, all)).digest)
  })

  test('knows which source comes first', async t => {
    const folder = contextOf(t)
    const first = await digestOf([folder], copyStep(['src', 'two'], '/x/'))
    const second = await digestOf([folder], copyStep(['two', 'src'], '/x/'))
    assert.notEqual(first.digest, second.digest)
  })

  test('counts the texts of the Dockerfile', async t => {
    const folder = contextOf(t)
    const of = async (content: string) =>
      (await digestOf([folder], copyStep([], '/x', { heredocs: [{ name: 'n', content }] }))).digest
    assert.notEqual(await of('1'), await of('2'))
    assert.equal(await of('1'), await of('1'))
  })

  test('refuses a source that is not there', async t => {
    await assert.rejects(digestOf([contextOf(t)], copyStep(['absent'], '/x')), { kind: 'not-found', message: /absent/ })
  })

  test('has a large file summed elsewhere', async t => {
    const folder = contextOf(t)
    truncateSync(join(folder, 'other'), 20_000_000)
    const request = { step: copyStep(['other'], '/x'), source: { layers: [folder], exclude: [] }, fetched: [], signal }
    const here = await filesDigest({ ...request, memory: new DigestMemory() })
    const asked: number[] = []
    const sumLarge = (fd: number) => {
      asked.push(fstatSync(fd).size)
      return sumOf({ kind: 'file', fd }, () => false)
    }
    assert.deepEqual(await filesDigest({ ...request, memory: new DigestMemory(), sumLarge }), here)
    assert.deepEqual(asked, [20_000_000])
  })

  test('takes what it knows of a file from the memory, until the file is another', async t => {
    const folder = contextOf(t)
    const memory = new DigestMemory()
    const request = {
      step: copyStep(['other'], '/x'),
      source: { layers: [folder], exclude: [] },
      fetched: [],
      memory,
      signal,
    }
    const honest = await filesDigest(request)
    memory.set(lstatSync(join(folder, 'other')), Date.now() + 1000, { content: 'remembered', xattrs: '' })
    const remembered = await filesDigest(request)
    assert.notEqual(remembered.digest, honest.digest)
    writeFileSync(join(folder, 'other'), 'o')
    utimesSync(join(folder, 'other'), 1, 1)
    assert.equal((await filesDigest(request)).digest, honest.digest)
  })
})

describe('DigestMemory', () => {
  test('does not trust a file that was changed in the moment before it was read', t => {
    const path = join(folderOf(t, { a: 'a' }), 'a')
    const memory = new DigestMemory()
    const stat = lstatSync(path)
    memory.set(stat, stat.ctimeMs + 5, { content: 'x', xattrs: '' })
    assert.equal(memory.get(stat), undefined)
    memory.set(stat, stat.ctimeMs + 50, { content: 'x', xattrs: '' })
    assert.equal(memory.get(stat)?.content, 'x')
  })
})

test('treeDigest() is of one path and all below it, wildcards being letters', async t => {
  const folder = folderOf(t, { 'd/a*': '1', 'd/ab': '2', e: '3' })
  const of = async (path: string) =>
    (await treeDigest(path, { source: { layers: [folder], exclude: [] }, memory: new DigestMemory(), signal })).digest
  const before = await of('/d/a*')
  writeFileSync(join(folder, 'd/ab'), 'changed')
  assert.equal(await of('/d/a*'), before)
  const whole = await of('/d')
  writeFileSync(join(folder, 'e'), 'changed')
  assert.equal(await of('/d'), whole)
  await assert.rejects(of('/none'), { kind: 'not-found' })
})
