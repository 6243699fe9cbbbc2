/** Those that repair one stack take turns: the keeper, a watch in a terminal, and a person's commands. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { keeperEndpoints } from '../../src/api/keeper.ts'
import { findKeeper } from '../../src/holding/keeper.ts'
import { type Stack, TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, program, root } from '../support/needs.ts'

const sleeper = 'image: busybox, command: sleep infinity, stop_signal: SIGKILL'
const pair = (tag: string, more = '') => `
services:
  db: {${sleeper}}
  web: {${sleeper}, environment: {TAG: ${tag}}, depends_on: {db: {condition: service_started, restart: true}}}
${more}`

describe('a watch and the keeper', { skip: lacking(root(), program('busybox'), program('nft')) }, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
  })
  after(() => engine.stop())
  const stateOf = async (name: string) => {
    const keeper = await findKeeper({ host: engine.host, env: engine.env })
    try {
      return (await keeper?.call(keeperEndpoints.stackInspect, { params: { name } }))?.State
    } finally {
      keeper?.close()
    }
  }
  const inState = (name: string, state: string) =>
    eventually(`the keeper's ${name} is ${state}`, async () => (await stateOf(name)) === state)
  const states = async (stack: Stack) => (await stack.ps()).map(each => `${each.Service} ${each.State}`).sort()
  const tag = async (stack: Stack) => (await stack.try('exec', '-T', 'web', 'sh', '-c', 'echo $TAG')).stdout.trim()

  test('take turns: the watch repairs alone, and what its files said last is what the keeper holds then', async () => {
    const stack = engine.stack(pair('one'), 'turns')
    await stack.run('up', '-d')
    await inState('turns', 'settled')
    const watch = stack.begin('watch')
    let at = await watch.says(/^Watch enabled$/m)
    await inState('turns', 'waiting')
    await engine.runDocker('kill', 'turns-web-1')
    at = await watch.says(/^turns-web-1 was killed$/m, { from: at })
    await eventually('it runs', async () => (await states(stack)).join() === 'db running,web running')
    stack.write(pair('two', `  new: {${sleeper}}\n`))
    await watch.says(/^\+ new: create/m, { from: at })
    await eventually('what the files say', async () => (await tag(stack)) === 'two')
    const second = await stack.try('watch')
    assert.match(second.stderr, /Cannot watch "turns": .+ \(process \d+\) watches it already/)
    assert.equal(await watch.end(), 130)
    await inState('turns', 'settled')
    assert.equal(await tag(stack), 'two')
    await engine.runDocker('kill', 'turns-web-1')
    await eventually('the keeper has it', async () => (await tag(stack)) === 'two')
    assert.deepEqual(await states(stack), ['db running', 'new running', 'web running'])
    // one of the two kills
    assert.equal([...engine.log.matchAll(/turns: #\d+ .*it exited with code 137/g)].length, 1)
    await stack.run('down')
  })

  test('fight nothing that a person asks for while it is watched, nor when the watch has ended', async () => {
    const stack = engine.stack(pair('one'), 'wishes')
    await using watch = stack.begin('watch')
    await watch.says(/^Watch enabled$/m)
    // long enough for what would be wrong to happen
    const stays = async (wanted: readonly string[]) => {
      await pause(1000)
      assert.deepEqual(await states(stack), wanted, `${watch.said}\n${engine.log}`)
    }
    await stack.run('pause', 'web')
    await stays(['db running', 'web paused'])
    await stack.run('unpause', 'web')
    await stack.run('up', '-d', '--scale', 'web=2')
    await stays(['db running', 'web running', 'web running'])
    await stack.run('scale', 'web=1')
    await stack.run('stop', 'web')
    await stays(['db running', 'web exited'])
    assert.equal(await watch.end(), 130)
    await inState('wishes', 'settled')
    await stays(['db running', 'web exited'])
    await stack.run('down')
  })

  test('a keeper that comes while it is watched stands back', async () => {
    const stack = engine.stack(pair('one'), 'later')
    await using watch = stack.begin('watch')
    await watch.says(/^Watch enabled$/m)
    const keeper = await findKeeper({ host: engine.host, env: engine.env })
    const { Pid } = (await keeper?.call(keeperEndpoints.keeperStatus, {}))!
    keeper?.close()
    process.kill(Pid, 'SIGKILL')
    await eventually('another keeper', async () => {
      const next = await findKeeper({ host: engine.host, env: engine.env })
      const status = await next?.call(keeperEndpoints.keeperStatus, {})
      next?.close()
      return status !== undefined && status.Pid !== Pid
    })
    await inState('later', 'waiting')
    assert.match(engine.log, /later: \S+ \(process \d+\) watches it, which repairs it meanwhile/)
    assert.equal(await watch.end(), 130)
    await inState('later', 'settled')
    await stack.run('down')
  })
})
