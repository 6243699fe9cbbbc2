import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { Aside } from '../../../src/engine/base/aside.ts'
import { Blobs } from '../../../src/engine/images/blobs.ts'
import { Catalogue } from '../../../src/engine/images/catalogue.ts'
import { temporaryPaths } from '../../support/temporary-paths.ts'
import { tinyParts } from '../../support/tiny-image.ts'

test('add() gives the image that was added, though it is removed while it is being saved', async t => {
  const paths = temporaryPaths(t)
  for (const folder of [dirname(paths.blob('x')), paths.imageTemp]) mkdirSync(folder, { recursive: true })
  const catalogue = await Catalogue.open(paths, new Blobs(paths), new Aside(paths, () => undefined))
  const { config, id } = await tinyParts({ files: { a: 'x' } })
  const document = JSON.parse(config.toString())
  const adding = catalogue.add({ document, id, size: 1, blobs: [], tags: ['app:1'], digests: [] })
  await catalogue.remove(id)
  assert.equal((await adding).id, id)
  assert.deepEqual(catalogue.list(), [])
})
