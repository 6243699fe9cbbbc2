/** Folders that are filled side by side lie apart, where the file system can do that. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { spread } from '../../../src/engine/base/spread.ts'
import { command } from '../../support/command.ts'
import { EngineBox } from '../containers/engine-box.ts'

/** EXT4_SUPER_MAGIC, which ext2 and ext3 have as well. */
const isExt = statfsSync(tmpdir()).type === 0xef53
const skip = isExt ? false : 'the folder for temporary files is not on ext4'

async function isSpread(folder: string): Promise<boolean> {
  const { code, stdout, stderr } = await command('lsattr', ['-d', folder])
  assert.equal(code, 0, stderr)
  return stdout.split(' ')[0]!.includes('T')
}

test('a folder is the top of a hierarchy from then on', { skip }, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'tscompose-spread-'))
  t.after(() => rmSync(folder, { recursive: true }))
  assert.ok(!(await isSpread(folder)))
  spread(folder)
  assert.ok(await isSpread(folder))
  spread(folder)
  assert.ok(await isSpread(folder))
})

test('a file system that knows no such thing is left as it is', t => {
  const folder = `/dev/shm/tscompose-spread-${process.pid}`
  mkdirSync(folder)
  t.after(() => rmSync(folder, { recursive: true }))
  spread(folder)
})

test('what each container has on disk, and beside it while it runs, lies apart', { skip }, async () => {
  await using box = await EngineBox.open(tmpdir())
  const { paths } = box.engine
  for (const folder of [paths.containers, paths.containerRuns]) assert.ok(await isSpread(folder), folder)
})
