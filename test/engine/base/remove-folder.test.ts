/** Folders go whole, and nothing beside them. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { removeFolder } from '../../../src/engine/base/remove-folder.ts'

describe('removeFolder()', () => {
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

  test('has nothing to do where there is none', async () => {
    await removeFolder(join(tmpdir(), 'tscompose-remove-nothing'))
  })

  test('says why it cannot', async t => {
    const root = mkdtempSync(join(tmpdir(), 'tscompose-remove-'))
    t.after(() => rmSync(root, { recursive: true }))
    writeFileSync(join(root, 'file'), '')
    await assert.rejects(removeFolder(join(root, 'file/below')), { code: 'ENOTDIR' })
  })
})
