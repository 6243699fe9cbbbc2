import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Box } from './builder-box.ts'

test('an image that is built is told of, and then its names', async t => {
  const box = await Box.open(t)
  const told: string[] = []
  box.images.store.events.listen(({ type, action, attributes }) => told.push(`${type} ${action} ${attributes['name']}`))
  const { image } = await box.build('FROM base:1\nLABEL a=b\n', { tags: ['app:1', 'app:2'] })
  assert.deepEqual(told, [`image create ${image.id}`, 'image tag app:1', 'image tag app:2'])
})
