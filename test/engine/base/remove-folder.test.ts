/** Folders go whole, and nothing beside them. */
import assert from 'node:assert/strict'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { removeFolder } from '../../../src/engine/base/remove-folder.ts'
import { memory } from '../../support/memory.ts'

describe('removeFolder()', () => {
  test('removes as many at once as are asked for', async t => {
    const root = mkdtempSync(join(tmpdir(), 'tscompose-remove-'))
    t.after(() => rmSync(root, { recursive: true }))
    const folders = Array.from({ length: 1000 }, (_, i) => join(root, `folder${i}`))
    for (const folder of folders) {
      mkdirSync(folder)
      writeFileSync(join(folder, 'file'), '')
    }
    await Promise.all(folders.map(removeFolder))
    assert.deepEqual(readdirSync(root), [])
  })

  for (const [what, files] of [
    ['a small one', 3],
    ['one of many files', 200],
  ] as const)
    test(`removes ${what}, with folders in it, and follows no link`, async t => {
      const root = mkdtempSync(join(tmpdir(), 'tscompose-remove-'))
      t.after(() => rmSync(root, { recursive: true }))
      const folder = join(root, 'folder')
      mkdirSync(join(folder, 'a/b/c'), { recursive: true })
      mkdirSync(join(root, 'outside'))
      writeFileSync(join(root, 'outside/kept'), '')
      symlinkSync('../outside', join(folder, 'link'))
      symlinkSync('../../outside', join(folder, 'a/link'))
      for (let i = 0; i < files; i++) writeFileSync(join(folder, 'a/b', `f${i}`), '')
      await removeFolder(folder)
      assert.deepEqual(readdirSync(root), ['outside'])
      assert.ok(existsSync(join(root, 'outside/kept')))
    })

  test('removes folders nested deeper than descriptors and paths reach, and holds few of them open', async t => {
    const root = mkdtempSync(join(tmpdir(), 'tscompose-remove-'))
    t.after(() => rmSync(root, { recursive: true }))
    const folder = join(root, 'folder')
    // names of 250 bytes: 17 of them are longer than any path may be
    const name = 'n'.repeat(250)
    mkdirSync(folder)
    let fd = openSync(folder, 'r')
    for (let i = 0; i < 300; i++) {
      mkdirSync(`/proc/self/fd/${fd}/${name}`)
      const inner = openSync(`/proc/self/fd/${fd}/${name}`, 'r')
      closeSync(fd)
      fd = inner
    }
    closeSync(fd)
    await removeFolder(folder)
    assert.deepEqual(readdirSync(root), [])
  })

  test('has nothing to do where there is none', async () => {
    await removeFolder(join(tmpdir(), 'tscompose-remove-nothing'))
  })

  test('does not leave the folder for a link that is swapped in', async t => {
    const root = mkdtempSync(join(memory, 'tscompose-remove-'))
    t.after(() => rmSync(root, { recursive: true }))
    const [folder, outside] = [join(root, 'folder'), join(root, 'outside')]
    mkdirSync(join(folder, 'a'), { recursive: true })
    mkdirSync(outside)
    const files = 10_000
    for (let i = 0; i < files; i++) {
      writeFileSync(join(folder, 'a', `f${i}`), '')
      writeFileSync(join(outside, `f${i}`), '')
    }
    const removal = removeFolder(folder)
    // it is in the middle of `a`: some of it is gone, and much is left
    while (readdirSync(join(folder, 'a')).length === files) await turn()
    renameSync(join(folder, 'a'), join(root, 'elsewhere'))
    symlinkSync(outside, join(folder, 'a'))
    await removal
    assert.equal(readdirSync(outside).length, files)
    assert.ok(!existsSync(folder))
  })

  test('says why it cannot', async t => {
    const root = mkdtempSync(join(tmpdir(), 'tscompose-remove-'))
    t.after(() => rmSync(root, { recursive: true }))
    writeFileSync(join(root, 'file'), '')
    await assert.rejects(removeFolder(join(root, 'file/below')), { code: 'ENOTDIR' })
  })
})
