/** An `up` whose process is killed in the middle of an update: the keeper goes on with it, or the next `up`, and commands tell. */
import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { keeperEndpoints } from '../../src/api/keeper.ts'
import { findKeeper } from '../../src/holding/keeper.ts'
import { keeperSocket } from '../../src/holding/place.ts'
import { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { holdingProxy } from '../support/holding-proxy.ts'
import { lacking, program, root } from '../support/needs.ts'

const sleeper = 'image: busybox, command: sleep infinity, stop_signal: SIGKILL'
const updated = 'deploy: {replicas: 3, update_config: {parallelism: 1, delay: 2s, order: start-first}}'

describe('an up that is killed', { skip: lacking(root(), program('busybox'), program('nft')) }, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
  })
  after(() => engine.stop())
  type Stack = ReturnType<TestEngine['stack']>

  /** Of each container of web, one that has not its own name yet among them. */
  const versions = async (stack: Stack): Promise<readonly string[]> =>
    (await stack.ps()).flatMap(({ Labels }) => /\bedition=(\d)/.exec(String(Labels))?.[1] ?? [])
  const history = async (stack: Stack) =>
    (await stack.run('history', '--format', '{{.Command}} {{.User}} {{.Outcome}}')).trim().split('\n')
  /** Kills an update when the first of its containers has come. */
  const killed = async (stack: Stack) => {
    const up = stack.begin('up', '-d')
    await eventually('the first of the new version', async () => (await versions(stack)).includes('2'))
    await up.end('SIGKILL')
    assert.match((await history(stack)).join(), /up \S+ interrupted/)
  }
  test('without a keeper is told by ps and plan until an up has finished it', async () => {
    const yaml = (version: string) => `services: {web: {${sleeper}, ${updated}, labels: {edition: "${version}"}}}\n`
    const stack = engine.stack(yaml('1'), 'alone')
    await stack.run('up', '-d')
    assert.doesNotMatch((await stack.try('ps')).stderr, /broken off/)
    writeFileSync(join(stack.folder, 'compose.yaml'), yaml('2'))
    await killed(stack)
    const word = /Apply 2, "up" of \S+, was broken off: "tscompose up" finishes it, "tscompose history show 2" tells/
    assert.match((await stack.try('ps')).stderr, word)
    assert.match((await stack.try('plan')).stderr, word)
    await pause(1500)
    assert.ok((await versions(stack)).includes('1'), 'nobody goes on with it')
    await stack.run('up', '-d')
    assert.deepEqual(await versions(stack), ['2', '2', '2'])
    assert.doesNotMatch((await stack.try('ps')).stderr, /broken off/)
    await stack.run('down')
  })

  test('by ^C of one that is attached is not told: that has stopped all of it', async () => {
    const db = `{${sleeper}, healthcheck: {test: "false", interval: 100ms, retries: 1000}}`
    const web = `{${sleeper}, depends_on: {db: {condition: service_healthy}}}`
    const stack = engine.stack(`services: {db: ${db}, web: ${web}}\n`, 'left')
    const up = stack.begin('up')
    await eventually('the wait', async () => (await stack.ps()).some(({ State }) => State === 'running'))
    assert.equal(await up.end(), 130)
    assert.deepEqual(
      (await stack.ps()).map(({ State }) => State),
      ['exited', 'created'],
    )
    assert.match((await history(stack)).join(), /up \S+ interrupted/)
    assert.doesNotMatch((await stack.try('ps')).stderr, /broken off/)
    await stack.run('down')
  })

  /** One that the keeper holds. */
  const kept = (version: string) => `
services:
  db: {${sleeper}}
  web:
    ${sleeper.replaceAll(', ', '\n    ')}
    labels: {edition: "${version}"}
    depends_on: {db: {condition: service_started, restart: true}}
    ${updated}
`

  test('has told the keeper of a held stack before it changed anything', async () => {
    const stack = engine.stack(kept('1'), 'told')
    await stack.run('up', '-d')
    const socket = keeperSocket({ host: engine.host, env: engine.env })!
    renameSync(socket, `${socket}.its`)
    try {
      await using proxy = await holdingProxy(socket, `unix://${socket}.its`, /^PUT \S*\/stacks\/told\b/m)
      writeFileSync(join(stack.folder, 'compose.yaml'), kept('2'))
      const up = stack.begin('up', '-d')
      await proxy.held
      // it would have been made long since
      await pause(1000)
      assert.deepEqual(await versions(stack), ['1', '1', '1'])
      await up.end('SIGKILL')
    } finally {
      renameSync(`${socket}.its`, socket)
    }
    await stack.run('down')
  })

  test('is gone on with by the keeper, where the stack is held', async () => {
    const stack = engine.stack(kept('1'), 'held')
    await stack.run('up', '-d')
    writeFileSync(join(stack.folder, 'compose.yaml'), kept('2'))
    await killed(stack)
    const isAll = async () => (await versions(stack)).every(each => each === '2')
    await eventually('all of the new version', isAll, 30_000)
    assert.equal((await versions(stack)).length, 3)
    await eventually('it is kept', async () => /^finish keeper done/.test((await history(stack))[0] ?? ''))
    assert.match(engine.log, /held: an apply was cut off before it was done: it is gone on with/)
    assert.doesNotMatch((await stack.try('ps')).stderr, /broken off/)
    assert.match((await stack.try('plan')).stdout, /no changes/)
    await stack.run('down')
  })
})

describe('a stack that is watched', { skip: lacking(root(), program('busybox'), program('nft')) }, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
  })
  after(() => engine.stop())

  for (const [what, deploy] of [
    ['that goes back', 'deploy: {update_config: {order: start-first, failure_action: rollback, monitor: 1s}}'],
    ['without an update_config', 'restart: "no"'],
  ])
    test(`is given an update that fails once ${what}, and again when its files change`, async () => {
      const yaml = (command: string, more = '') =>
        `services: {web: {image: busybox, command: ${command}, stop_signal: SIGKILL, ${deploy}${more}}}\n`
      const name = what!.includes('back') ? 'back' : 'plain'
      const stack = engine.stack(yaml('sleep infinity'), name)
      await stack.run('up', '--watch', '-d')
      const held = async () => {
        const keeper = await findKeeper({ host: engine.host, env: engine.env })
        try {
          return await keeper?.call(keeperEndpoints.stackInspect, { params: { name } })
        } finally {
          keeper?.close()
        }
      }
      const file = join(stack.folder, 'compose.yaml')
      const tries = async () =>
        (await stack.run('history', '--format', '{{.Command}} {{.Outcome}}'))
          .trim()
          .split('\n')
          .filter(each => /failed/.test(each)).length
      writeFileSync(file, yaml('/nothing'))
      await eventually('the failure', async () => /tried again when/.test((await held())?.Error ?? ''))
      await eventually('it is told', async () => (await held())?.State === 'failing')
      assert.equal(await tries(), 1)
      // it was tried after one second, then after two more
      await pause(5000)
      assert.equal(await tries(), 1, engine.log)
      writeFileSync(file, yaml('/nothing', ', environment: {A: "1"}'))
      await eventually('another attempt', async () => (await tries()) === 2)
      writeFileSync(file, yaml('sleep infinity', ', environment: {A: "2"}'))
      await eventually('it is well', async () => {
        const { stdout } = await stack.try('exec', '-T', 'web', 'sh', '-c', 'echo $A')
        return stdout.trim() === '2' && (await held())?.State === 'settled'
      })
      await stack.run('down')
    })
})
