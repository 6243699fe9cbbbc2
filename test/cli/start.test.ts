/** The command line as one file: the same as its sources, and never older than them. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
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

test('the compiled code of each program is kept for its next start, by its build, and for the command line by command', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'tscompose-start-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const cache = join(folder, 'cache')
  const launcher = join(folder, 'launcher.cjs')
  writeFileSync(
    launcher,
    `require(${JSON.stringify(start)}).launch(process.argv.pop(), () => { throw new Error('no sources') })`,
  )
  const run = async (name: string, id: string, ...args: readonly string[]) => {
    const file = join(folder, name)
    writeFileSync(
      file,
      `//{"id":"${id}","inputs":{}}\n(function (require, exports) { exports.start = () => console.log('ran') })\n`,
    )
    const said = await command(process.execPath, [launcher, ...args, file], { env: { NODE_COMPILE_CACHE: cache } })
    assert.deepEqual(said, { code: 0, stdout: 'ran\n', stderr: '' })
    return readdirSync(cache)
      .filter(each => !/^v\d/.test(each))
      .sort()
  }
  assert.deepEqual(await run('engine.js', '1', '--socket', '/s'), ['engine-1-any'])
  assert.deepEqual(await run('cli.js', '1', 'up', '-d'), ['cli-1-up', 'engine-1-any'])
  assert.deepEqual(await run('cli.js', '1', '--version'), ['cli-1-any', 'cli-1-up', 'engine-1-any'])
  const { mtimeMs } = statSync(join(cache, 'engine-1-any'))
  assert.deepEqual(await run('engine.js', '1', 'up'), ['cli-1-any', 'cli-1-up', 'engine-1-any'])
  assert.equal(statSync(join(cache, 'engine-1-any')).mtimeMs, mtimeMs, 'it was taken')
  assert.deepEqual(await run('engine.js', '2'), ['cli-1-any', 'cli-1-up', 'engine-2-any'])
  // what cannot be read is no reason to fail
  mkdirSync(join(cache, 'engine-3-any'))
  assert.deepEqual(await run('engine.js', '3'), ['cli-1-any', 'cli-1-up', 'engine-3-any'])
})
