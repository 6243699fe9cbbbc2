import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../src/lib/failure.ts'
import { observe } from '../../../src/targets/engine/observe.ts'
import { FakeClient } from './fake-client.ts'

test('observe() takes an image whose name is none for one that is not there, since other services may be meant', async () => {
  const client = new FakeClient({
    containerList: () => [],
    networkList: () => [],
    volumeList: () => ({ Volumes: [] }),
    imageInspect: ({ params }) => {
      if (params!['name'] === 'busybox:') throw new Failure('invalid', 'invalid reference format')
      if (params!['name'] === 'gone') throw new Failure('not-found', 'No such image: gone')
      if (params!['name'] === 'down') throw new Failure('unavailable', 'gone away')
      return { Id: 'sha256:1', Config: {} }
    },
  })
  const { images } = await observe(client, 'shop', { images: ['busybox:', 'gone', 'here'] })
  assert.deepEqual([...images.keys()], ['here'])
  await assert.rejects(observe(client, 'shop', { images: ['down'] }), /gone away/)
})
