import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpoints } from '../../src/api/endpoints.ts'
import { type ImageBackend, imageRoutes } from '../../src/engine/server/routes/images.ts'
import { serving } from './serving.ts'

test('an archive is of one platform: a second one is refused before anything is read', async () => {
  await using on = await serving(imageRoutes({ images: {} } as ImageBackend))
  const platform = ['amd64', 'arm64'].map(architecture => JSON.stringify({ os: 'linux', architecture }))
  const refused = { kind: 'invalid', message: 'multiple platform parameters not supported' }
  await assert.rejects(
    on.client.stream(endpoints.imageGet, { params: { name: 'app:1' }, query: { platform } }),
    refused,
  )
  await assert.rejects(on.client.stream(endpoints.imagesGet, { query: { names: ['app:1'], platform } }), refused)
})
