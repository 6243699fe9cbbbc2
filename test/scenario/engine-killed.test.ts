/** Containers outlive their engine. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, program, root } from '../support/needs.ts'

describe('an engine killed with SIGKILL', { skip: lacking(root(), program('busybox'), program('nft')) }, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
  })
  after(() => engine.stop())

  test('loses no line of a container that logs ten a second, and the next engine knows it and its exit code', async () => {
    const stack = engine.stack(`
services:
  writer:
    image: busybox
    command: sh -c 'i=0; until [ -e /enough ]; do echo line $$i; i=$$((i+1)); sleep 0.1; done; exit 7'
  pinger: {image: busybox, command: sleep infinity, stop_signal: SIGKILL, ports: ["127.0.0.1::80"]}
`)
    await stack.run('up', '-d')
    await eventually('the first lines', async () => (await stack.run('logs', 'writer')).includes('line 5'))
    await engine.halt('SIGKILL')
    await pause(500)
    await engine.boot()
    const running = (await stack.ps()).find(c => c.Service === 'writer')
    assert.equal(running?.State, 'running')
    await stack.run('exec', '-T', 'writer', 'touch', '/enough')
    await eventually(
      'the end of the writer',
      async () => (await stack.ps()).find(c => c.Service === 'writer')?.State === 'exited',
    )
    assert.equal((await stack.ps()).find(c => c.Service === 'writer')?.ExitCode, 7)
    const lines = (await stack.run('logs', '--no-log-prefix', 'writer')).trim().split('\n')
    assert.ok(lines.length > 10, `${lines.length} lines`)
    assert.deepEqual(
      lines,
      lines.map((_, i) => `line ${i}`),
    )
    // names still resolve: the resolver of the sandbox is served again
    assert.match(await stack.run('exec', '-T', 'pinger', 'nslookup', 'pinger'), /Address/)
    await stack.run('down')
  })

  test('learns the exit code of a container that ended while there was no engine', async () => {
    const stack = engine.stack(
      `services:\n  short: {image: busybox, command: "sh -c 'sleep 1; echo last words; exit 9'"}\n`,
    )
    await stack.run('up', '-d')
    await engine.halt('SIGKILL')
    await pause(1500)
    await engine.boot()
    const [container] = await stack.ps()
    assert.equal(container?.State, 'exited')
    assert.equal(container?.ExitCode, 9)
    assert.match(await stack.run('logs', '--no-log-prefix'), /last words/)
    await stack.run('down')
  })
})
