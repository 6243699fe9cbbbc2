import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { EngineBox } from './engine-box.ts'

test('a container shows the execs that are to run or run; one that has ended is found by its id until the container goes', async () => {
  await using box = await EngineBox.open()
  await box.run('web')
  const shown = async () => (await box.containers.inspect('web')).ExecIDs
  const { execs } = box.engine
  const { Id } = await execs.create('web', { Cmd: ['true'] })
  assert.deepEqual(await shown(), [Id])
  await execs.start(Id, { Detach: true })
  assert.deepEqual(await shown(), [Id])
  box.runtime.processes.at(-1)!.end(3)
  await setImmediate()
  assert.equal(await shown(), null)
  assert.equal(execs.inspect(Id).ExitCode, 3)
  await box.containers.remove('web', { force: true })
  assert.throws(() => execs.inspect(Id), { kind: 'not-found' })
})

test('an exec runs from the moment its start is asked for, before it has begun for a client that is attached', async () => {
  await using box = await EngineBox.open()
  await box.run('web')
  const { execs } = box.engine
  const { Id } = await execs.create('web', { Cmd: ['true'], AttachStdout: true })
  const state = () => [execs.inspect(Id).Running, execs.inspect(Id).ExitCode]
  assert.deepEqual(state(), [false, null])
  const session = await execs.start(Id)
  assert.deepEqual(state(), [true, null])
  await session!.begin!()
  assert.deepEqual(state(), [true, null])
  box.runtime.processes.at(-1)!.end(3)
  await setImmediate()
  assert.deepEqual(state(), [false, 3])
})

test('an exec whose container has ended cannot be resized for that reason, and not because it has ended itself', async () => {
  await using box = await EngineBox.open()
  await box.run('web')
  const { execs } = box.engine
  const { Id } = await execs.create('web', { Cmd: ['sh'], Tty: true })
  await execs.start(Id, { Detach: true })
  const size = { rows: 40, columns: 40 }
  await execs.resize(Id, size)
  box.runtime.processes.at(-1)!.end(137)
  await setImmediate()
  await assert.rejects(execs.resize(Id, size), {
    kind: 'not-found',
    message: `process does not exist ${Id}: not found`,
  })
  await box.containers.kill('web', 'SIGKILL')
  await box.containers.wait('web', { signal: new AbortController().signal })
  await assert.rejects(execs.resize(Id, size), { kind: 'conflict', message: /^container [0-9a-f]{64} is not running$/ })
})

test('no container has an empty name', async () => {
  await using box = await EngineBox.open()
  assert.throws(() => box.containers.get(''), { kind: 'invalid', message: 'invalid name or ID supplied: ""' })
})

test('a further process knows the containers that its own is linked to, as the first one does', async () => {
  await using box = await EngineBox.open()
  await box.run('db', { HostConfig: { NetworkMode: 'bridge' }, ExposedPorts: { '80/tcp': {} }, Env: ['MODE=own'] })
  await box.run('web', { HostConfig: { NetworkMode: 'bridge', Links: ['db:store'] }, Env: ['STORE_NAME=mine'] })
  const linked = () => box.runtime.processes.at(-1)!.spec.process.env.filter(entry => entry.startsWith('STORE_'))
  const first = linked()
  assert.equal(first.length, 7)
  const exec = async () => {
    const { Id } = await box.engine.execs.create('web', { Cmd: ['env'] })
    await box.engine.execs.start(Id, { Detach: true })
    return linked()
  }
  assert.deepEqual(await exec(), first)
  // a process that is sent in does not need them
  await box.containers.stop('db')
  assert.deepEqual(await exec(), ['STORE_NAME=mine'])
})

test('a new size for a process that did not start, or has ended, is refused at once', async () => {
  await using box = await EngineBox.open()
  await box.run('web')
  const { execs } = box.engine
  const size = { rows: 24, columns: 80 }
  const { Id } = await execs.create('web', { Cmd: ['true'], WorkingDir: 'relative' })
  const early = execs.resize(Id, size)
  await assert.rejects(execs.start(Id, { Detach: true }), { kind: 'invalid' })
  const notStarted = { kind: 'invalid', message: 'exec process is not started' }
  await assert.rejects(early, notStarted)
  await assert.rejects(execs.resize(Id, size), notStarted)

  const ends = await execs.create('web', { Cmd: ['true'] })
  const atOnce = execs.resize(ends.Id, size)
  await execs.start(ends.Id, { Detach: true })
  await atOnce
  const process = box.runtime.processes.at(-1)!
  assert.deepEqual(process.size, [24, 80])
  process.end(0)
  await setImmediate()
  await assert.rejects(execs.resize(ends.Id, size), { kind: 'not-found', message: /^process does not exist/ })
})
