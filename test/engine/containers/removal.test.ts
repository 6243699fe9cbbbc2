import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFailure } from '../../../src/lib/failure.ts'
import { EngineBox } from './engine-box.ts'

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
