/** The command line as one file: the same as its sources, and never older than them. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { command } from '../support/command.ts'

const start = fileURLToPath(new URL('../../src/cli/start.cjs', import.meta.url))
const { fresh, stampOf } = createRequire(import.meta.url)(start) as {
  fresh(inputs: Readonly<Record<string, string>>, folder: string): boolean
  stampOf(file: string): string
}

test('a file made of sources is fresh until one of them is changed, put back in time, or removed', t => {
  const folder = mkdtempSync(join(tmpdir(), 'tscompose-start-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'a.ts')
  writeFileSync(file, 'one')
  const inputs = { 'a.ts': stampOf(file) }
  assert.equal(fresh(inputs, folder), true)
  utimesSync(file, 1, 1)
  assert.equal(fresh(inputs, folder), false)
  const old = { 'a.ts': stampOf(file) }
  writeFileSync(file, 'three')
  utimesSync(file, 1, 1)
  assert.equal(fresh(old, folder), false, 'the same time, another size')
  rmSync(file)
  assert.equal(fresh(old, folder), false)
})

test('the one file prints what the sources print', async () => {
  const bundler = fileURLToPath(new URL('../../.ci/bundle.ts', import.meta.url))
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
  const cwd = fileURLToPath(new URL('../../examples/guestbook', import.meta.url))
  assert.equal((await command(process.execPath, [bundler])).code, 0)
  for (const args of [['config'], ['--version'], ['up', '--nonsense']]) {
    const one = await command(process.execPath, [start, ...args], { cwd })
    const sources = await command(process.execPath, [main, ...args], { cwd })
    assert.deepEqual(one, sources)
  }
})

test('what is only needed to build is loaded by nothing else', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'tscompose-start-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const told = join(folder, 'told.cjs')
  writeFileSync(told, "process.on('exit', () => console.log(process.moduleLoadList.includes('NativeModule http2')))")
  writeFileSync(join(folder, 'compose.yaml'), 'services: {web: {build: .}}')
  const loads = async (...args: readonly string[]) =>
    (await command(process.execPath, ['--require', told, start, ...args], { cwd: folder })).stdout
      .trim()
      .split('\n')
      .at(-1)
  assert.equal(await loads('config'), 'false')
  assert.equal(await loads('build', '--print'), 'false')
  assert.equal(await loads('--host', 'unix:///no/such.sock', 'up', '-d'), 'false')
  // the same question has another answer where something is built
  const builder = fileURLToPath(new URL('../../src/client/buildkit/solve.ts', import.meta.url))
  const { stdout } = await command(process.execPath, ['--require', told, '--import', builder, '--eval', '0'])
  assert.equal(stdout.trim(), 'true')
})
