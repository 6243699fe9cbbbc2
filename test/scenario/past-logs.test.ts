/** What containers have printed that others took the place of, or that were one too many. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { endpoints } from '../../src/api/endpoints.ts'
import { createClient } from '../../src/client/client.ts'
import { jsonLines, TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, program, root } from '../support/needs.ts'
import { ownEngine } from '../support/other-engine.ts'

const yaml = (word: string, more = '') => `
services:
  web: {image: busybox, stop_signal: SIGKILL, command: ["sh", "-c", "for i in 1 2 3; do echo ${word} $$i; done; sleep infinity"]${more}}
  db: {image: busybox, stop_signal: SIGKILL, command: ["sh", "-c", "echo db; sleep infinity"]}
`

describe('logs of containers that are no more', {
  skip: lacking(
    root(),
    program('busybox'),
    program('nft'),
    ownEngine('a Docker Engine keeps no log of what is removed'),
  ),
}, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
  })
  after(() => engine.stop())
  type Stack = ReturnType<TestEngine['stack']>
  const texts = async (stack: Stack, ...args: readonly string[]) =>
    jsonLines(await stack.run('logs', '--json', ...args)).map(({ container, text }) => `${container}: ${text}`)
  const printed = (stack: Stack, line: string) => eventually(line, async () => (await texts(stack)).includes(line))
  const kept = async () => {
    const client = createClient(engine.host)
    try {
      return (await client.call(endpoints.pastLogList, { query: {} })).map(({ Name }) => Name)
    } finally {
      client.close()
    }
  }

  test('come before those of the container that took the place, by --tail too, and go with down', async () => {
    const stack = engine.stack(yaml('old'), 'past')
    await stack.run('up', '-d')
    await printed(stack, 'past-web-1: old 3')
    stack.write(yaml('new'))
    await stack.run('up', '-d')
    await printed(stack, 'past-web-1: new 3')
    const all = ['old 1', 'old 2', 'old 3', 'new 1', 'new 2', 'new 3'].map(text => `past-web-1: ${text}`)
    assert.deepEqual(await texts(stack, 'web'), all)
    assert.deepEqual(await texts(stack, '--tail', '4', 'web'), all.slice(2))
    assert.deepEqual(await texts(stack, '--tail', '2', 'web'), all.slice(4))
    assert.deepEqual(await texts(stack, '--index', '1', '--grep', 'old', 'web'), all.slice(0, 3))
    await using following = stack.begin('logs', '-f', '--no-log-prefix', 'web')
    await following.says(/old 1\nold 2\nold 3\nnew 1\nnew 2\nnew 3\n/)
    await following.end()
    assert.deepEqual(await kept(), ['past-web-1'])
    await stack.run('down')
    assert.deepEqual(await kept(), [])
  })

  test('of a replica too many are shown until down; of one that somebody removes they go with it', async () => {
    const stack = engine.stack(yaml('one', ', scale: 2'), 'many')
    await stack.run('up', '-d')
    await printed(stack, 'many-web-2: one 3')
    await stack.run('up', '-d', '--scale', 'web=1')
    assert.ok((await texts(stack, 'web')).includes('many-web-2: one 3'))
    await stack.run('up', '-d', '--scale', 'web=1', '--force-recreate')
    assert.deepEqual((await kept()).toSorted(), ['many-db-1', 'many-web-1', 'many-web-2'])
    await stack.run('rm', '-fs', 'db')
    assert.deepEqual((await kept()).toSorted(), ['many-web-1', 'many-web-2'])
    await stack.run('down')
    assert.deepEqual(await kept(), [])
  })

  test('of a new version that was gone back from are kept', async () => {
    const update = ', deploy: {update_config: {order: start-first, failure_action: rollback, monitor: 2s}}'
    const stack = engine.stack(yaml('good', update), 'back')
    await stack.run('up', '-d')
    await printed(stack, 'back-web-1: good 3')
    stack.write(yaml('bad', update).replace('sleep infinity"', 'exit 3"'))
    assert.notEqual((await stack.try('up', '-d')).code, 0)
    assert.ok((await texts(stack, 'web')).includes('back-web-1: bad 1'))
    await stack.run('down')
    assert.deepEqual(await kept(), [])
  })

  test('survive the engine, and go with a prune when no container has the name any more', async () => {
    const stack = engine.stack(yaml('old', ', scale: 2'), 'pruned')
    await stack.run('up', '-d')
    await printed(stack, 'pruned-web-2: old 3')
    await stack.run('up', '-d', '--scale', 'web=1')
    await engine.halt('SIGKILL')
    await engine.boot()
    assert.ok((await texts(stack, 'web')).includes('pruned-web-2: old 3'))
    const client = createClient(engine.host)
    await client.call(endpoints.containerPrune, { query: {} })
    client.close()
    assert.deepEqual(await kept(), [])
    await stack.run('down')
  })
})
