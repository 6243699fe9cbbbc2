/** pull_policy daily, weekly, every_N: the age of an image is what the engine has written down, and the test turns that back. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { Paths } from '../../src/engine/base/paths.ts'
import { TestEngine } from '../support/engine.ts'
import { lacking, program, root } from '../support/needs.ts'
import { ownEngine } from '../support/other-engine.ts'
import { hasRegistry, startRegistry } from '../support/registry.ts'
import { busyboxFiles } from '../support/tiny-image.ts'

const image = (what: string) => ({
  files: { ...busyboxFiles(), what: `${what}\n` },
  config: { Cmd: ['sh', '-c', 'cat /what; exec sleep infinity'], StopSignal: 'SIGKILL' },
})

const policies = { daily: 24, weekly: 7 * 24, every_1h30m: 1.5 } as const

describe('pull_policy of an age', {
  skip: lacking(
    root(),
    program('busybox'),
    program('nft'),
    !hasRegistry && 'the program "docker-registry"',
    ownEngine('the age of its images is turned back on its disk'),
  ),
}, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start([])
  })
  after(() => engine.stop())

  /** All images become so much older: hours. */
  const pass = async (hours: number) => {
    await engine.halt()
    const { imageIndex } = new Paths(engine.roots)
    const index = JSON.parse(readFileSync(imageIndex, 'utf8')) as { images: { lastTagged?: number }[] }
    for (const each of index.images) if (each.lastTagged !== undefined) each.lastTagged -= hours * 3_600_000
    writeFileSync(imageIndex, JSON.stringify(index))
    await engine.boot()
  }

  for (const [policy, hours] of Object.entries(policies))
    test(`${policy}: a newer image is fetched once the one here is ${hours} hours old, and that is new again`, async () => {
      await using registry = await startRegistry()
      await registry.pushImage('app', 'latest', image('one'))
      const name = policy.replaceAll('_', '-')
      const stack = engine.stack(
        `services:\n  a: {image: "${registry.host}/app", pull_policy: ${policy}, stop_signal: SIGKILL}\n`,
        name,
      )
      const up = async () => {
        const { code, stderr } = await stack.try('up', '-d')
        assert.equal(code, 0, stderr)
        return /Pulled/i.test(stderr)
      }
      const logs = () => stack.run('logs', '--no-log-prefix')
      assert.equal(await up(), true)
      await registry.pushImage('app', 'latest', image('two'))
      assert.equal(await up(), false)
      await pass(hours - 0.1)
      assert.equal(await up(), false)
      assert.match(await logs(), /one/)
      await pass(0.2)
      assert.equal(await up(), true)
      assert.match(await logs(), /two/)
      assert.equal(await up(), false)
      // the same image again: asked for, found the same, and good for as long once more
      await pass(hours + 0.1)
      assert.equal(await up(), true)
      assert.equal(await up(), false)
      await stack.run('down')
    })
})
