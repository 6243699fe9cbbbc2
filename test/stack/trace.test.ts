import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFailure } from '../../src/lib/failure.ts'
import { trace } from '../../src/stack/trace.ts'
import { loadFiles } from './stacks.ts'

const files = {
  'compose.yaml':
    'include: [sub/compose.yaml]\nservices:\n  web:\n    extends: {file: common.yaml, service: web}\n    environment: {TAG: "${TAG}-main"}\n',
  'common.yaml': 'services:\n  web:\n    image: nginx\n    environment: {TAG: common}\n',
  'override.yaml': 'services:\n  web:\n    environment: {TAG: "${TAG}-over"}\n',
  'sub/compose.yaml': 'services: {inner: {image: "inner:${V}"}}\n',
  'sub/.env': 'V=3\n',
  '.env': '# tags\nTAG=v1\n',
}

async function stops(key: string): Promise<string[]> {
  const loaded = await loadFiles(files, { files: ['compose.yaml', 'override.yaml'] })
  return trace(loaded, key).map(
    ({ place, value }) =>
      `${place ? `${place.file}:${place.line}` : '-'}${(place?.via ?? []).map(via => ` ${via}`).join('')} ${value}`,
  )
}

test('trace() names every stop of a value through extends, .env and a second file', async () => {
  assert.deepEqual(await stops('services.web.environment.TAG'), [
    'common.yaml:4 extended by compose.yaml:4:21 common',
    'compose.yaml:5 ${TAG}-main',
    '.env:2 TAG=v1',
    'compose.yaml:5 v1-main',
    'override.yaml:3 ${TAG}-over',
    '.env:2 TAG=v1',
    'override.yaml:3 v1-over',
  ])
})

test('trace() names the include and the .env beside the included file', async () => {
  assert.deepEqual(await stops('services.inner.image'), [
    'sub/compose.yaml:1 included by compose.yaml:1:11 inner:${V}',
    'sub/.env:1 V=3',
    'sub/compose.yaml:1 included by compose.yaml:1:11 inner:3',
  ])
})

test('trace() refuses a key that is not there and says what was meant', async () => {
  await assert.rejects(
    stops('services.web.imag'),
    error => isFailure(error, 'not-found') && /"image"/.test(error.hint ?? ''),
  )
})
