/** `deploy.restart_policy` and jobs, as our engine honours them. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { endpoints } from '../../src/api/endpoints.ts'
import { createClient } from '../../src/client/client.ts'
import { type Stack, TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, program, root } from '../support/needs.ts'
import { ownEngine } from '../support/other-engine.ts'
import { patience } from '../support/patience.ts'

/** Why a test cannot be on another's engine. */
const counts = lacking(
  ownEngine('a Docker Engine counts starts after failures alone, and knows neither delay nor window'),
)

describe('deploy', { skip: lacking(root(), program('busybox'), program('nft')), timeout: 120_000 * patience }, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
  })
  after(() => engine.stop())

  const service = (command: string, deploy: string) =>
    engine.stack(`services:\n  a:\n    image: busybox\n    command: ${command}\n    deploy: {${deploy}}\n`)

  /** Once it has ended for good. */
  async function ended(stack: Stack): Promise<{ readonly restarts: number; readonly code: number }> {
    const client = createClient(engine.host)
    try {
      return await eventually('its end', async () => {
        const id = (await stack.ps())[0]!['ID'] as string
        const { State, RestartCount } = await client.call(endpoints.containerInspect, { params: { id } })
        return State.Status === 'exited' && { restarts: RestartCount, code: State.ExitCode }
      })
    } finally {
      client.close()
    }
  }

  const policies = [
    ['any, as often as max_attempts says', 'any', '"true"', 2, 0],
    ['on-failure, as often as max_attempts says', 'on-failure', '"false"', 2, 1],
    ['on-failure, not after success', 'on-failure', '"true"', 0, 0],
    ['none', 'none', '"false"', 0, 1],
  ] as const
  for (const [title, condition, command, restarts, code] of policies)
    test(`restart_policy ${title}`, { skip: condition === 'any' && counts }, async () => {
      const stack = service(command, `restart_policy: {condition: ${condition}, max_attempts: 2}`)
      await stack.run('up', '-d')
      assert.deepEqual(await ended(stack), { restarts, code })
      await stack.run('down')
    })

  test('restart_policy.delay is waited before each attempt', { skip: counts }, async () => {
    const stack = service(
      'sh -c "date +%s%N; exit 1"',
      'restart_policy: {condition: any, delay: 700ms, max_attempts: 2}',
    )
    await stack.run('up', '-d')
    await ended(stack)
    const lines = (await stack.run('logs', '--no-log-prefix', '-t', 'a')).trim().split('\n')
    const times = lines.map(line => Date.parse(line.split(' ')[0]!))
    assert.equal(times.length, 3)
    for (const [i, time] of times.slice(1).entries()) assert.ok(time - times[i]! >= 690, lines.join('\n'))
    await stack.run('down')
  })

  test('restart_policy.window: an attempt that runs for so long is no failed one', { skip: counts }, async () => {
    // the second run, of four, is a long one
    const long = `sh -c 'echo >>/runs; [ $$(wc -l </runs) != 2 ] || sleep 1; exit 1'`
    const stack = service(
      JSON.stringify(long),
      'restart_policy: {condition: on-failure, window: 900ms, max_attempts: 2}',
    )
    await stack.run('up', '-d')
    assert.deepEqual(await ended(stack), { restarts: 3, code: 1 })
    await stack.run('down')
  })

  test('replicated-job runs to its end, so many at once, and is not run again by the next up', async () => {
    const stack = service('sleep 0.3', 'mode: replicated-job, replicas: 3, update_config: {parallelism: 1}')
    await stack.run('up', '--wait')
    const all = await stack.ps()
    assert.deepEqual(
      all.map(({ State, ExitCode }) => [State, ExitCode]),
      [1, 2, 3].map(() => ['exited', 0]),
    )
    assert.match(await stack.run('plan'), /no changes/)
    await stack.run('up', '-d')
    assert.deepEqual(
      (await stack.ps()).map(({ ID }) => ID),
      all.map(({ ID }) => ID),
    )
    await stack.run('down')
  })

  test('global-job is one on one machine, and is run again when it fails, as restart_policy says', async () => {
    const stack = service('"false"', 'mode: global-job, restart_policy: {condition: any, max_attempts: 1}')
    const { code, stderr } = await stack.try('up', '--wait')
    assert.equal(code, 1)
    assert.match(stderr, /didn't complete successfully: exit 1/)
    assert.deepEqual(await ended(stack), { restarts: 1, code: 1 })
    await stack.run('down')
  })
})
