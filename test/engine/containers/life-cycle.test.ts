import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shownStatus } from '../../../src/engine/containers/state.ts'
import { Failure } from '../../../src/lib/failure.ts'
import type { ContainerSpec } from '../../../src/runtime/spec.ts'
import { eventually } from '../../support/eventually.ts'
import { EngineBox } from './engine-box.ts'

const failure = (kind: string, message: string | RegExp) => (error: unknown) => {
  assert.ok(error instanceof Failure, String(error))
  assert.equal(error.kind, kind)
  if (typeof message === 'string') assert.equal(error.message, message)
  else assert.match(error.message, message)
  return true
}

test('a container is created, started, stopped and removed, and each step is told in order', async () => {
  await using box = await EngineBox.open()
  const id = await box.create('web')
  assert.equal((await box.containers.inspect('web')).State.Status, 'created')
  await box.containers.start('web')
  assert.equal((await box.containers.inspect('web')).State.Pid, box.runtime.last.pid)
  await box.containers.stop('web')
  const { State } = await box.containers.inspect(id)
  assert.deepEqual([State.Status, State.ExitCode, State.Pid], ['exited', 143, 0])
  await box.containers.remove('web')
  assert.deepEqual(box.events, ['create', 'start', 'kill', 'die 143', 'stop', 'destroy'])
  await assert.rejects(() => box.containers.inspect(id), failure('not-found', `No such container: ${id}`))
})

test('start answers not-modified when the container runs, stop when it does not', async () => {
  await using box = await EngineBox.open()
  await box.run('web')
  await assert.rejects(box.containers.start('web'), failure('not-modified', /already running/))
  await box.containers.stop('web')
  await assert.rejects(box.containers.stop('web'), failure('not-modified', /not running/))
})

test('stop sends the stop signal and SIGKILL after the grace', async () => {
  await using box = await EngineBox.open()
  await box.run('web', { StopSignal: 'SIGINT' })
  box.runtime.last.deadly = []
  await box.containers.stop('web', { timeout: 0 })
  assert.deepEqual(box.runtime.last.signals, [2, 9])
  assert.equal((await box.containers.inspect('web')).State.ExitCode, 137)
})

test('kill reaches a container that a stop is waiting for', async () => {
  await using box = await EngineBox.open()
  await box.run('web')
  box.runtime.last.deadly = []
  const stopped = box.containers.stop('web', { timeout: -1 })
  await eventually('the first signal', () => box.runtime.last.signals.length === 1)
  await box.containers.kill('web')
  await stopped
  assert.deepEqual(box.runtime.last.signals, [15, 9])
})

test('kill refuses an unknown signal and a container that does not run, in the words of Docker', async () => {
  await using box = await EngineBox.open()
  const id = await box.run('web')
  await assert.rejects(
    box.containers.kill('web', 'NOPE'),
    failure('invalid', 'cannot kill container: web: invalid signal: NOPE'),
  )
  await box.containers.stop('web')
  await assert.rejects(
    box.containers.kill('web'),
    failure('conflict', `cannot kill container: web: container ${id} is not running`),
  )
})

test('a failed start leaves a created container with the exit code and the reason, and nothing of its network', async () => {
  await using box = await EngineBox.open()
  box.runtime.onStart = () => {
    throw new Failure('invalid', 'exec: "/entry": stat /entry: no such file or directory', { exitCode: 127 })
  }
  await box.create('web')
  const message = 'failed to create task for container: exec: "/entry": stat /entry: no such file or directory'
  await assert.rejects(box.containers.start('web'), failure('invalid', message))
  const { State, NetworkSettings } = await box.containers.inspect('web')
  assert.deepEqual([State.Status, State.ExitCode, State.Error], ['created', 127, message])
  assert.equal(NetworkSettings.SandboxKey, '')
  assert.deepEqual(
    box.runtime.operations.map(({ kind }) => kind),
    ['delete-sandbox'],
  )
  assert.deepEqual(box.events, ['create'])
})

test('pause freezes, exec is refused meanwhile, unpause thaws', async () => {
  await using box = await EngineBox.open()
  const id = await box.run('web')
  await box.containers.pause('web')
  assert.deepEqual([...box.runtime.frozen], [box.engine.paths.name.cgroup(id)])
  assert.equal((await box.containers.list())[0]!.State, 'paused')
  await assert.rejects(
    box.engine.execs.create('web', { Cmd: ['true'] }),
    failure('conflict', 'Container web is paused, unpause the container before exec'),
  )
  await assert.rejects(box.containers.pause('web'), failure('conflict', `Container ${id} is already paused`))
  await box.containers.unpause('web')
  assert.equal(box.runtime.frozen.size, 0)
  await assert.rejects(box.containers.unpause('web'), failure('internal', `Container ${id} is not paused`))
})

test('a paused container that is stopped is thawed, so that it sees the signal', async () => {
  await using box = await EngineBox.open()
  await box.run('web')
  box.runtime.last.deadly = []
  await box.containers.pause('web')
  await box.containers.stop('web', { timeout: 0 })
  assert.equal(box.runtime.frozen.size, 0)
})

test('one that is killed has its quota of processor time taken away, and one that is only told to end keeps it', async () => {
  for (const limited of [{ NanoCpus: 1e7 }, { CpuQuota: 1000 }, {}]) {
    await using box = await EngineBox.open()
    const id = await box.run('web', { HostConfig: limited })
    const group = box.engine.paths.name.cgroup(id)
    await box.containers.kill('web', 'SIGUSR1')
    assert.deepEqual([...box.runtime.unthrottled], [])
    await box.containers.kill('web')
    assert.deepEqual([...box.runtime.unthrottled], Object.keys(limited).length > 0 ? [group] : [])
  }
})

test('remove refuses a running container unless forced', async () => {
  await using box = await EngineBox.open()
  await box.run('web')
  await assert.rejects(
    box.containers.remove('web'),
    failure(
      'conflict',
      'cannot remove container "web": container is running: stop the container before removing or force remove',
    ),
  )
  await box.containers.remove('web', { force: true })
  assert.deepEqual(await box.containers.list({ all: true }), [])
})

test('an exit by itself is recorded before die is told', async () => {
  await using box = await EngineBox.open()
  const id = await box.run('job')
  let seen: number | undefined
  box.engine.events.listen(({ action }) => {
    if (action === 'die') seen = box.containers.get(id).state.exitCode
  })
  box.runtime.last.end(3)
  await eventually('die', () => seen !== undefined)
  assert.equal(seen, 3)
})

test('wait answers at the exit of a container that is restarted by policy, as with Docker', async () => {
  await using box = await EngineBox.open()
  const policy = { Name: 'on-failure', MaximumRetryCount: 5 }
  await box.run('job', { HostConfig: { RestartPolicy: policy } })
  const { signal } = new AbortController()
  const waiting = Array.fromAsync(box.containers.wait('job', { condition: 'not-running', signal }))
  box.runtime.last.end(3)
  assert.equal((await waiting)[0]!.StatusCode, 3)
  await box.containers.stop('job')
})

test('wait answers with the exit code: at once when it does not run, at the next exit otherwise', async () => {
  await using box = await EngineBox.open()
  const { signal } = new AbortController()
  const first = async (condition: string) => {
    for await (const reply of box.containers.wait('job', { condition, signal })) return reply.StatusCode
    return undefined
  }
  await box.create('job')
  assert.equal(await first('not-running'), 0)
  const next = first('next-exit')
  await box.containers.start('job')
  box.runtime.last.end(7)
  assert.equal(await next, 7)
  const removed = first('removed')
  await box.containers.remove('job')
  assert.equal(await removed, 7)
})

test('AutoRemove takes the container and its anonymous volumes away after the exit', async () => {
  await using box = await EngineBox.open()
  const id = await box.run('job', { Volumes: { '/cache': {} }, HostConfig: { AutoRemove: true } })
  assert.equal(box.engine.volumes.list().length, 1)
  const { removed } = box.containers.get(id)
  box.runtime.last.end(0)
  await removed
  assert.equal(box.containers.find(id), undefined)
  assert.equal(box.engine.volumes.list().length, 0)
})

test('an AutoRemove container is gone when its stop has returned', async () => {
  await using box = await EngineBox.open()
  const id = await box.run('job', { Volumes: { '/cache': {} }, HostConfig: { AutoRemove: true } })
  await box.containers.stop('job')
  assert.equal(box.containers.find(id), undefined)
  assert.equal(box.engine.volumes.list().length, 0)
})

test('on-failure restarts so many times, keeps the sandbox meanwhile, and then gives it back', async () => {
  await using box = await EngineBox.open()
  await box.create('job', { HostConfig: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } } })
  box.runtime.onStart = process => queueMicrotask(() => process.end(4))
  await box.containers.start('job')
  await eventually(
    'the last exit',
    () => box.runtime.processes.length === 3 && box.containers.get('job').state.status === 'exited',
  )
  const { RestartCount, State } = await box.containers.inspect('job')
  assert.deepEqual([RestartCount, State.ExitCode], [2, 4])
  const networks = box.runtime.processes.map(({ spec }) => (spec as ContainerSpec).network.kind)
  assert.deepEqual(networks, ['create', 'join', 'join'])
  await eventually('the sandbox to go', () => box.runtime.operations.some(({ kind }) => kind === 'delete-sandbox'))
})

test('a container that was stopped on purpose is not restarted', async () => {
  await using box = await EngineBox.open()
  await box.run('web', { HostConfig: { RestartPolicy: { Name: 'always' } } })
  await box.containers.stop('web')
  assert.equal(box.containers.get('web').state.status, 'exited')
  assert.equal(box.containers.get('web').restart, undefined)
})

test('stop between two runs ends the restarting and gives the network back', async () => {
  await using box = await EngineBox.open()
  await box.run('job', { HostConfig: { RestartPolicy: { Name: 'always' } } })
  box.runtime.last.end(1)
  await eventually('the exit', () => box.containers.get('job').state.status === 'restarting')
  await box.containers.stop('job')
  const { state } = box.containers.get('job')
  assert.deepEqual([state.status, state.sandbox], ['exited', undefined])
  assert.ok(box.runtime.operations.some(({ kind }) => kind === 'delete-sandbox'))
  assert.equal(box.runtime.processes.length, 1)
})

test('restart stops and starts again in the same sandbox, and does not remove an AutoRemove container', async () => {
  await using box = await EngineBox.open()
  const id = await box.run('web', { HostConfig: { AutoRemove: true } })
  await box.containers.restart('web')
  assert.equal(box.containers.get('web').id, id)
  assert.equal((box.runtime.last.spec as ContainerSpec).network.kind, 'join')
  assert.deepEqual(box.events.slice(-4), ['die 143', 'stop', 'start', 'restart'])
})

test('a container that restart turns is seen to restart, and never to have ended', async () => {
  await using box = await EngineBox.open()
  await box.run('web')
  const seen: string[] = []
  const look = () => {
    const { state } = box.containers.get('web')
    seen.push(shownStatus(state))
  }
  box.engine.events.listen(({ type, action }) => {
    if (type === 'container' && ['die', 'stop', 'start'].includes(action)) look()
  })
  box.runtime.onStart = look
  await box.containers.restart('web')
  assert.deepEqual(seen, ['restarting', 'restarting', 'restarting', 'running'])
  box.runtime.onStart = () => {
    throw new Failure('internal', 'no such program')
  }
  await assert.rejects(box.containers.restart('web'), /Cannot restart container web/)
  assert.equal(box.containers.get('web').state.status, 'exited')
})

test('network_mode container:x joins the sandbox of x, which stays until the last of both has ended', async () => {
  await using box = await EngineBox.open()
  const id = await box.run('web')
  await box.run('side', { HostConfig: { NetworkMode: 'container:web' } })
  const { path } = (box.runtime.processes[0]!.spec as ContainerSpec).network as { path: string }
  assert.deepEqual((box.runtime.last.spec as ContainerSpec).network, { kind: 'join', path })
  await box.containers.stop('web')
  assert.equal(box.containers.get(id).state.sandbox, path)
  await box.containers.stop('side')
  await eventually('the sandbox to go', () => box.containers.get(id).state.sandbox === undefined)
})

test('a container cannot join the network of one that does not run', async () => {
  await using box = await EngineBox.open()
  await box.create('web')
  await box.create('side', { HostConfig: { NetworkMode: 'container:web' } })
  await assert.rejects(
    box.containers.start('side'),
    failure('conflict', 'cannot join network namespace of a non running container: container web is created'),
  )
})

test('rename changes the name everywhere, and refuses one that is taken', async () => {
  await using box = await EngineBox.open()
  const id = await box.create('web')
  const other = await box.create('api')
  await box.containers.rename('web', 'front')
  assert.equal((await box.containers.inspect('front')).Id, id)
  assert.equal(box.containers.find('web'), undefined)
  await assert.rejects(
    box.containers.rename('front', 'api'),
    failure(
      'conflict',
      `Error when allocating new name: Conflict. The container name "/api" is already in use by container "${other}". You have to remove (or rename) that container to be able to reuse that name.`,
    ),
  )
  await assert.rejects(
    box.containers.rename('front', 'front'),
    failure('invalid', 'Renaming a container with the same name as its current name'),
  )
  for (const name of ['/', 'a b', '//front2'])
    await assert.rejects(
      box.containers.rename('front', name),
      failure(
        'invalid',
        `Error when allocating new name: Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
      ),
    )
  assert.equal((await box.containers.inspect(id)).Name, '/front')
})

test('prune removes what does not run, by label', async () => {
  await using box = await EngineBox.open()
  await box.run('web', { Labels: { keep: 'no' } })
  const gone = await box.create('old', { Labels: { keep: 'no' } })
  await box.create('kept')
  const reply = await box.containers.prune({ label: ['keep=no'] })
  assert.deepEqual(reply.ContainersDeleted, [gone])
  const { type, action } = box.engine.events.history.at(-1)!
  assert.deepEqual([type, action], ['container', 'prune'])
  assert.deepEqual((await box.containers.list({ all: true })).map(({ Names }) => Names[0]).sort(), ['/kept', '/web'])
})

test('update changes the limits of a running container and of its record', async () => {
  await using box = await EngineBox.open()
  await box.run('web')
  await box.containers.update('web', { Memory: 64 * 1024 ** 2 })
  assert.deepEqual(box.runtime.updates, [{ memory: 64 * 1024 ** 2, memorySwap: 128 * 1024 ** 2 }])
  assert.equal((await box.containers.inspect('web')).HostConfig.Memory, 64 * 1024 ** 2)
  await assert.rejects(
    box.containers.update('web', { Memory: 1024 }),
    failure('invalid', 'Minimum memory limit allowed is 6MB'),
  )
})

test('healthchecks run by exec and their changes are told', async () => {
  await using box = await EngineBox.open()
  box.runtime.onStart = process => {
    if (process.spec.kind === 'exec') setImmediate(() => process.end(0))
  }
  await box.run('web', { Healthcheck: { Test: ['CMD', 'check'], Interval: 1_000_000 } })
  await eventually('health', () => box.containers.get('web').state.health?.Status === 'healthy')
  assert.ok(box.events.includes('health_status: healthy'))
  assert.ok(box.events.includes('exec_create: check '))
  assert.equal((await box.containers.list())[0]!.Status, 'Up Less than a second (healthy)')
})
