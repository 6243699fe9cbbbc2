import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileBytes } from '../../../src/engine/base/file-bytes.ts'
import { TarReader } from '../../../src/engine/base/tar-reader.ts'
import { decompressed } from '../../../src/engine/images/compression.ts'

test('fileBytes() gives the bytes of a file, and tells how many it has read', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'tscompose-bytes-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'a')
  writeFileSync(path, 'abcdef')
  const read: number[] = []
  const pieces: string[] = []
  for await (const each of fileBytes(path, { piece: 4, onRead: total => read.push(total) })) pieces.push(String(each))
  assert.deepEqual(
    [pieces, read],
    [
      ['abcd', 'ef'],
      [4, 6],
    ],
  )
})

test('fileBytes() opens nothing that nobody reads: an archive that is not unpacked after all ends no engine', async () => {
  // a stream would fail to open it where nobody listens, which is an uncaught exception
  const reader = new TarReader(decompressed(fileBytes('/nowhere/archive.tar')))
  await reader.close()
  await pause(20)
  await assert.rejects(fileBytes('/nowhere/archive.tar').next(), { code: 'ENOENT' })
})
