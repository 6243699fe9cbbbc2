/** What the engine runs from: the one file that is built of its sources, as `engine status` tells. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { command } from '../support/command.ts'
import { TestEngine } from '../support/engine.ts'

let engine: TestEngine
before(async () => {
  const bundler = fileURLToPath(new URL('../../.ci/bundle.ts', import.meta.url))
  assert.equal((await command(process.execPath, [bundler])).code, 0)
  engine = await TestEngine.start([])
})
after(() => engine?.stop())

test('the engine runs from one file, and says so', async () => {
  const built = fileURLToPath(new URL('../../build/engine.js', import.meta.url))
  const { stdout } = await engine.tscompose(['engine', 'status', '--format', 'json'])
  assert.equal((JSON.parse(stdout) as { program?: string }).program, built)
  const text = await engine.tscompose(['engine', 'status'])
  assert.match(text.stdout, new RegExp(`^  program {5}${built}$`, 'm'))
})
