/** Records are replaced whole, whichever way that is done. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { writeRecord } from '../../../src/engine/base/store.ts'
import { exchange } from '../../../src/runtime/native.ts'

describe('writeRecord()', () => {
  for (const syncedSoon of [false, true])
    test(`replaces a record and leaves nothing beside it${syncedSoon ? ', where it is synced soon' : ''}`, async t => {
      const folder = mkdtempSync(join(tmpdir(), 'tscompose-store-'))
      t.after(() => rmSync(folder, { recursive: true }))
      const path = join(folder, 'state.json')
      for (const n of [1, 2, 3]) {
        await writeRecord(path, { n }, { syncedSoon })
        assert.deepEqual(readdirSync(folder), ['state.json'])
        assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), { n })
      }
      // what a link leads to is not what is replaced
      writeFileSync(join(folder, 'other'), 'kept')
      rmSync(path)
      symlinkSync('other', path)
      await writeRecord(path, { n: 4 }, { syncedSoon })
      assert.equal(readFileSync(join(folder, 'other'), 'utf8'), 'kept')
      assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), { n: 4 })
    })

  for (const syncedSoon of [false, true])
    test(`takes no folder's place${syncedSoon ? ', where it is synced soon' : ''}`, async t => {
      const folder = mkdtempSync(join(tmpdir(), 'tscompose-store-'))
      t.after(() => rmSync(folder, { recursive: true }))
      const path = join(folder, 'state.json')
      mkdirSync(path)
      await assert.rejects(writeRecord(path, {}, { syncedSoon }), /state\.json/)
      assert.deepEqual(readdirSync(folder), ['state.json'])
    })
})

test('exchange() gives two files each other’s name, and says where it did not', t => {
  const folder = mkdtempSync(join(tmpdir(), 'tscompose-store-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const [a, b] = [join(folder, 'a'), join(folder, 'b')]
  writeFileSync(a, 'a')
  assert.equal(exchange(a, b), false)
  writeFileSync(b, 'b')
  assert.equal(exchange(a, b), true)
  assert.deepEqual([readFileSync(a, 'utf8'), readFileSync(b, 'utf8')], ['b', 'a'])
})
