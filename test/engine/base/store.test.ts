/** Records are replaced whole, whichever way that is done. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Aside } from '../../../src/engine/base/aside.ts'
import { Paths } from '../../../src/engine/base/paths.ts'
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

  test('is content when its folder goes before what it replaced does', async t => {
    const root = mkdtempSync(join(tmpdir(), 'tscompose-store-'))
    t.after(() => rmSync(root, { recursive: true }))
    const [folder, gate] = [join(root, 'folder'), join(root, 'gate')]
    mkdirSync(folder)
    await writeRecord(join(folder, 'state.json'), { n: 1 })
    assert.equal(spawnSync('mkfifo', [gate]).status, 0)
    // every thread that could remove it waits for a writer
    const busy = Array.from({ length: Number(process.env['UV_THREADPOOL_SIZE'] ?? 4) }, () => open(gate, 'r'))
    const written = writeRecord(join(folder, 'state.json'), { n: 2 }, { syncedSoon: true })
    assert.equal(readdirSync(folder).length, 2)
    rmSync(folder, { recursive: true })
    const writer = openSync(gate, 'w')
    await written
    for (const file of await Promise.all(busy)) await file.close()
    closeSync(writer)
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

test('what an engine was writing when it was killed goes when the next one takes the folder, and nothing else', async t => {
  const root = mkdtempSync(join(tmpdir(), 'tscompose-store-'))
  t.after(() => rmSync(root, { recursive: true }))
  const roots = { data: join(root, 'data'), run: join(root, 'run'), netns: join(root, 'netns') }
  const folder = join(roots.data, 'networks')
  mkdirSync(join(folder, '.folder.json.1.1'), { recursive: true })
  // killed between the write and the rename: a process of its own, which the kernel stops there
  const script = `
    import fs from 'node:fs'
    import { syncBuiltinESMExports } from 'node:module'
    fs.renameSync = () => process.kill(process.pid, 'SIGKILL')
    syncBuiltinESMExports()
    const { writeRecord } = await import(${JSON.stringify(new URL('../../../src/engine/base/store.ts', import.meta.url).href)})
    await writeRecord(${JSON.stringify(join(folder, 'a.json'))}, { n: 1 })`
  const killed = spawnSync(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    '--input-type=module',
    '-e',
    script,
  ])
  assert.equal(killed.signal, 'SIGKILL', String(killed.stderr))
  assert.deepEqual(readdirSync(folder).sort(), [`.a.json.${killed.pid}.1`, '.folder.json.1.1'])
  // one that we are writing ourselves, and what is no record
  const kept = ['.folder.json.1.1', `.b.json.${process.pid}.1`, '.hidden', 'b.json']
  for (const name of kept.slice(1)) writeFileSync(join(folder, name), '')
  const said: string[] = []
  await new Aside(new Paths(roots), line => said.push(line)).folder(folder)
  assert.deepEqual(readdirSync(folder).sort(), kept.sort())
  assert.deepEqual(said, [])
})
