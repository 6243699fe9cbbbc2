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

test('trace() says what was done at each stop, and gives lists and mappings as data', async () => {
  const stack = `services:
  web:
    image: "web:\${TAG}\${NONE}"
    ports: ["8080:80"]
    labels: {"a.b": c, a: d}
  off: {image: off, profiles: [x]}
`
  const more = { 'compose.yaml': stack, 'override.yaml': 'services: {web: {image: other, ports: ["81"]}}\n' }
  const of = async (key: string, options = {}) =>
    trace(await loadFiles(more, { files: ['compose.yaml'], env: { TAG: '1' }, ...options }), key).map(
      ({ action, value, place }) => `${action}: ${value} at ${place ? `${place.line}:${place.column}` : 'no place'}`,
    )
  assert.deepEqual(await of('services.web.image'), [
    'set: web:${TAG}${NONE} at 3:12',
    'filled in from the environment: TAG=1 at no place',
    'filled in from nowhere: it is not set: NONE= at no place',
    'became: web:1 at 3:12',
  ])
  assert.deepEqual(
    (await of('services.web.image', { interpolate: false })).map(each => each.split(':')[0]),
    ['set'],
  )
  assert.deepEqual(
    (await of('services.web.image', { files: ['compose.yaml', 'override.yaml'] })).at(-1),
    'replaced: other at 1:25',
  )
  // keys may have dots
  assert.deepEqual(await of('services.web.labels.a.b'), ['set: c at 5:21'])
  assert.deepEqual(await of('services.web.labels.a'), ['set: d at 5:27'])
  assert.deepEqual(await of('services.web.ports.0.target'), ['set: 80 at 4:13'])
  assert.deepEqual(await of('services.web.labels'), ['set: {"a.b":"c","a":"d"} at 5:5'])
  assert.deepEqual(await of('networks.default.name'), ['default: shop_default at no place'])
  // also of a service that is left out
  assert.deepEqual(await of('services.off.image'), ['set: off at 6:16'])
})

test('trace() tells how far it came, and what there is', async () => {
  const refused: readonly (readonly [
    key: string,
    kind: 'not-found' | 'invalid',
    message: string,
    hint: string | undefined,
  ])[] = [
    ['sevices.web', 'not-found', 'Cannot trace "sevices.web": the stack has no "sevices"', 'Did you mean "services"?'],
    [
      'services.qqq.image',
      'not-found',
      'Cannot trace "services.qqq.image": "services" has no "qqq"',
      'There is web, inner',
    ],
    [
      'services.web.image.x',
      'not-found',
      'Cannot trace "services.web.image.x": "services.web.image" has no "x"',
      undefined,
    ],
    ['', 'invalid', 'Cannot trace nothing: name a field such as services.web.image', undefined],
  ]
  for (const [key, kind, message, hint] of refused)
    await assert.rejects(stops(key), (error: unknown) => {
      assert.ok(isFailure(error, kind))
      assert.deepEqual([error.message, error.hint], [message, hint])
      return true
    })
})
