import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { tarOf } from '../../../../src/targets/engine/perform/tar.ts'

test('tarOf() holds the bytes of a file, with the owner and mode asked for', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tar-'))
  try {
    const file = join(folder, 'key')
    writeFileSync(file, Buffer.from([0, 255, 10]))
    const archive = Buffer.from(tarOf([{ target: '/run/key', content: { file }, uid: 5, gid: 7, mode: 0o440 }]))
    const text = (at: number, length: number) => archive.toString('latin1', at, at + length).replace(/\0.*$/, '')
    assert.deepEqual(
      [text(0, 100), text(100, 8), text(108, 8), text(116, 8)],
      ['/run/key', '0000440', '0000005', '0000007'],
    )
    assert.deepEqual([...archive.subarray(512, 515)], [0, 255, 10])
    assert.throws(
      () => tarOf([{ target: '/x', content: { file: join(folder, 'none') }, uid: 0, gid: 0, mode: 0 }]),
      /Cannot read ".*none": ENOENT/,
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})
