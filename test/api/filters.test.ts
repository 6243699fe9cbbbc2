import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  booleanFilter,
  checkFilters,
  formatFilters,
  matchesLabels,
  parseFilters,
  untilFilter,
} from '../../src/api/filters.ts'
import { isFailure } from '../../src/lib/failure.ts'

const invalid = (error: unknown) => isFailure(error, 'invalid')

test('parseFilters() reads the map form of Go clients and the list form of others', () => {
  assert.deepEqual({ ...parseFilters('{"label":{"a=b":true,"c":true}}') }, { label: ['a=b', 'c'] })
  assert.deepEqual({ ...parseFilters('{"label":["a=b"],"name":["x"]}') }, { label: ['a=b'], name: ['x'] })
  for (const none of ['', '{}', 'null']) assert.deepEqual({ ...parseFilters(none) }, {})
})

test('parseFilters() refuses what is neither', () => {
  for (const text of ['[]', 'nonsense', '{"a":1}', '{"a":[1]}', '"x"'])
    assert.throws(() => parseFilters(text), invalid, text)
})

test('parseFilters() is not misled by a filter named like a prototype member', () => {
  const filters = parseFilters('{"__proto__":["x"],"constructor":["y"]}')
  assert.deepEqual(Object.keys(filters), ['__proto__', 'constructor'])
  assert.throws(() => checkFilters(filters, ['label']), /invalid filter '__proto__'/)
})

test('formatFilters() gives the same text for the same filters in any order', () => {
  assert.equal(formatFilters({ b: ['2', '1'], a: ['x'] }), '{"a":{"x":true},"b":{"1":true,"2":true}}')
  assert.deepEqual({ ...parseFilters(formatFilters({ a: ['x', 'y'] })) }, { a: ['x', 'y'] })
})

test('matchesLabels() asks for every label, by key or by key and value', () => {
  const labels = { 'com.x': '1', empty: '' }
  assert.equal(matchesLabels(['com.x', 'com.x=1', 'empty='], labels), true)
  assert.equal(matchesLabels(['com.x', 'com.x=2'], labels), false)
  assert.equal(matchesLabels(['toString'], labels), false)
  assert.equal(matchesLabels(undefined, null), true)
  assert.equal(matchesLabels(['a'], null), false)
})

test('booleanFilter() reads true and 1, false and 0, and refuses the rest', () => {
  assert.equal(booleanFilter({ dangling: ['true'] }, 'dangling'), true)
  assert.equal(booleanFilter({ dangling: ['0'] }, 'dangling'), false)
  assert.equal(booleanFilter({}, 'dangling'), undefined)
  assert.throws(() => booleanFilter({ dangling: ['maybe'] }, 'dangling'), invalid)
  assert.throws(() => booleanFilter({ dangling: ['true', 'false'] }, 'dangling'), invalid)
})

test('untilFilter() reads the one time: seconds since 1970, a date, any duration before now', () => {
  const now = 1_000_000_000
  assert.deepEqual(
    ['30s', '1h30m', '1.5h', '1700000000', '2024-01-02T03:04:05Z'].map(text => untilFilter({ until: [text] }, now)),
    [now - 30e3, now - 5400e3, now - 5400e3, 1.7e12, Date.UTC(2024, 0, 2, 3, 4, 5)],
  )
  assert.equal(untilFilter({ label: ['a'] }), undefined)
  // what is removed for ever is not guessed at
  for (const until of [['soon'], ['5 m'], ['x5m'], ['1h', '2h']])
    assert.throws(() => untilFilter({ until }, now), invalid, until.join())
})
