import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApplyEvent } from '../../src/apply/events.ts'
import { PlanFailure } from '../../src/apply/plan-failure.ts'
import { run as runPlan } from '../../src/apply/run.ts'
import { Failure, isFailure } from '../../src/lib/failure.ts'
import { EnginePlan } from '../../src/targets/engine/engine-plan.ts'
import type { Operation } from '../../src/targets/engine/operation.ts'
import { eventually } from '../support/eventually.ts'
import { FakeClient, inspect, settled } from '../targets/engine/fake-client.ts'
import { create, on, run, start, wait } from '../targets/engine/plans.ts'

test('run() never has more calls in flight than `parallel`, and reaches that many', async () => {
  const client = new FakeClient({ containerStart: settled })
  const plan = new EnginePlan()
  for (let i = 0; i < 100; i++) plan.add(start(`c${i}`))
  await run(plan, client, { parallel: 7 })
  assert.equal(client.most, 7)
  assert.equal(client.calls.length, 100)
})

test('run() brings up a chain of 200 that wait for each other’s health with `parallel: 1`', async () => {
  const client: FakeClient = new FakeClient({
    containerStart: ({ params }) => {
      setImmediate(() => client.emit(params!['id']!, 'health_status: healthy'))
    },
    containerInspect: ({ params }) => inspect(params!['id']!, { Health: { Status: 'starting' } }),
  })
  const plan = new EnginePlan()
  let last: number[] = []
  for (let i = 0; i < 200; i++) last = [plan.add(wait(`c${i}`), [plan.add(start(`c${i}`), last)])]
  await run(plan, client, { parallel: 1 })
  const starts = client.calls.filter(call => call.startsWith('containerStart'))
  assert.deepEqual(
    starts,
    Array.from({ length: 200 }, (_, i) => `containerStart c${i}`),
  )
  assert.equal(client.listeners, 0)
})

test('run() uses one subscription to events for all waits, and none without waits', async () => {
  let most = 0
  const client: FakeClient = new FakeClient({
    containerStart: () => (most = Math.max(most, client.listeners)),
    containerInspect: ({ params }) => {
      most = Math.max(most, client.listeners)
      return inspect(params!['id']!, { Health: { Status: 'healthy' } })
    },
  })
  const alone = new EnginePlan()
  alone.add(start('a'))
  await run(alone, client)
  assert.equal(most, 0)
  const plan = new EnginePlan()
  for (const name of ['a', 'b', 'c']) plan.add(wait(name), [plan.add(start(name))])
  await run(plan, client)
  assert.equal(most, 1)
})

test('run() hands the result of a node to those that refer to it', async () => {
  const bodies: unknown[] = []
  const client = new FakeClient({
    containerCreate: ({ query, body }) => {
      bodies.push(body)
      return { Id: `id-of-${query!['name']}`, Warnings: [] }
    },
    containerStart: () => undefined,
  })
  const plan = new EnginePlan()
  const vpn = plan.add(create('vpn'))
  const late = [
    { path: ['HostConfig', 'NetworkMode'], ref: { node: vpn }, before: 'container:', after: '' },
    { path: ['HostConfig', 'VolumesFrom'], ref: { node: vpn }, before: '', after: ':ro', list: true },
  ]
  const web = plan.add({ ...create('web'), late } as Operation, [vpn])
  plan.add({ ...start('web'), container: { node: web } } as Operation, [web])
  await run(plan, client)
  assert.deepEqual(bodies[1], {
    Image: 'busybox',
    HostConfig: { NetworkMode: 'container:id-of-vpn', VolumesFrom: ['id-of-vpn:ro'] },
  })
  assert.equal(client.calls.at(-1), 'containerStart id-of-web')
})

test('run() starts nothing new after a failure, lets what runs finish, and reports dependents as skipped once', async () => {
  const gate = Promise.withResolvers<void>()
  const client = new FakeClient({
    containerStart: async ({ params }) => {
      if (params!['id'] === 'bad') throw new Failure('conflict', 'port is already allocated', { hint: 'Free it' })
      await gate.promise
    },
  })
  const plan = new EnginePlan()
  const bad = plan.add(start('bad'))
  const slow = plan.add(start('slow'))
  const child = plan.add(start('child'), [bad])
  plan.add(start('grandchild'), [child])
  plan.add(start('later'), [slow])
  const events: ApplyEvent[] = []
  const running = run(plan, client, { onEvent: event => events.push(event) })
  await settled()
  gate.resolve()
  await assert.rejects(running, (error: unknown) => {
    assert.ok(isFailure(error, 'conflict'))
    assert.equal(error.message, 'Cannot start container "bad": port is already allocated')
    assert.equal(error.hint, 'Free it')
    return true
  })
  assert.deepEqual(client.calls, ['containerStart bad', 'containerStart slow'])
  assert.deepEqual(
    events.map(
      e => `${e.kind} ${e.node.operation.name}${e.kind === 'skipped' ? ` by ${e.because?.operation.name}` : ''}`,
    ),
    [
      'started bad',
      'started slow',
      'failed bad',
      'done slow',
      'skipped child by bad',
      'skipped grandchild by bad',
      'skipped later by undefined',
    ],
  )
})

test('run() throws all failures of what ran side by side', async () => {
  const client = new FakeClient({
    containerStart: async ({ params }) => {
      await settled()
      throw new Failure('not-found', `no ${params!['id']}`)
    },
  })
  const plan = new EnginePlan()
  plan.add(start('a'))
  plan.add(start('b'))
  await assert.rejects(run(plan, client, { parallel: 2 }), {
    kind: 'not-found',
    message: 'Cannot start container "a": no a\nCannot start container "b": no b',
  })
})

test('run() says who waited and why it ended when a dependency turns unhealthy', async () => {
  const log = [{ Start: '', End: '', ExitCode: 1, Output: 'connection refused\n' }]
  const client: FakeClient = new FakeClient({
    containerStart: ({ params }) => {
      if (params!['id'] === 'db') setImmediate(() => client.emit('db', 'health_status: unhealthy'))
    },
    containerInspect: () =>
      inspect('db', { Health: client.calls.length < 3 ? { Status: 'starting' } : { Status: 'unhealthy', Log: log } }),
  })
  const plan = new EnginePlan()
  plan.add(start('web'), [plan.add(wait('db'), [plan.add(start('db'))])])
  await assert.rejects(run(plan, client), {
    message: 'dependency failed to start: container db is unhealthy: its check ended with 1: connection refused',
  })
  assert.ok(!client.calls.includes('containerStart web'))
})

test('run() goes on with a warning when a dependency that is not required does not become healthy', async () => {
  const client = new FakeClient({
    containerStart: () => undefined,
    containerInspect: () => inspect('db', { Status: 'exited', ExitCode: 3 }),
  })
  const plan = new EnginePlan()
  plan.add(start('web'), [plan.add(wait('db', 'healthy', false))])
  const warnings: string[] = []
  await run(plan, client, { onEvent: event => event.kind === 'warning' && warnings.push(event.text) })
  assert.deepEqual(warnings, ['optional dependency "db" failed to start: container db exited (3)'])
  assert.ok(client.calls.includes('containerStart web'))
})

test('run() ends waits and starts nothing new when its signal fires', async () => {
  const stop = new AbortController()
  const client = new FakeClient({
    containerInspect: () => inspect('db', { Health: { Status: 'starting' } }),
    containerStart: () => undefined,
  })
  const plan = new EnginePlan()
  plan.add(start('web'), [plan.add(wait('db'))])
  const events: string[] = []
  const running = run(plan, client, {
    signal: stop.signal,
    onEvent: e => events.push(`${e.kind} ${e.node.operation.name}`),
  })
  await settled()
  stop.abort()
  await assert.rejects(running, { kind: 'cancelled' })
  assert.deepEqual(events, ['started db', 'skipped db', 'skipped web'])
  assert.equal(client.listeners, 0)
})

test('run() tells one failure alone where it ends a wait that says so by an AbortError', async () => {
  const plan = new EnginePlan()
  plan.add(start('web'))
  plan.add(wait('db'))
  const failing = Promise.withResolvers<void>()
  const error = await runPlan(plan, {
    perform: async ({ name }, { signal }) => {
      if (name === 'db') {
        failing.resolve()
        await new Promise(done => signal.addEventListener('abort', done))
        signal.throwIfAborted()
      }
      await failing.promise
      throw new Failure('invalid', 'no such thing')
    },
  }).catch((thrown: unknown) => thrown)
  assert.ok(error instanceof PlanFailure)
  assert.deepEqual(
    error.failed.map(({ node }) => node.operation.name),
    ['web'],
  )
})

test('run() gives up waiting after `waitTimeout` and says what was not reached', async () => {
  const client = new FakeClient({ containerInspect: () => inspect('db', { Health: { Status: 'starting' } }) })
  const plan = new EnginePlan()
  plan.add(wait('db'))
  const error = await run(plan, client, { waitTimeout: 5 }).catch((thrown: unknown) => thrown)
  assert.ok(error instanceof PlanFailure)
  assert.equal(error.kind, 'unavailable')
  assert.equal(error.message, 'container db is not healthy after 0.005 s')
  assert.deepEqual(
    error.failed.map(({ late }) => late),
    [true],
  )
})

test('run() refuses 1,000 calls at once, and none', async () => {
  for (const parallel of [0, -1, 1000, 1.5])
    await assert.rejects(run(new EnginePlan(), new FakeClient({}), { parallel }), { kind: 'invalid' })
})

test('run() takes what is already gone for removed, and a container that ended for killed', async () => {
  const missing = () => {
    throw new Failure('not-found', 'No such container: a')
  }
  const ended = () => {
    throw new Failure('conflict', 'container a is not running')
  }
  const client = new FakeClient({ containerRemove: missing, containerStop: missing, containerKill: ended })
  const plan = new EnginePlan()
  const stop = plan.add({ kind: 'stop-container', ...on('a'), timeout: undefined })
  plan.add({ kind: 'remove-container', ...on('a'), force: false, volumes: false }, [stop])
  plan.add({ kind: 'kill-container', ...on('a'), signal: 'SIGKILL' })
  await run(plan, client)
})

test('run() asks again, woken by what happens to the container, when an engine says that its init is still running', async () => {
  let tries = 0
  const client: FakeClient = new FakeClient({
    containerRestart: () => {
      if (tries++ > 0) return
      // it happens before anybody could ask to be told
      client.emit('a', 'die')
      throw new Failure('internal', 'container init still running')
    },
    containerInspect: () => inspect('b', { Health: { Status: 'starting' } }),
  })
  const plan = new EnginePlan()
  // its subscription is open then
  plan.add(wait('b'))
  plan.add({ kind: 'restart-container', ...on('a'), timeout: 1 })
  const begun = Date.now()
  const walk = run(plan, client)
  await eventually('the second try', () => tries === 2)
  assert.ok(Date.now() - begun < 400)
  client.emit('b', 'health_status: healthy')
  await walk
  assert.deepEqual(
    client.calls.filter(call => call.startsWith('containerRestart')),
    ['containerRestart a', 'containerRestart a'],
  )
})

test('run() takes it well when somebody else has renamed the container just so', async () => {
  const client = new FakeClient({
    containerRename: () => {
      throw new Failure('invalid', 'Renaming a container with the same name as its current name')
    },
    containerInspect: ({ params }) => ({ Name: params!['id'] === 'web' ? '/web' : '/other' }),
  })
  const plan = new EnginePlan()
  plan.add({ kind: 'rename-container', ...on('web') })
  await run(plan, client)
  const other = new EnginePlan()
  other.add({ kind: 'rename-container', ...on('db') })
  await assert.rejects(run(other, client), /same name/)
})

test('run() does not take a container for ready that ends just after its start', async () => {
  let looks = 0
  const client: FakeClient = new FakeClient({
    containerInspect: ({ params }) => {
      if (looks++ > 0) return inspect(params!['id']!, { Status: 'exited', ExitCode: 3 })
      setImmediate(() => client.emit('web', 'die'))
      return inspect(params!['id']!, { StartedAt: new Date().toISOString() })
    },
  })
  const plan = new EnginePlan()
  plan.add(wait('web', 'ready'))
  await assert.rejects(run(plan, client), { message: 'container web exited (3)' })
})
