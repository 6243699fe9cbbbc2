/** `up` when its terminal is closed, or who reads it has gone, in the middle. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { launcher, type Stack, TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, program, root } from '../support/needs.ts'
import { patience } from '../support/patience.ts'

/** b waits until the file `go` is in the stack's folder. */
const yaml = `services:
  a:
    image: busybox
    command: sleep infinity
    stop_signal: SIGKILL
    volumes: ["./:/stack"]
    healthcheck: {test: [CMD, test, -e, /stack/go], interval: 200ms, retries: 1000}
  b:
    image: busybox
    command: sleep infinity
    stop_signal: SIGKILL
    depends_on: {a: {condition: service_healthy}}
`

/** Whether a process of this machine has that working directory. */
function isAnyIn(folder: string): boolean {
  return readdirSync('/proc').some(pid => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === folder
    } catch {
      // no process, or one that has just ended
      return false
    }
  })
}

describe('up', { skip: lacking(root(), program('busybox'), program('nft'), program('script')) }, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
  })
  after(() => engine.stop())

  const states = async (stack: Stack) =>
    Object.fromEntries((await stack.ps()).map(({ Service, State }) => [Service as string, State]))
  const env = () => ({ ...process.env, ...engine.env })

  for (const words of ['up -d', 'up'])
    test(`${words} goes on to its end when the terminal is closed`, { timeout: 60_000 * patience }, async t => {
      const stack = engine.stack(yaml)
      // even a failed test lets it come to its end
      t.after(() => writeFileSync(join(stack.folder, 'go'), ''))
      // a terminal of its own: its leader is told when script, which has the other end, is gone
      const line = `exec ${launcher} ${words}`
      const terminal = spawn('script', ['-qec', line, '/dev/null'], { cwd: stack.folder, env: env(), stdio: 'pipe' })
      t.after(() => terminal.kill('SIGKILL'))
      const closed = once(terminal, 'exit')
      await eventually('a to run', async () => (await states(stack)).a === 'running')
      terminal.kill('SIGKILL')
      await closed
      assert.equal((await states(stack)).b, 'created')
      writeFileSync(join(stack.folder, 'go'), '')
      await eventually('b to run', async () => (await states(stack)).b === 'running')
      await eventually('it to end', () => !isAnyIn(stack.folder))
      assert.deepEqual(await states(stack), { a: 'running', b: 'running' })
      await stack.run('down')
    })

  test('goes on to its end when nobody reads what it prints', { timeout: 60_000 * patience }, async t => {
    const stack = engine.stack(yaml)
    const child = spawn(launcher, ['up', '-d'], { cwd: stack.folder, env: env(), stdio: ['ignore', 'pipe', 'pipe'] })
    t.after(() => child.kill('SIGKILL'))
    const ended = once(child, 'exit')
    await eventually('a to run', async () => (await states(stack)).a === 'running')
    child.stdout.destroy()
    child.stderr.destroy()
    writeFileSync(join(stack.folder, 'go'), '')
    assert.deepEqual(await ended, [0, null])
    assert.deepEqual(await states(stack), { a: 'running', b: 'running' })
    await stack.run('down')
  })

  test('--wait takes what ended with 0 for done, and says what ended otherwise', {
    timeout: 60_000 * patience,
  }, async () => {
    const stack = engine.stack(
      'services:\n  once: {image: busybox, command: "true"}\n  fails: {image: busybox, command: "false", profiles: [no]}\n',
    )
    await stack.run('up', '--wait')
    const failed = await stack.try('--profile', 'no', 'up', '--wait')
    assert.equal(failed.code, 1)
    assert.match(failed.stderr, /fails-1 exited \(1\)/)
    await stack.run('--profile', 'no', 'down')
  })
})
