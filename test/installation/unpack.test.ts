import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { unpack } from '../../src/installation/unpack.ts'

const uid = process.getuid!()
const content: Readonly<Record<string, string>> = { 'native/build/monitor': 'program', 'build/a.js': 'script' }
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const files = Object.entries(content).map(([path, text]) => ({
  path,
  mode: path === 'native/build/monitor' ? 0o755 : 0o644,
  sha256: sha256(text),
}))

/** What unpack asked for, in order. */
function run(folder: string, given = content): readonly string[] {
  const asked: string[] = []
  const bytesOf = (path: string) => {
    asked.push(path)
    return Buffer.from(given[path]!)
  }
  unpack({ folder, files, bytesOf, uid })
  return asked
}

function place(t: TestContext): string {
  const above = mkdtempSync(join(tmpdir(), 'tscompose-unpack-'))
  t.after(() => rmSync(above, { recursive: true }))
  return join(above, 'program', 'id')
}

describe('unpack()', () => {
  test('writes what is missing, with its mode, and leaves what is right alone', t => {
    const folder = place(t)
    const umask = process.umask(0o077)
    t.after(() => process.umask(umask))
    assert.deepEqual(run(folder), Object.keys(content))
    assert.equal(statSync(join(folder, 'native/build/monitor')).mode & 0o777, 0o755)
    assert.equal(readFileSync(join(folder, 'build/a.js'), 'utf8'), 'script')
    assert.deepEqual(run(folder), [])
    assert.deepEqual(readdirSync(join(folder, 'build')), ['a.js'])
  })

  for (const [what, damage] of [
    ['has another content', (path: string) => writeFileSync(path, 'evil')],
    ['can be written by others', (path: string) => chmodSync(path, 0o666)],
    [
      'is a link',
      (path: string) => {
        writeFileSync(`${path}.else`, 'script')
        rmSync(path)
        symlinkSync(`${path}.else`, path)
      },
    ],
  ] as const)
    test(`writes a file anew that ${what}`, t => {
      const folder = place(t)
      run(folder)
      const path = join(folder, 'build/a.js')
      damage(path)
      assert.deepEqual(run(folder), ['build/a.js'])
      assert.ok(statSync(path).isFile())
      assert.equal(statSync(path).mode & 0o777, 0o644)
      assert.equal(readFileSync(path, 'utf8'), 'script')
    })

  test('refuses a folder that others write to, wherever on the way it stands', t => {
    const folder = place(t)
    run(folder)
    chmodSync(join(folder, 'native'), 0o777)
    assert.throws(() => run(folder), { kind: 'denied', message: /native" is no folder that only user \d+ writes/ })
  })

  test('refuses a link in place of a folder', t => {
    const folder = place(t)
    const elsewhere = join(folder, '../elsewhere')
    mkdirSync(elsewhere, { recursive: true })
    symlinkSync(elsewhere, folder)
    assert.throws(() => run(folder), { kind: 'denied' })
    assert.deepEqual(readdirSync(elsewhere), [])
  })

  test('refuses what is damaged inside the program', t => {
    const folder = place(t)
    assert.throws(() => run(folder, { ...content, 'build/a.js': 'rotten' }), { kind: 'invalid' })
  })
})
