import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newContainerId, newId, randomName, shortId } from '../../src/lib/ids.ts'

/** Enough that a rule that holds for some only is noticed: of 64 that are free to, one begins otherwise with all but certainty. */
const many = Array.from({ length: 64 }, (_, i) => i)

test('ids are 64 hex digits, each another, and no number by their first twelve', () => {
  const ids = many.map(newId)
  assert.equal(new Set(ids).size, ids.length)
  for (const id of ids) assert.match(id, /^(?=.{0,11}[a-f])[0-9a-f]{64}$/)
})

test('the id of a container begins with a digit, so that no name is the beginning of one', () => {
  for (const id of many.map(newContainerId)) assert.match(id, /^\d(?=.{0,10}[a-f])[0-9a-f]{63}$/)
})

test('an id is shown by its first twelve, without the algorithm of its digest', () => {
  assert.equal(shortId('0123456789abcdef'), '0123456789ab')
  assert.equal(shortId(`sha256:${'0123456789abcdef'.repeat(4)}`), '0123456789ab')
  assert.equal(shortId('nosha256:1234'), 'nosha256:123')
})

test('a name made up is two words', () => {
  for (const name of many.map(randomName)) assert.match(name, /^[a-z]{3,}_[a-z]{3,}$/)
})
