import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseIgnoreFile, pathMatcher } from '../../src/api/ignore-patterns.ts'

describe('parseIgnoreFile()', () => {
  const cases: Readonly<Record<string, readonly [text: string, patterns: readonly string[]]>> = {
    'leaves comments and blank lines out': ['# a\n\n  \nb\n', ['b']],
    'takes # for a comment at the very start alone': [' # a\na # b\n', ['# a', 'a # b']],
    'trims blanks at both ends, and carriage returns': ['  a \t\r\nb\r\n', ['a', 'b']],
    'reads behind a byte order mark': ['\uFEFF# a\nb', ['b']],
    'makes paths relative to the context': ['/a\n./b/\nc//d/../e\n/\n', ['a', 'b', 'c/e', '/']],
    'keeps paths that leave the context': ['../a', ['../a']],
    'keeps the sign of an exception, without the blank behind it': ['! a/\n!/b\n!', ['!a', '!b', '!']],
  }
  for (const [title, [text, patterns]] of Object.entries(cases)) {
    test(title, () => assert.deepEqual(parseIgnoreFile(text), patterns))
  }
})

describe('pathMatcher()', () => {
  /** Patterns → paths that match and paths that do not, blanks between. */
  const cases: Readonly<Record<string, readonly [patterns: readonly string[], yes: string, no: string]>> = {
    'nothing without patterns': [[], '', 'a a/b'],
    'a name at the top, and all below it': [['a'], 'a a/b a/b/c', 'b/a ab'],
    'a path': [['a/b'], 'a/b a/b/c', 'a b a/c'],
    '* up to a slash': [['a*/c'], 'a/c abc/c abc/c/d', 'a/b/c'],
    '? for one character, whatever its bytes': [['?'], 'a é 😀', 'ab'],
    'a class': [['[a-c]x'], 'ax cx', 'dx'],
    'a class that is negated by ^ alone': [['[^a]', '[!b]c'], 'b !c bc', 'a ac'],
    '** for any number of folders': [['**/x', 'a/**/y'], 'x a/x a/b/x/z a/y a/b/c/y', 'y ax a'],
    '** at the end for all that is below': [['a/**'], 'a/b a/b/c', 'a'],
    '** before a part of a name': [['**.md'], 'a.md b/c.md', 'a.md5'],
    '** alone': [['**'], 'a a/b', ''],
    'no star by a class that holds one': [['a[*]', 'b[?]'], 'a] a^] b[] b^]', 'a* b?'],
    'a closing bracket by itself': [['a]*'], 'a] a]b', 'a'],
    'a class with an escape in it': [['[\\]x]y', '[a\\-c]z'], ']y xy -z', 'bz'],
    'an escaped star literally': [['a\\*'], 'a*', 'ab'],
    'signs of regular expressions literally': [['a.b', 'c+(d)', 'e|f', '$g'], 'a.b c+(d) e|f $g', 'aXb ccd e'],
    'upper and lower case apart': [['A'], 'A', 'a'],
    'exceptions in the order they are written': [['*', '!a', 'a/b'], 'b a/b', 'a a/c'],
    'an exception below a folder': [['a', '!a/b'], 'a a/c', 'a/b a/b/c'],
    'no exception of the folder for what was matched by its own name': [['a/b', '!a'], 'a/b', 'a a/c'],
  }
  for (const [title, [patterns, yes, no]] of Object.entries(cases)) {
    test(`matches ${title}`, () => {
      const matcher = pathMatcher(patterns)
      for (const path of yes.split(' ').filter(Boolean)) assert.equal(matcher.matches(path), true, path)
      for (const path of no.split(' ').filter(Boolean)) assert.equal(matcher.matches(path), false, path)
    })
  }

  test('answers the same whether folders are asked before their entries or not at all', () => {
    const patterns = ['a', '!a/b', 'a/b/c']
    const walked = pathMatcher(patterns)
    for (const path of ['a', 'a/b', 'a/b/c', 'a/b/d']) walked.matches(path)
    assert.equal(walked.matches('a/b/c'), pathMatcher(patterns).matches('a/b/c'))
    assert.equal(walked.matches('a/b/d'), pathMatcher(patterns).matches('a/b/d'))
  })

  test('matchesOnItsOwn() lets an exception of a folder count for what is in it', () => {
    assert.equal(pathMatcher(['a/b', '!a']).matchesOnItsOwn('a/b'), false)
    assert.equal(pathMatcher(['a/b']).matchesOnItsOwn('a/b/c'), true)
  })

  const back: readonly (readonly [patterns: readonly string[], folder: string, may: boolean])[] = [
    [['a'], 'a', false],
    [['*', '!a/b'], 'a', true],
    [['*', '!a/b'], 'c', false],
    [['*', '!a/b/**'], 'a', true],
    [['*', '!**/x'], 'c', true],
  ]
  for (const [patterns, folder, may] of back) {
    test(`mayComeBackBelow() is ${may} for ${folder} under ${patterns.join(' ')}`, () => {
      assert.equal(pathMatcher(patterns).mayComeBackBelow(folder), may)
    })
  }

  for (const pattern of ['[a-', '[', '[]a]', '[z-a]', 'a\\']) {
    test(`refuses ${pattern}`, () => {
      assert.throws(() => pathMatcher([pattern]), { kind: 'invalid', message: 'syntax error in pattern' })
    })
  }

  const hostile: ReadonlyArray<readonly [pattern: string, path: string]> = [
    [`${'a*'.repeat(30)}b`, 'a'.repeat(250)],
    [`${'**/a/'.repeat(20)}b`, `${'a/'.repeat(100)}c`],
    [`**${'/a**'.repeat(20)}/b`, `${'a/'.repeat(100)}c`],
  ]
  for (const [pattern, path] of hostile) {
    test(`is not kept busy by ${pattern.slice(0, 12)}… and a path that nearly matches`, { timeout: 10_000 }, () => {
      assert.equal(pathMatcher([pattern]).matches(path), false)
      assert.equal(pathMatcher([pattern]).matches(`${path.slice(0, -1)}b`), true)
    })
  }

  test('refuses an exception of nothing', () => {
    assert.throws(() => pathMatcher(['!']), { message: 'illegal exclusion pattern: "!"' })
  })
})
