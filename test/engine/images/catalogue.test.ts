import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Aside } from '../../../src/engine/base/aside.ts'
import { Blobs } from '../../../src/engine/images/blobs.ts'
import { Catalogue } from '../../../src/engine/images/catalogue.ts'
import { temporaryPaths } from '../../support/temporary-paths.ts'
import { tinyParts } from '../../support/tiny-image.ts'

async function open(t: TestContext) {
  const paths = temporaryPaths(t)
  for (const folder of [dirname(paths.blob('x')), paths.imageTemp]) mkdirSync(folder, { recursive: true })
  const { config, id } = await tinyParts({ files: { a: 'x' } })
  const catalogue = await Catalogue.open(paths, new Blobs(paths), new Aside(paths, () => undefined))
  return { catalogue, id, document: JSON.parse(config.toString()) }
}

test('names of an image are in the order of their full names', async t => {
  const { catalogue, id, document } = await open(t)
  const digest = `sha256:${'0'.repeat(64)}`
  const image = await catalogue.add({
    document,
    id,
    size: 1,
    blobs: [],
    tags: ['app:1', 'registry.test/app:1', 'docker/app:1', '127.0.0.1:5000/app:1', 'app-two:1'],
    digests: [`busybox@${digest}`, `abc/app@${digest}`],
  })
  assert.deepEqual(image.tags, ['127.0.0.1:5000/app:1', 'docker/app:1', 'app-two:1', 'app:1', 'registry.test/app:1'])
  assert.deepEqual(image.digests, [`abc/app@${digest}`, `busybox@${digest}`])
})

test('add() gives the image that was added, though it is removed while it is being saved', async t => {
  const { catalogue, id, document } = await open(t)
  const adding = catalogue.add({ document, id, size: 1, blobs: [], tags: ['app:1'], digests: [] })
  await catalogue.remove(id)
  assert.equal((await adding).id, id)
  assert.deepEqual(catalogue.list(), [])
})
