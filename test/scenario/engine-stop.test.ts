/** `engine stop`: what runs goes on, or is stopped before. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { type Stack, TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, program, root } from '../support/needs.ts'

const yaml = `services:
  web: {image: busybox, command: sleep infinity, stop_signal: SIGKILL, scale: 2, restart: always}
  paused: {image: busybox, command: sleep infinity, stop_signal: SIGKILL}
`

describe('engine stop', { skip: lacking(root(), program('busybox'), program('nft')) }, () => {
  let engine: TestEngine
  let stack: Stack
  before(async () => {
    engine = await TestEngine.start()
    stack = engine.stack(yaml)
    await stack.run('up', '-d')
  })
  after(() => engine.stop())

  test('--containers stops all that runs, what is to be restarted too, and then the engine', async () => {
    const inspect = ['inspect', '--format', '{{.State.Pid}}']
    const ids = (await stack.run('ps', '-q')).trim().split('\n')
    assert.equal(ids.length, 3)
    const pids = (await engine.docker([...inspect, ...ids])).stdout.trim().split('\n')
    await stack.run('pause', 'paused')
    const { code, stdout, stderr } = await engine.tscompose(['engine', 'stop', '--containers'])
    assert.equal(code, 0, stderr)
    assert.match(stdout + stderr, /Stopped 3 containers\n[\s\S]*Engine at \S+ stopped/)
    assert.deepEqual(
      pids.filter(pid => existsSync(`/proc/${pid}`)),
      [],
    )
    const { stderr: again } = await engine.tscompose(['engine', 'stop'])
    assert.match(again, /No engine at/)
    // with the next one comes what is to run always, and nothing else
    await engine.boot()
    await eventually('web', async () => {
      const states = (await stack.try('ps', '-a', '--format', '{{.Service}} {{.State}}')).stdout.trim().split('\n')
      return states.sort().join() === 'paused exited,web running,web running'
    })
  })
})
