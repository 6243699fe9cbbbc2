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

test('tarOf() writes absolute names, owner, mode and a right checksum', () => {
  const file = { target: '/run/secrets/s', content: 'hello', uid: 7, gid: 8, mode: 0o440 }
  const tar = Buffer.from(tarOf([file]))
  assert.equal(tar.length, 4 * 512)
  assert.equal(tar.toString('latin1', 0, 14), '/run/secrets/s')
  assert.equal(tar.toString('latin1', 100, 107), '0000440')
  assert.equal(tar.toString('latin1', 108, 115), '0000007')
  const sum = tar.subarray(0, 512).reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0)
  assert.equal(Number.parseInt(tar.toString('latin1', 148, 154), 8), sum)
  assert.equal(tar.toString('latin1', 512, 517), 'hello')
})

test('tarOf() splits a long path and refuses one that fits nowhere', () => {
  const file = (target: string) => ({ target, content: '', uid: 0, gid: 0, mode: 0o444 })
  const long = `/${'d'.repeat(120)}/${'f'.repeat(80)}`
  const tar = Buffer.from(tarOf([file(long)]))
  assert.equal(tar.toString('latin1', 0, 80), 'f'.repeat(80))
  assert.equal(tar.toString('latin1', 345, 466), `/${'d'.repeat(120)}`)
  assert.throws(() => tarOf([file(`/${'x'.repeat(101)}`)]), { kind: 'invalid' })
})
