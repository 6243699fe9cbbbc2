import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../../src/lib/failure.ts'
import { EnginePlan } from '../../../../src/targets/engine/engine-plan.ts'
import type { Operation } from '../../../../src/targets/engine/operation.ts'
import { FakeClient } from '../fake-client.ts'
import { create, on, run, start } from '../plans.ts'

function hookOf(phase: 'post_start' | 'pre_stop'): Operation {
  const hook = {
    command: ['prepare', 'now'],
    environment: ['A=b'],
    user: 'nobody',
    workingDir: '/srv',
    privileged: true,
  }
  return { kind: 'run-hook', phase, hook, ...on('web') }
}

async function* printed(text: string) {
  yield { stream: 'stdout', data: Buffer.from(text) }
}

test('run() runs a hook by exec as the stack says, shows what it prints, and fails with its code', async () => {
  const bodies: unknown[] = []
  const lines: string[] = []
  const client = new FakeClient({
    execCreate: ({ body }) => {
      bodies.push(body)
      return { Id: 'e' }
    },
    execStart: () => printed('one\ntwo\n'),
    execInspect: () => ({ ExitCode: bodies.length === 1 ? 0 : 4 }),
  })
  const plan = new EnginePlan()
  plan.add(hookOf('post_start'))
  await run(plan, client, { onEvent: e => e.kind === 'output' && lines.push(e.text) })
  assert.deepEqual(lines, ['one', 'two'])
  assert.deepEqual(bodies[0], {
    Cmd: ['prepare', 'now'],
    Env: ['A=b'],
    User: 'nobody',
    WorkingDir: '/srv',
    Privileged: true,
    AttachStdout: true,
    AttachStderr: true,
  })
  await assert.rejects(run(plan, client), { message: 'web hook exited with status 4: one / two' })
})

test('run() goes on with a stop when its container has ended before the hook', async () => {
  const client = new FakeClient({
    execCreate: () => {
      throw new Failure('conflict', 'container web is not running')
    },
    containerStop: () => undefined,
  })
  const plan = new EnginePlan()
  plan.add({ kind: 'stop-container', ...on('web'), timeout: undefined }, [plan.add(hookOf('pre_stop'))])
  await run(plan, client)
  assert.equal(client.calls.at(-1), 'containerStop web')
  const late = new EnginePlan()
  late.add(hookOf('post_start'))
  await assert.rejects(run(late, client), { message: 'container web is not running' })
})

test('run() takes over a network and a container that somebody else made at the same time, and nothing of anybody else', async () => {
  const labels = { 'com.docker.compose.project': 'shop', 'com.docker.compose.config-hash': 'h' }
  const inUse = (): never => {
    throw new Failure('conflict', 'already exists')
  }
  const client = new FakeClient({
    networkCreate: inUse,
    networkInspect: () => ({ Id: 'net', Name: 'n', Labels: labels }),
    containerCreate: inUse,
    containerInspect: ({ params }) => {
      const name = params!['id']!
      const own = name === 'foreign' ? {} : labels
      return { Id: `id of ${name}`, Name: `/${name}`, Config: { Labels: own } }
    },
    containerStart: () => undefined,
  })
  const plan = new EnginePlan()
  plan.add({ kind: 'create-network', cause: '', name: 'n', body: { Name: 'n', Labels: labels } })
  const ours = { ...create('web'), body: { Labels: labels } } as Operation
  plan.add({ ...start('web'), container: { node: plan.add(ours) } } as Operation, [2])
  await run(plan, client)
  assert.equal(client.calls.at(-1), 'containerStart id of web')
  const other = new EnginePlan()
  other.add({ ...create('foreign'), body: { Labels: labels } } as Operation)
  await assert.rejects(run(other, client), {
    kind: 'conflict',
    message: 'Cannot create container "foreign": already exists',
  })
})

test('run() pulls by name and tag, tells progress over all layers, and gives the image’s id', async () => {
  const progress: unknown[] = []
  const client = new FakeClient({
    imageCreate: async function* ({ query }) {
      assert.deepEqual(query, { fromImage: 'localhost:5000/a', tag: 'latest', platform: undefined })
      yield { status: 'Downloading', id: 'l1', progressDetail: { current: 5, total: 10 } }
      yield { status: 'Downloading', id: 'l2', progressDetail: { current: 1, total: 20 } }
      yield { status: 'Pull complete', id: 'l1', progressDetail: {} }
    },
    imageInspect: () => ({ Id: 'sha256:9' }),
  })
  const plan = new EnginePlan()
  plan.add({ kind: 'pull-image', cause: '', name: 'localhost:5000/a', platform: undefined, services: [] })
  await run(plan, client, {
    onEvent: e => e.kind === 'progress' && progress.push([e.text, e.current, e.total]),
  })
  assert.deepEqual(progress, [
    ['Downloading', 5, 10],
    ['Downloading', 6, 30],
    ['Pull complete', 11, 30],
  ])
})

test('run() reports the error line of a pull as the failure', async () => {
  const client = new FakeClient({
    imageCreate: async function* () {
      yield { error: 'manifest unknown', errorDetail: { message: 'manifest for x:1 not found' } }
    },
  })
  const plan = new EnginePlan()
  plan.add({ kind: 'pull-image', cause: '', name: 'x:1', platform: undefined, services: [] })
  await assert.rejects(run(plan, client), { message: 'Cannot pull image "x:1": manifest for x:1 not found' })
})
