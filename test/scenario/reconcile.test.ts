/** What up changes, and what it leaves alone. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { TestEngine } from '../support/engine.ts'
import { lacking, program, root } from '../support/needs.ts'
import { patience } from '../support/patience.ts'

const sleeper = 'image: busybox, command: sleep infinity, stop_signal: SIGKILL'

describe('up', { skip: lacking(root(), program('busybox'), program('nft')) }, () => {
  let engine: TestEngine
  before(async () => {
    engine = await TestEngine.start()
  })
  after(() => engine.stop())

  test('changes nothing the second time and says so', async () => {
    const stack = engine.stack(`services:\n  a: {${sleeper}}\n  b: {${sleeper}, depends_on: [a]}\n`)
    await stack.run('up', '-d')
    const first = await stack.ps()
    const again = await stack.try('up', '-d')
    assert.equal(again.code, 0)
    assert.match(again.stderr, /^ Container \S+ {2}Running$/m)
    assert.deepEqual(
      (await stack.ps()).map(c => c.ID),
      first.map(c => c.ID),
    )
    assert.match(await stack.run('plan'), /^no changes/m)
    await stack.run('down')
  })

  test('recreates only the service whose environment changed, after plan named service and field', async () => {
    const yaml = (tag: string): string =>
      `services:\n  a: {${sleeper}, environment: {TAG: ${tag}}}\n  b: {${sleeper}}\n`
    const stack = engine.stack(yaml('one'))
    await stack.run('up', '-d')
    const ids = async (): Promise<Record<string, unknown>> =>
      Object.fromEntries((await stack.ps()).map(c => [c.Service, c.ID]))
    const before = await ids()
    stack.write(yaml('two'))
    const plan = await stack.run('plan')
    assert.equal(plan, '~ a: recreate  environment.TAG one→two\n1 to recreate\n')
    await stack.run('up', '-d')
    const after = await ids()
    assert.notEqual(after.a, before.a)
    assert.equal(after.b, before.b)
    assert.match(await stack.run('exec', '-T', 'a', 'env'), /^TAG=two$/m)
    await stack.run('down')
  })

  test('scales up and down, removes orphans when asked, and down -v removes the volume', async () => {
    const stack = engine.stack(
      `services:\n  a: {${sleeper}, volumes: ["data:/data"]}\n  gone: {${sleeper}}\nvolumes: {data: {}}\n`,
    )
    await stack.run('up', '-d', '--scale', 'a=3')
    assert.equal((await stack.ps()).filter(c => c.Service === 'a').length, 3)
    stack.write(`services:\n  a: {${sleeper}, volumes: ["data:/data"]}\nvolumes: {data: {}}\n`)
    await stack.run('up', '-d', '--remove-orphans')
    const containers = await stack.ps()
    assert.deepEqual(
      containers.map(c => c.Service),
      ['a'],
    )
    await stack.run('exec', '-T', 'a', 'sh', '-c', 'echo kept > /data/file')
    await stack.run('down')
    await stack.run('up', '-d')
    assert.equal(await stack.run('exec', '-T', 'a', 'cat', '/data/file'), 'kept\n')
    await stack.run('down', '-v')
    const volumes = await engine.docker([
      'volume',
      'ls',
      '-q',
      '--filter',
      `label=com.docker.compose.project=${stack.name}`,
    ])
    assert.equal(volumes.stdout, '')
  })

  test('brings a chain of 200 services up one operation at a time', { timeout: 180_000 * patience }, async () => {
    const services = Array.from(
      { length: 200 },
      (_, i) => `  s${i}: {${sleeper}${i > 0 ? `, depends_on: [s${i - 1}]` : ''}}\n`,
    )
    const stack = engine.stack(`services:\n${services.join('')}`)
    await stack.run('up', '-d', '--parallel', '1')
    assert.equal((await stack.ps()).filter(c => c.State === 'running').length, 200)
    await stack.run('down')
  })

  test('waits for healthy and for completed before it starts who needs them', async () => {
    const stack = engine.stack(
      `
services:
  db:
    ${sleeper.replaceAll(', ', '\n    ')}
    healthcheck: {test: "test -e /ready", interval: 100ms, start_period: 5s, start_interval: 100ms}
    command: sh -c 'sleep 0.5; touch /ready; exec sleep infinity'
  migrate: {image: busybox, command: "true", depends_on: {db: {condition: service_healthy}}}
  web: {${sleeper}, depends_on: {migrate: {condition: service_completed_successfully}}}
`.replace('    command: sleep infinity\n', ''),
    )
    await stack.run('up', '-d')
    const containers = await stack.ps()
    const of = (service: string): Record<string, unknown> => containers.find(c => c.Service === service)!
    assert.equal(of('db').Health, 'healthy')
    assert.equal(of('migrate').ExitCode, 0)
    assert.equal(of('web').State, 'running')
    await stack.run('down')
  })
})
