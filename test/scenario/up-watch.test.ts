/** A stack that is watched: what changes its files, and what is done to its containers behind its back. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Background } from '../support/background.ts'
import { type Stack, TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, program, root } from '../support/needs.ts'
import { patience } from '../support/patience.ts'

const sleeper = 'image: busybox, command: sleep infinity, stop_signal: SIGKILL'

describe('a watched stack', { skip: lacking(root(), program('busybox'), program('nft')) }, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
  })
  after(() => engine.stop())

  const docker = (...args: readonly string[]) => engine.runDocker(...args)
  const env = async (stack: Stack, service: string, name: string): Promise<string> =>
    (await stack.try('exec', '-T', service, 'sh', '-c', `echo $${name}`)).stdout.trim()

  describe('repairs within a second, and says why,', () => {
    const second = 1000 * patience
    let stack: Stack
    let watch: Background
    let at = 0
    before(async () => {
      stack = engine.stack(`services:\n  web: {${sleeper}, mem_limit: 64m}\n  db: {${sleeper}}\n`)
      watch = stack.begin('up', '--watch')
      at = await watch.says(/⦿ Watch enabled$/m)
    })
    after(async () => {
      assert.equal(await watch.end(), 130)
      const containers = await stack.ps()
      assert.deepEqual(
        containers.map(({ State }) => State),
        ['exited', 'exited'],
      )
      await stack.run('down')
    })

    const state = async (): Promise<string> =>
      (
        await engine.docker([
          'inspect',
          '-f',
          '{{.State.Status}} {{len .NetworkSettings.Networks}}',
          `${stack.name}-web-1`,
        ])
      ).stdout.trim()

    /** The quickest of a few times, since others may keep this machine busy. */
    const repaired = async (deed: readonly string[], isBack: () => Promise<boolean>): Promise<void> => {
      let least = Number.POSITIVE_INFINITY
      for (let tries = 0; tries < 3 && least >= second; tries++) {
        await docker(...deed)
        const done = performance.now()
        await eventually('it to be as it was', isBack)
        least = Math.min(least, performance.now() - done)
      }
      assert.ok(least < second, `it took ${least.toFixed()} ms`)
    }

    // what is seen before it is heard of has the cause of its plan alone
    for (const [what, deed, cause] of [
      ['a container that was killed', ['kill'], 'web-1 was killed|web: start  it exited with code 137'],
      // an engine may be found between the two
      ['a container that was removed', ['rm', '-f'], 'web-1 was (?:removed|killed)|web: create  no container'],
      ['a container that was paused', ['pause'], 'web-1 was paused|web: start  it is paused'],
    ] as const)
      test(what, async () => {
        await repaired([...deed, `${stack.name}-web-1`], async () => (await state()) === 'running 1')
        at = await watch.says(new RegExp(`⦿ .*(?:${cause})`), { from: at })
      })

    test('a container that was taken from its network', async () => {
      const deed = ['network', 'disconnect', `${stack.name}_default`, `${stack.name}-web-1`]
      await repaired(deed, async () => (await state()) === 'running 1')
      at = await watch.says(
        /⦿ (?:\S+-web-1 was disconnected from \S+_default|~ web: in place {2}networks\.default \+connected)$/m,
        {
          from: at,
        },
      )
    })

    test('limits that were edited', async () => {
      const limit = async () => (await docker('inspect', '-f', '{{.HostConfig.Memory}}', `${stack.name}-web-1`)).trim()
      const deed = ['update', '--memory', '32m', '--memory-swap', '64m', `${stack.name}-web-1`]
      await repaired(deed, async () => (await limit()) === String(64 * 1024 * 1024))
      at = await watch.says(/⦿ limits of \S+-web-1 were changed$/m, { from: at })
    })

    test('but leaves alone what was stopped by request', async () => {
      await docker('stop', `${stack.name}-db-1`)
      // something that is repaired, later than that
      await docker('kill', `${stack.name}-web-1`)
      at = await watch.says(/⦿ \S+-web-1 was killed$/m, { from: at })
      await eventually('it to run again', async () => (await state()) === 'running 1')
      assert.equal((await stack.ps()).find(({ Service }) => Service === 'db')?.State, 'exited')
      await docker('start', `${stack.name}-db-1`)
    })
  })

  test('follows what changed while it was brought up', async () => {
    const db = `db: {${sleeper}, volumes: ["./gate:/gate"], healthcheck: {test: test -e /gate/open, interval: 100ms, retries: 1000}}`
    const services = (tag: string) =>
      `services:\n  ${db}\n  web: {${sleeper}, environment: {TAG: ${tag}}, depends_on: {db: {condition: service_healthy}}}\n`
    const stack = engine.stack(services('one'))
    mkdirSync(join(stack.folder, 'gate'))
    await using watch = stack.begin('watch')
    await watch.says(/db-1 +Waiting/)
    stack.write(services('two'))
    writeFileSync(join(stack.folder, 'gate/open'), '')
    await watch.says(/^its files have changed$/m)
    await eventually('the new variable', async () => (await env(stack, 'web', 'TAG')) === 'two')
    await watch.end()
    await stack.run('down')
  })

  test('is brought up again when one of its files changes, and stays as it is while they cannot be read', async () => {
    const stack = engine.stack(
      `include: [more.yaml]\nservices:\n  web: {${sleeper}, env_file: web.env, volumes: ["data:/data"]}\nvolumes: {data: {}}\n`,
    )
    const more = (tag: string) => `services:\n  other: {${sleeper}, environment: {TAG: ${tag}}}\n`
    stack.write(more('one'), 'more.yaml')
    stack.write('TAG=one\n', 'web.env')
    await using watch = stack.begin('watch')
    let at = await watch.says(/^Watch enabled$/m)
    const id = async (service: string) => (await stack.ps()).find(({ Service }) => Service === service)?.ID
    const [web, other] = [await id('web'), await id('other')]

    stack.write('TAG=two\n', 'web.env')
    at = await watch.says(/^its files have changed$/m, { from: at })
    at = await watch.says(/^~ web: recreate +environment\.TAG/m, { from: at })
    await eventually('the new variable', async () => (await env(stack, 'web', 'TAG')) === 'two')
    assert.notEqual(await id('web'), web)
    assert.equal(await id('other'), other)

    stack.write('services:\n  other: {image: [\n', 'more.yaml')
    at = await watch.says(/more\.yaml:\d+/m, { from: at })
    at = await watch.says(/^The stack stays as it was until its files can be read$/m, { from: at })
    // the same mistake is told once
    writeFileSync(join(stack.folder, 'more.yaml'), 'services:\n  other: {image: [\n')
    await docker('kill', `${stack.name}-web-1`)
    const broken = at
    at = await watch.says(/^\S+-web-1 was killed$/m, { from: at })
    assert.doesNotMatch(watch.said.slice(broken, at), /more\.yaml/)
    assert.equal(await id('other'), other)

    stack.write(more('two'), 'more.yaml')
    at = await watch.says(/^The files of the stack can be read again$/m, { from: at })
    await eventually('the new variable', async () => (await env(stack, 'other', 'TAG')) === 'two')

    // a service and a volume that the stack has no more: the first goes, the second never
    stack.write(`include: [more.yaml]\nservices:\n  third: {${sleeper}}\n`)
    at = await watch.says(/^- web: remove/m, { from: at })
    await eventually('the third', async () => (await id('third')) !== undefined && (await id('web')) === undefined)
    assert.equal(await docker('volume', 'ls', '-q', '--filter', `name=${stack.name}_`), `${stack.name}_data`)
    assert.equal(await watch.end(), 130)
    await stack.run('down', '-v', '-y')
  })
})
