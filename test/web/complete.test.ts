import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { attributePaths } from '../../src/stack/attributes.ts'
import { stackSchema } from '../../src/stack/json-schema.ts'
import { supportTable } from '../../src/targets/engine/support.ts'
import { complete, namesIn, pathAt, type Schema } from '../../src/web/pages/complete.ts'

const schema = stackSchema(supportTable(attributePaths())) as Schema

/** The text with "|" where the cursor is. */
function offers(marked: string): readonly string[] {
  const at = marked.indexOf('|')
  const text = marked.slice(0, at) + marked.slice(at + 1)
  return complete(text, at, schema, namesIn(text))?.options.map(({ label }) => label) ?? []
}

describe('complete()', () => {
  test('offers the top of a stack', () => {
    const found = offers('|')
    for (const key of ['services', 'networks', 'volumes', 'include']) assert.ok(found.includes(key), key)
    assert.ok(!offers('services:\n  a:\n    image: x\n|').includes('services'))
  })

  test('offers the attributes of a service, without those it has', () => {
    const found = offers('services:\n  web:\n    image: nginx\n    |\n    ports: []\n')
    assert.ok(found.includes('healthcheck') && found.includes('depends_on'))
    assert.ok(!found.includes('image') && !found.includes('ports') && !found.includes('services'))
  })

  test('goes as deep as the text does', () => {
    assert.ok(offers('services:\n  web:\n    healthcheck:\n      |').includes('start_interval'))
    assert.ok(
      offers('services:\n  web:\n    deploy:\n      resources:\n        limits:\n          |').includes('memory'),
    )
    assert.ok(offers('services:\n  web:\n    ports:\n      - |').includes('target'))
    assert.ok(offers('services:\n  web:\n    ports:\n      - target: 80\n        |').includes('published'))
    assert.ok(!offers('services:\n  web:\n    ports:\n      - target: 80\n        |').includes('target'))
  })

  test('offers values, and names that the file gives', () => {
    assert.deepEqual(offers('services:\n  a:\n    depends_on:\n      b:\n        condition: |'), [
      'service_started',
      'service_healthy',
      'service_completed_successfully',
    ])
    const text = 'services:\n  db: {}\n  web:\n    depends_on:\n      - |\nnetworks:\n  front: {}\n'
    assert.ok(offers(text).includes('db'))
    assert.ok(!offers(text).includes('front'))
    assert.ok(offers('services:\n  a:\n    privileged: |').includes('true'))
  })

  test('says nothing in comments, and in what is open', () => {
    assert.deepEqual(offers('services:\n  # im|'), [])
    assert.deepEqual(offers('services:\n  web:\n    environment:\n      FOO: |'), [])
  })

  test('completes from the beginning of the word', () => {
    const text = 'services:\n  web:\n    heal'
    assert.equal(complete(text, text.length, schema)?.from, text.length - 4)
  })
})

test('pathAt() tells what encloses a line, by indentation', () => {
  const text = 'a:\n  b:\n    - c: 1\n      d:\n        e: 2\n'
  assert.deepEqual(pathAt(text, text.length, 8), ['a', 'b', '-', 'd'])
  assert.deepEqual(pathAt(text, text.length, 6), ['a', 'b', '-'])
  assert.deepEqual(pathAt(text, text.length, 2), ['a'])
})
