/** A stack that is watched, and images that become others: by pull_policy, by hand, and such as do not work. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { endpoints } from '../../src/api/endpoints.ts'
import { keeperEndpoints } from '../../src/api/keeper.ts'
import { createClient } from '../../src/client/client.ts'
import { findKeeper } from '../../src/holding/keeper.ts'
import { type Stack, TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, program, root } from '../support/needs.ts'
import { hasRegistry, startRegistry } from '../support/registry.ts'
import { busyboxFiles } from '../support/tiny-image.ts'

/** One whose check succeeds, unless it is bad. */
const image = (what: string) => ({
  files: { ...busyboxFiles(), what: `${what}\n`, ...(what.startsWith('bad') ? {} : { good: '' }) },
  config: { Cmd: ['sleep', 'infinity'], StopSignal: 'SIGKILL' },
})
const check = 'healthcheck: {test: test -e /good, interval: 100ms, retries: 3}'

describe('images of a stack that is watched', {
  skip: lacking(root(), program('busybox'), program('nft'), !hasRegistry && 'the program "docker-registry"'),
}, () => {
  let engine: TestEngine
  let registry: Awaited<ReturnType<typeof startRegistry>>
  before(async () => {
    engine = await TestEngine.start([])
    registry = await startRegistry()
  })
  after(async () => {
    await registry[Symbol.asyncDispose]()
    await engine.stop()
  })
  const held = async (name: string) => {
    const keeper = await findKeeper({ host: engine.host, env: engine.env })
    try {
      return await keeper?.call(keeperEndpoints.stackInspect, { params: { name } })
    } finally {
      keeper?.close()
    }
  }
  const until = (what: string, isSo: () => Promise<boolean>) =>
    eventually(what, isSo).catch(error => assert.fail(`${error}\n${engine.log}`))
  const what = async (stack: Stack, service = 'web') =>
    (await stack.try('exec', '-T', service, 'cat', '/what')).stdout.trim()
  const applies = async (stack: Stack) => (await stack.run('history', '-q')).trim().split('\n').length
  const failing = (stack: Stack) =>
    until('a failure that is told', async () => (await held(stack.name))?.State === 'failing')
  /** Long enough for another attempt, of which the first came after a second. */
  const staysWithout = async (stack: Stack) => {
    const before = await applies(stack)
    await pause(2500)
    assert.equal(await applies(stack), before, engine.log)
  }

  test('are asked for as often as pull_policy says, and an update is that of the file', async () => {
    await registry.pushImage('app', 'latest', image('one'))
    const stack = engine.stack(
      `
services:
  web:
    image: ${registry.host}/app
    pull_policy: every_1s
    ${check}
    deploy: {update_config: {order: start-first, failure_action: rollback, monitor: 500ms}}
`,
      'polled',
    )
    await stack.run('up', '--watch', '-d')
    assert.equal(await what(stack), 'one')
    await until('it is settled', async () => (await held('polled'))?.State === 'settled')
    const first = await applies(stack)
    await pause(2500)
    assert.equal(await applies(stack), first, 'that it was asked for and is the same is no apply')
    assert.doesNotMatch(engine.log, /polled: image .* is another one now/)
    await registry.pushImage('app', 'latest', image('two'))
    await until('the new one', async () => (await what(stack)) === 'two')
    assert.match(engine.log, /polled: image \S+\/app is another one now/)
    await registry.pushImage('app', 'latest', image('bad'))
    await failing(stack)
    assert.match((await held('polled'))!.Error!, /Cannot update "web": .*it goes back to what it was/)
    await until('the one before', async () => (await what(stack)) === 'two')
    await staysWithout(stack)
    await registry.pushImage('app', 'latest', image('three'))
    await until('the one after', async () => (await what(stack)) === 'three')
    await until('it is settled', async () => (await held('polled'))?.State === 'settled')

    await registry.kill()
    await until('that nobody answers', async () => /polled: pull_policy: .*app/.test(engine.log))
    const web = createClient(engine.host)
    await web.call(endpoints.containerKill, { params: { id: 'polled-web-1' } })
    web.close()
    await until('what was killed, though no registry answers', async () => (await what(stack)) === 'three')
    await registry.again()
    await registry.pushImage('app', 'latest', image('four'))
    await until('the registry again', async () => (await what(stack)) === 'four')
    await stack.run('down', '--rmi', 'all')
  })

  test('that do not start are tried once, while others are brought about', async () => {
    for (const name of ['one', 'bad-start']) await registry.pushImage('tagged', name, image(name))
    const to = async (name: string) => {
      await stack.run('image', 'pull', '-q', `${registry.host}/tagged:${name}`)
      await stack.run('image', 'tag', `${registry.host}/tagged:${name}`, 'tagged-app')
    }
    const yaml = (value: string) => `
services:
  web: {image: tagged-app, pull_policy: never, command: sh -c "test -e /good && exec sleep infinity", ${check}, environment: {V: "${value}"}}
  after: {image: tagged-app, pull_policy: never, command: sleep infinity, stop_signal: SIGKILL, depends_on: {web: {condition: service_healthy}}}
  other: {image: "${registry.host}/tagged:one", command: sleep infinity, stop_signal: SIGKILL, environment: {V: "${value}"}}
`
    const stack = engine.stack(yaml('1'), 'tagged')
    await to('one')
    await stack.run('up', '--watch', '-d')
    await until('it is settled', async () => (await held('tagged'))?.State === 'settled')
    await to('bad-start')
    await failing(stack)
    await staysWithout(stack)
    // the state of the files is another one then, and all of it is tried, once
    stack.write(yaml('2'))
    const value = async () => (await stack.try('exec', '-T', 'other', 'sh', '-c', 'echo $V')).stdout.trim()
    await until('what has nothing to do with it', async () => (await value()) === '2')
    await failing(stack)
    await staysWithout(stack)
    await to('one')
    await until('what works', async () => (await what(stack)) === 'one')
    await until('what waits for it', async () => (await what(stack, 'after')) === 'one')
    await until('it is settled', async () => (await held('tagged'))?.State === 'settled')
    await stack.run('down', '--rmi', 'all')
  })
})
