import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { Paths, type WatchedPath } from '../../src/watch/paths.ts'
import { Tree } from '../../src/watch/tree.ts'
import { eventually } from '../support/eventually.ts'
import { memory } from '../support/memory.ts'
import { temporaryFolder } from '../support/temporary-paths.ts'

function watched(
  t: TestContext,
  folder: string,
  paths: readonly Partial<WatchedPath>[],
  skips?: (path: string) => boolean,
) {
  const seen = new Set<string>()
  const all = paths.map(({ path = '', deep = false }) => ({ path: join(folder, path), deep }))
  const watching = new Paths(all, {
    changed: path => seen.add(path.slice(folder.length + 1)),
    skips: path => skips?.(path.slice(folder.length + 1)) ?? false,
    failed: error => assert.fail(error),
  })
  t.after(() => watching.close())
  const has = (...names: readonly string[]) =>
    eventually(`${names.join(', ')} among ${[...seen].join(', ')}`, () => names.every(name => seen.has(name)))
  return { seen, has, watching }
}

describe('Paths', () => {
  test('a file is heard of when it is written, replaced by another, removed and made again', async t => {
    const folder = temporaryFolder(t)
    writeFileSync(join(folder, 'a'), '1')
    const { seen, has } = watched(t, folder, [{ path: 'a' }])
    const steps = [
      () => writeFileSync(join(folder, 'a'), '2'),
      () => {
        writeFileSync(join(folder, 'a.tmp'), '3')
        renameSync(join(folder, 'a.tmp'), join(folder, 'a'))
      },
      () => rmSync(join(folder, 'a')),
      () => writeFileSync(join(folder, 'a'), '4'),
    ]
    for (const step of steps) {
      step()
      await has('a')
      seen.clear()
    }
    writeFileSync(join(folder, 'b'), 'not asked for')
    writeFileSync(join(folder, 'a'), '5')
    await has('a')
    assert.deepEqual([...seen], ['a'])
  })

  test('a file whose folder is missing is heard of when it comes', async t => {
    const folder = temporaryFolder(t)
    const { has, seen } = watched(t, folder, [{ path: 'x/y/a' }])
    mkdirSync(join(folder, 'x'))
    await has('x/y/a')
    seen.clear()
    mkdirSync(join(folder, 'x/y'))
    await has('x/y/a')
    seen.clear()
    writeFileSync(join(folder, 'x/y/a'), '1')
    await has('x/y/a')
    rmSync(join(folder, 'x'), { recursive: true })
    mkdirSync(join(folder, 'x/y'), { recursive: true })
    await eventually('it to be heard of again', () => {
      seen.clear()
      writeFileSync(join(folder, 'x/y/a'), '2')
      return has('x/y/a')
    })
  })

  test('what is in a folder that was waited for, and in one that takes the place of another, is heard of', async t => {
    const folder = temporaryFolder(t)
    const { has, seen } = watched(t, folder, [{ path: 'x', deep: true }])
    // all of it before anybody can hear of the first
    mkdirSync(join(folder, 'x/y'), { recursive: true })
    writeFileSync(join(folder, 'x/y/a'), '1')
    writeFileSync(join(folder, 'x/b'), '1')
    await has('x', 'x/b', 'x/y', 'x/y/a')
    seen.clear()
    mkdirSync(join(folder, 'new'))
    writeFileSync(join(folder, 'new/c'), '1')
    renameSync(join(folder, 'x'), join(folder, 'old'))
    renameSync(join(folder, 'new'), join(folder, 'x'))
    await has('x', 'x/c', 'x/b', 'x/y/a')
    seen.clear()
    writeFileSync(join(folder, 'x/c'), '2')
    await has('x/c')
  })

  test('what is there when watching begins is not told', async t => {
    const folder = temporaryFolder(t)
    mkdirSync(join(folder, 'x'))
    writeFileSync(join(folder, 'x/a'), '1')
    const { has, seen } = watched(t, folder, [{ path: 'x', deep: true }])
    writeFileSync(join(folder, 'x/b'), '1')
    await has('x/b')
    assert.equal(seen.has('x/a'), false)
  })

  test('a file behind a link is heard of by the name of the link', async t => {
    const folder = temporaryFolder(t)
    mkdirSync(join(folder, 'real'))
    writeFileSync(join(folder, 'real/a'), '1')
    symlinkSync('real/a', join(folder, 'link'))
    const { has } = watched(t, folder, [{ path: 'link' }])
    writeFileSync(join(folder, 'real/a'), '2')
    await has('link')
  })

  test('of a folder all below is heard of, of a new one all that is in it', async t => {
    const folder = temporaryFolder(t)
    mkdirSync(join(folder, 'src/old'), { recursive: true })
    const { has, seen } = watched(t, folder, [{ path: 'src', deep: true }])
    mkdirSync(join(folder, 'src/new/deep'), { recursive: true })
    writeFileSync(join(folder, 'src/new/deep/a'), '1')
    writeFileSync(join(folder, 'src/old/b'), '1')
    await has('src/new', 'src/new/deep', 'src/new/deep/a', 'src/old/b')
    seen.clear()
    writeFileSync(join(folder, 'src/new/deep/a'), '2')
    await has('src/new/deep/a')
  })

  test('of a folder that is moved away all that was in it is told', async t => {
    const folder = temporaryFolder(t)
    mkdirSync(join(folder, 'src/a/b'), { recursive: true })
    writeFileSync(join(folder, 'src/a/b/c'), '1')
    const { has } = watched(t, folder, [{ path: 'src', deep: true }])
    renameSync(join(folder, 'src/a'), join(folder, 'away'))
    await has('src/a', 'src/a/b', 'src/a/b/c')
  })

  test('a folder that is replaced by another goes on being watched', async t => {
    const folder = temporaryFolder(t)
    mkdirSync(join(folder, 'src'))
    const { has, seen } = watched(t, folder, [{ path: 'src', deep: true }])
    mkdirSync(join(folder, 'next'))
    rmSync(join(folder, 'src'), { recursive: true })
    renameSync(join(folder, 'next'), join(folder, 'src'))
    await has('src')
    seen.clear()
    writeFileSync(join(folder, 'src/a'), '1')
    await has('src/a')
  })

  test('a folder that is a link is watched where it leads, and told by its own name', async t => {
    const folder = temporaryFolder(t)
    mkdirSync(join(folder, 'real/below'), { recursive: true })
    symlinkSync('real', join(folder, 'src'))
    const { has } = watched(t, folder, [{ path: 'src', deep: true }])
    writeFileSync(join(folder, 'real/below/a'), '1')
    await has('src/below/a')
  })

  test('what is of no interest is not watched', async t => {
    const folder = temporaryFolder(t)
    mkdirSync(join(folder, 'src/node_modules/x'), { recursive: true })
    const { has, seen, watching } = watched(t, folder, [{ path: 'src', deep: true }], path =>
      path.endsWith('node_modules'),
    )
    assert.equal(watching.size, 1)
    writeFileSync(join(folder, 'src/node_modules/x/y'), '1')
    writeFileSync(join(folder, 'src/a'), '1')
    await has('src/a')
    assert.deepEqual([...seen], ['src/a'])
  })
})

describe('Tree', () => {
  test('tells of 20,000 files made at once, though the queue of the kernel holds fewer events', async t => {
    const folder = temporaryFolder(t, memory)
    for (let d = 0; d < 10; d++) mkdirSync(join(folder, `d${d}`))
    const seen = new Set<string>()
    const tree = new Tree(folder, { changed: path => seen.add(path), skips: () => false, failed: assert.fail })
    t.after(() => tree.close())
    const names = Array.from({ length: 20_000 }, (_, i) => join(folder, `d${i % 10}`, `f${i}`))
    // without a pause in which events could be read: three of each, of which the queue holds 16,384
    for (const name of names) writeFileSync(name, 'x', { mode: 0o600 })
    await eventually('all to be seen', () => seen.size >= names.length, 60_000)
    assert.deepEqual(
      names.filter(name => !seen.has(name)),
      [],
    )
    assert.equal(tree.size, 11)
  })
})
