import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stableHash } from '../../src/lib/stable-json.ts'

test('the same data has the same hash, in whatever order it was built and whether undefined is said or not', () => {
  const hash = stableHash({ a: [1, { c: 2, b: null }], d: 'x' })
  assert.match(hash, /^[0-9a-f]{64}$/)
  assert.equal(stableHash({ d: 'x', e: undefined, a: [1, { b: null, c: 2 }] }), hash)
})

test('other data has another', () => {
  const all = [
    {},
    [],
    null,
    '',
    0,
    { a: 1 },
    { a: [1] },
    { a: '1' },
    [1, 2],
    [2, 1],
    { 0: 1 },
    { a: { b: 1 } },
    { b: { a: 1 } },
  ]
  assert.equal(new Set(all.map(stableHash)).size, all.length)
  assert.equal(stableHash(undefined), stableHash(null))
})
