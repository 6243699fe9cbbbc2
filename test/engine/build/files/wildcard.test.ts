import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hasWildcard, splitWildcard, wildcardMatcher } from '../../../../src/engine/build/files/wildcard.ts'

/** Pattern, name, whether Go's filepath.Match says so (its own table of tests, in part). */
const table: readonly (readonly [pattern: string, name: string, matches: boolean])[] = [
  ['abc', 'abc', true],
  ['*', 'abc', true],
  ['*c', 'abc', true],
  ['a*', 'a', true],
  ['a*/b', 'a/c/b', false],
  ['a*b*c*d*e*', 'axbxcxdxe', true],
  ['a*b?c*x', 'abxbbxdbxebxczzy', false],
  ['ab[c]', 'abc', true],
  ['ab[b-d]', 'abc', true],
  ['ab[e-g]', 'abc', false],
  ['ab[^c]', 'abc', false],
  ['ab[^b-d]', 'abc', false],
  ['ab[^e-g]', 'abc', true],
  ['a\\*b', 'a*b', true],
  ['a\\*b', 'ab', false],
  ['a?b', 'a☺b', true],
  ['a[^a]b', 'a☺b', true],
  ['a???b', 'a☺b', false],
  ['[a-ζ]*', 'α', true],
  ['*[a-ζ]', 'A', false],
  ['a?b', 'a/b', false],
  ['a*b', 'a/b', false],
  ['[\\]a]', ']', true],
  ['[\\-]', '-', true],
  ['[x\\-]', 'z', false],
  ['[\\-x]', 'a', false],
  ['[!a]', '!', true],
  ['[!a]', 'b', false],
  ['br[[]a]ck', 'br[a]ck', true],
  ['*x', 'xxx', true],
  ['(a|b).$', '(a|b).$', true],
  ['😀?', '😀😀', true],
]

describe('wildcardMatcher()', () => {
  for (const [pattern, name, matches] of table)
    test(`${matches ? 'matches' : 'does not match'} ${name} by ${pattern}`, () => {
      assert.equal(wildcardMatcher(pattern).test(name), matches)
    })

  test('refuses a pattern that Go cannot read', () => {
    for (const pattern of ['[]a]', '[-]', '[x-]', '[-x]', '[a-b-c]', '[', '[^', '[^bc', 'a[', 'a\\'])
      assert.throws(() => wildcardMatcher(pattern), { kind: 'invalid' }, pattern)
  })
})

test('hasWildcard() knows what is escaped', () => {
  assert.deepEqual(['a*', 'a?', '[', 'a\\*', 'a\\\\*', 'plain'].map(hasWildcard), [
    true,
    true,
    true,
    false,
    true,
    false,
  ])
})

test('splitWildcard() cuts where the first wildcard stands', () => {
  assert.deepEqual(splitWildcard('/a/b/c*/d'), ['a/b', 'c*/d'])
  assert.deepEqual(splitWildcard('/a/b'), ['a/b', ''])
})
