import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Attachment } from '../../../src/engine/networks/attachment.ts'
import { eventually } from '../../support/eventually.ts'
import { EngineBox } from './engine-box.ts'

test('a container that runs on is taken over with its pid, and its later exit is recorded', async () => {
  await using box = await EngineBox.open()
  const id = await box.run('web')
  const process = box.runtime.last
  await box.reboot()
  assert.equal((await box.containers.inspect('web')).State.Pid, process.pid)
  process.end(5)
  await eventually('the exit', () => box.containers.get(id).state.status === 'exited')
  assert.equal(box.containers.get(id).state.exitCode, 5)
})

test('an exit while no engine ran is recorded with its code and time', async () => {
  await using box = await EngineBox.open()
  await box.run('job')
  const finishedAt = new Date('2026-01-02T03:04:05Z')
  await box.reboot(() => box.runtime.last.end(9, { finishedAt }))
  const { State } = await box.containers.inspect('job')
  assert.deepEqual([State.Status, State.ExitCode, State.FinishedAt], ['exited', 9, finishedAt.toISOString()])
  assert.ok(box.events.includes('create'))
})

test('the restart policy counts for an exit while no engine ran', async () => {
  await using box = await EngineBox.open()
  await box.run('web', { HostConfig: { RestartPolicy: { Name: 'always' } } })
  await box.reboot(() => box.runtime.last.end(1))
  await eventually('the restart', () => box.containers.get('web').state.status === 'running')
  assert.equal(box.runtime.processes.length, 2)
})

test('after a reboot what ran has exited, and starts again by its policy unless it was stopped', async () => {
  await using box = await EngineBox.open()
  const policies = { always: 'always', unless: 'unless-stopped', no: 'no', stopped: 'unless-stopped' } as const
  for (const [name, Name] of Object.entries(policies)) await box.run(name, { HostConfig: { RestartPolicy: { Name } } })
  await box.containers.stop('stopped')
  const ids = Object.keys(policies).map(name => box.containers.get(name).id)
  await box.reboot(async () => {
    for (const process of box.runtime.processes) process.end(0)
    box.runtime.found.clear()
    for (const id of ids) {
      const path = join(box.folder, 'data/containers', id, 'state.json')
      await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), boot: 'another' }))
    }
  })
  const status = (name: string) => box.containers.get(name).state.status
  assert.deepEqual(Object.keys(policies).map(status), ['running', 'running', 'exited', 'exited'])
  assert.equal(box.containers.get('no').state.exitCode, 255)
})

test('names and records survive, and a container whose state is damaged has exited, nobody knows how', async () => {
  await using box = await EngineBox.open()
  const id = await box.run('web')
  await box.containers.rename('web', 'front')
  await box.containers.stop('front')
  await box.reboot(() => writeFile(join(box.folder, 'data/containers', id, 'state.json'), '{"version":1,'))
  assert.equal(box.containers.get('front').id, id)
  const { State } = await box.containers.inspect('front')
  assert.deepEqual([State.Status, State.ExitCode, State.Error], ['exited', 255, 'its last state could not be read'])
})

test('the process of a start that was never recorded ends, and its cgroup goes', async () => {
  await using box = await EngineBox.open()
  const id = await box.run('web')
  const state = join(box.folder, 'data/containers', id, 'state.json')
  // as an engine leaves it that is killed between the start of the process and the record of it
  await box.reboot(() => rm(state))
  assert.equal(box.containers.get('web').state.status, 'created')
  assert.deepEqual(box.runtime.last.signals, [9])
  assert.ok(box.runtime.operations.some(operation => operation.kind === 'delete-cgroup'))
})

test('a network that a container was about to join or to leave when the engine was killed is left', async () => {
  await using box = await EngineBox.open()
  for (const Name of ['a', 'b']) await box.engine.networks.create({ Name })
  const id = await box.run('web', { HostConfig: { NetworkMode: 'a' } })
  const paths = ['state.json', 'container.json'].map(name => join(box.folder, 'data/containers', id, name))
  /** What was written down whenever the kernel was about to be told. */
  const moments: string[][] = []
  const { onOperation } = box.runtime
  box.runtime.onOperation = operation => {
    if (operation.kind === 'connect' || operation.kind === 'disconnect')
      moments.push(paths.map(path => readFileSync(path, 'utf8')))
    onOperation?.(operation)
  }
  await box.containers.connect('web', 'b', {})
  const [{ interface: link }] = box.engine.networks.attachments(id).slice(1) as [Attachment]
  await box.containers.disconnect('web', 'b', { force: false })
  assert.equal(moments.length, 2)
  box.runtime.onOperation = onOperation
  for (const texts of moments) {
    await box.reboot(() => {
      for (const [i, path] of paths.entries()) writeFileSync(path, texts[i]!)
      box.runtime.operations.length = 0
    })
    const { NetworkSettings } = await box.containers.inspect('web')
    assert.deepEqual(Object.keys(NetworkSettings.Networks ?? {}), ['a'])
    assert.deepEqual(Object.keys(box.engine.networks.inspect('b').Containers ?? {}), [])
    // the engine was killed before it told the kernel, or after
    const left = box.runtime.operations.filter(
      operation => operation.kind === 'disconnect' && operation.name === link.name,
    )
    assert.equal(left.length, 1)
    assert.doesNotMatch(readFileSync(paths[0]!, 'utf8'), new RegExp(link.host))
  }
})

test('the cgroup of a start that was cut short goes, also when nothing else is left of it', async () => {
  await using box = await EngineBox.open()
  await box.create('web')
  const { cgroup } = box.containers.get('web')
  box.runtime.groups.add(cgroup)
  await box.reboot(async () => undefined)
  assert.deepEqual(
    box.runtime.operations.filter(({ kind }) => kind === 'delete-cgroup'),
    [{ kind: 'delete-cgroup', path: cgroup }],
  )
})

test('what a removal that was cut short left is cleared away', async () => {
  await using box = await EngineBox.open()
  const id = await box.run('web')
  await box.containers.stop('web')
  const folder = join(box.folder, 'data/containers')
  // as an engine leaves it that is killed between the first step of a removal and its last
  await box.reboot(() => rename(join(folder, id), join(folder, `.${id}`)))
  assert.equal(box.containers.find('web'), undefined)
  assert.deepEqual(await readdir(folder), [])
})

/** Whatever is written to these is refused, as long as they are folders. */
async function refusing(paths: readonly string[], work: () => Promise<void>): Promise<() => Promise<void>> {
  const before = await Promise.all(
    paths.map(async path => existsSync(path) && { path, text: await readFile(path), time: (await stat(path)).mtime }),
  )
  for (const path of paths) {
    await rm(path, { force: true })
    await mkdir(join(path, 'full'), { recursive: true })
  }
  await work()
  return async () => {
    for (const path of paths) await rm(path, { recursive: true })
    for (const each of before) {
      if (!each) continue
      await writeFile(each.path, each.text)
      await utimes(each.path, each.time, each.time)
    }
  }
}

const restarted = (box: EngineBox) => async () => {
  await box.containers.stop('web')
  await box.containers.start('web')
}

test('a state that its disk does not take is found in the run folder by the next engine', async () => {
  await using box = await EngineBox.open()
  const id = await box.run('web')
  const [path, spare] = ['data', 'run'].map(root => join(box.folder, root, 'containers', id, 'state.json')) as [
    string,
    string,
  ]
  const free = await refusing([path], restarted(box))
  const started = box.runtime.last
  await box.reboot(free)
  const { State } = await box.containers.inspect('web')
  assert.deepEqual([State.Status, State.Pid, started.signals], ['running', started.pid, []])
  await box.containers.stop('web')
  assert.ok(!existsSync(spare), 'what is in its own place again is in no other')
  await box.reboot()
  assert.equal(box.containers.get('web').state.status, 'exited')
})

test('a state that nothing takes leads to the process that runs, and to no other', async () => {
  await using box = await EngineBox.open()
  const id = await box.run('web')
  const places = ['data', 'run'].map(root => join(box.folder, root, 'containers', id, 'state.json'))
  const free = await refusing(places, restarted(box))
  const started = box.runtime.last
  await box.reboot(free)
  const { State } = await box.containers.inspect('web')
  const expected = ['running', started.pid, started.startedAt.toISOString()]
  assert.deepEqual([State.Status, State.Pid, State.StartedAt], expected)
})
