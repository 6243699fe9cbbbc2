import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EngineBox } from './engine-box.ts'

test('what comes by volumes-from is read-only where it was, and anonymous where it was: nothing is left when both are removed', async () => {
  await using box = await EngineBox.open()
  await box.create('one', { HostConfig: { Binds: ['/tmp:/t:ro', 'named:/n'] }, Volumes: { '/data': {} } })
  await box.create('two', { HostConfig: { VolumesFrom: ['one:rw,z'] } })
  const { Mounts } = await box.containers.inspect('two')
  const writable = Object.fromEntries(Mounts.map(({ Destination, RW }) => [Destination, RW]))
  assert.deepEqual(writable, { '/t': false, '/n': true, '/data': true })
  await box.containers.remove('one', { volumes: true })
  assert.equal(box.engine.volumes.list().length, 2)
  await box.containers.remove('two', { volumes: true })
  assert.deepEqual(
    box.engine.volumes.list().map(({ name }) => name),
    ['named'],
  )
})

test('of several whose volumes are taken the last counts where they have the same place', async () => {
  await using box = await EngineBox.open()
  await box.create('one', { HostConfig: { Binds: ['first:/d', 'only:/o'] } })
  await box.create('two', { HostConfig: { Binds: ['second:/d'] } })
  await box.create('both', { Volumes: { '/d': {} }, HostConfig: { VolumesFrom: ['one', 'two'] } })
  const { Mounts } = await box.containers.inspect('both')
  assert.deepEqual(Object.fromEntries(Mounts.map(({ Destination, Name }) => [Destination, Name])), {
    '/d': 'second',
    '/o': 'only',
  })
})
