import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { ownTree } from '../../../src/engine/containers/files/view.ts'
import { isFailure } from '../../../src/lib/failure.ts'
import { tinyImageTar } from '../../support/tiny-image.ts'
import { EngineBox } from './engine-box.ts'

test('an image that is removed by force leaves its layers to the containers that stand on them, until the last goes', async () => {
  await using box = await EngineBox.open()
  const mounted = { Type: 'image', Source: 'tiny:1', Target: '/image' } as const
  const { diffIds } = box.engine.images.get('tiny:1')
  const layer = box.engine.paths.layer(diffIds[0]!.slice('sha256:'.length))
  await box.create('own')
  await box.engine.images.load(Readable.from([await tinyImageTar({ tag: 'other:1' })]))
  await box.create('guest', { Image: 'other:1', Cmd: ['serve'], HostConfig: { Mounts: [mounted] } })
  const removed = await box.engine.images.remove('tiny:1', {
    force: true,
    usedBy: id => box.containers.usersOfImage(id),
  })
  assert.deepEqual(
    removed.map(each => Object.keys(each)[0]),
    ['Untagged', 'Deleted'],
  )
  for (const name of ['own', 'guest']) {
    await box.containers.start(name)
    await box.containers.stop(name)
  }
  await box.reboot()
  await box.containers.start('own')
  await box.containers.remove('own', { force: true })
  assert.ok(existsSync(layer))
  await box.containers.start('guest')
  await box.containers.remove('guest', { force: true })
  assert.ok(!existsSync(layer))
})

test('a removal that fails half-way can be asked for again', async () => {
  await using box = await EngineBox.open()
  await box.engine.networks.create({ Name: 'n' })
  const id = await box.run('web', { HostConfig: { NetworkMode: 'n' } })
  box.runtime.onOperation = ({ kind }) => {
    if (kind === 'delete-sandbox') throw new Error('busy')
  }
  // its exit could not give the network back, and so the removal is to
  box.runtime.last.end(0)
  await box.containers.get(id).settled
  box.containers.get(id).note({ sandbox: box.engine.paths.sandbox(id) })
  await assert.rejects(box.containers.remove('web'), /busy/)
  assert.equal((await box.containers.inspect('web')).State.Status, 'dead')
  await assert.rejects(box.containers.start('web'), error => isFailure(error, 'conflict'))
  box.runtime.onOperation = () => undefined
  await box.containers.remove('web')
  assert.equal(box.containers.find('web'), undefined)
  await box.engine.networks.remove('n')
})

test('whoever still looks into a container that is removed makes nothing of it anew', async () => {
  await using box = await EngineBox.open()
  const folder = box.engine.paths.container(await box.create('web'))
  const web = box.containers.get('web')
  const looked = () => ownTree(box.containers.parts, web)
  await looked()
  assert.ok(existsSync(folder))
  await box.containers.remove('web')
  await assert.rejects(looked, error => isFailure(error, 'not-found'))
  assert.ok(!existsSync(folder))
})
