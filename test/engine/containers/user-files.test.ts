/** Whose passwd and group count: the image's as long as the container has written nothing. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { UserFilesOfImages } from '../../../src/engine/containers/files/user-files.ts'

function folders(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'tscompose-users-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return (name: string, passwd?: string) => {
    const path = join(folder, name)
    mkdirSync(path)
    if (passwd === undefined) return path
    mkdirSync(join(path, 'etc'))
    writeFileSync(join(path, 'etc/passwd'), passwd)
    return path
  }
}

test('those of an image are read once, and not for a container that has its own', t => {
  const folder = folders(t)
  const files = new UserFilesOfImages()
  const [low, high, fresh, written] = [
    folder('low', 'low'),
    folder('high', 'high'),
    folder('fresh'),
    folder('written', 'own'),
  ]
  assert.deepEqual(files.of([low, high], fresh), { passwd: 'high', group: '' })
  writeFileSync(join(high, 'etc/passwd'), 'layers never change: nobody looks')
  assert.equal(files.of([low, high], fresh).passwd, 'high')
  assert.equal(files.of([low], fresh).passwd, 'low')
  assert.equal(files.of([low, high], written).passwd, 'own')
  // a link of the image may lead from /etc to any folder: whatever has been written counts
  mkdirSync(join(fresh, 'usr'))
  assert.equal(files.of([low, high], fresh).passwd, 'layers never change: nobody looks')
})

test('a whole copy is read each time, and so is what is too large to be kept', t => {
  const folder = folders(t)
  const files = new UserFilesOfImages()
  const copy = folder('copy', 'one')
  assert.equal(files.of([], copy).passwd, 'one')
  writeFileSync(join(copy, 'etc/passwd'), 'two')
  assert.equal(files.of([], copy).passwd, 'two')
  const [large, fresh] = [folder('large', 'x'.repeat(20_000)), folder('fresh')]
  assert.equal(files.of([large], fresh).passwd.length, 20_000)
  writeFileSync(join(large, 'etc/passwd'), 'y')
  assert.equal(files.of([large], fresh).passwd, 'y')
})
