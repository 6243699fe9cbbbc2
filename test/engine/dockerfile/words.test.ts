import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { expandWord, type WordOptions } from '../../../src/engine/dockerfile/words.ts'

const variables: Readonly<Record<string, string>> = {
  A: 'one',
  B: 'two words',
  EMPTY: '',
  PATH_: '/usr/local/lib.tar.gz',
}

function expand(word: string, options: Partial<WordOptions> = {}) {
  return expandWord(word, name => variables[name], { escapeSign: '\\', ...options })
}

describe('expandWord()', () => {
  const cases: ReadonlyArray<readonly [word: string, text: string, options?: Partial<WordOptions>]> = [
    ['plain', 'plain'],
    ['$A', 'one'],
    ['${A}b', 'oneb'],
    ['"$A"', 'one'],
    ["'$A'", '$A'],
    ['\\$A', '$A'],
    ['"\\$A \\" \\x"', '$A " \\x'],
    ['a\\ b\\"', 'a b"'],
    ['a\\', 'a'],
    ['`$A', '$A', { escapeSign: '`' }],
    ['a\\b', 'a\\b', { escapeSign: '`' }],
    ['$', '$'],
    ['a$', 'a$'],
    ['$.', '$.'],
    ['$$', ''],
    ['$1x', 'x'],
    ['$12x', 'x'],
    ['$@$*$#$?$-$!', ''],
    ['$NOPE', ''],
    ['${NOPE:-$A}', 'one'],
    ['${NOPE-x}', 'x'],
    ['${EMPTY-x}', ''],
    ['${EMPTY:-x}', 'x'],
    ['${A:+x}${NOPE:+y}', 'x'],
    ['${EMPTY+x}', 'x'],
    ['${EMPTY:+x}', ''],
    ['${A:?no}', 'one'],
    ['${NOPE:-"a b"}', 'a b'],
    ['${NOPE:-${A:-x}}', 'one'],
    ['${PATH_#*/}', 'usr/local/lib.tar.gz'],
    ['${PATH_##*/}', 'lib.tar.gz'],
    ['${PATH_%.*}', '/usr/local/lib.tar'],
    ['${PATH_%%.*}', '/usr/local/lib'],
    ['${PATH_%x}', '/usr/local/lib.tar.gz'],
    ['${A#?}', 'ne'],
    ['${A/o/0}', '0ne'],
    ['${PATH_//\\//_}', '_usr_local_lib.tar.gz'],
    ['${B/o*/!}', 'tw!'],
    ['${A//?/x}', 'xxx'],
    ['${A//*/x}', 'x'],
    ['"a" $A', '"a" one', { quotesArePlain: true }],
    ['"a"', '"a"', { rawQuotes: true }],
    ['a\\ b', 'a\\ b', { rawEscapes: true }],
    ['$NOPE ${NOPE:-x} $A', '$NOPE ${NOPE:-x} one', { keepUnset: true }],
  ]
  for (const [word, text, options] of cases) {
    test(`of ${word} with ${JSON.stringify(options ?? {})} is ${text}`, () => {
      assert.equal(expand(word, options).text, text)
    })
  }

  const split: ReadonlyArray<readonly [word: string, words: readonly string[]]> = [
    ['a  b', ['a', 'b']],
    ['$B', ['two', 'words']],
    ['"$B" c', ['two words', 'c']],
    ["' a 'b", [' a b']],
    ['a\\ b', ['a b']],
    ['', []],
    ['<< EOF x', ['<< EOF', 'x']],
  ]
  for (const [word, words] of split) {
    test(`splits ${word} into ${JSON.stringify(words)}`, () => assert.deepEqual(expand(word).words, words))
  }

  const wrong: ReadonlyArray<readonly [word: string, message: string]> = [
    ["'a", 'unexpected end of statement while looking for matching single-quote'],
    ['"a', 'unexpected end of statement while looking for matching double-quote'],
    ['${A', 'unsupported modifier (\uFFFD) in substitution'],
    ['${', "syntax error: missing '}'"],
    ['${}', 'syntax error: bad substitution'],
    ['${A:-x', "syntax error: missing '}'"],
    ['${A/x}', "syntax error: missing '/' in ${}"],
    ['${A:x}', 'unsupported modifier (:x) in substitution'],
    ['${A:#x}', 'unsupported modifier (:#) in substitution'],
    ['${A@Q}', 'unsupported modifier (@) in substitution'],
    ['${NOPE?}', 'NOPE: is not allowed to be unset'],
    ['${EMPTY:?}', 'EMPTY: is not allowed to be empty'],
    ['${NOPE:?"must be set"}', 'NOPE: must be set'],
    ['${A#\\a}', "invalid pattern (\\a) in substitution: invalid escape '\\a'"],
  ]
  for (const [word, message] of wrong) {
    test(`refuses ${word}`, () => {
      const text = JSON.stringify(word)
      assert.throws(() => expand(word), { kind: 'invalid', message: `failed to process ${text}: ${message}` })
    })
  }

  const endless: Readonly<Record<string, readonly [word: string, value: string, message: RegExp | undefined]>> = {
    'a pattern of stars': [`\${A%%${'*a'.repeat(40)}c}`, 'a'.repeat(5000), undefined],
    'a search all over a long value': ['${A//a*b/x}', 'a'.repeat(5000), /too long for a substitution/],
    'a value that doubles': ['$A$A', 'a'.repeat(600_000), /longer than 1048576/],
    'substitutions inside each other': ['${X:-'.repeat(300) + '}'.repeat(300), '', /more than 200/],
  }
  for (const [title, [word, value, message]] of Object.entries(endless)) {
    test(`is not kept busy by ${title}`, { timeout: 10_000 }, () => {
      const run = () => expandWord(word, name => (name === 'A' ? value : undefined), { escapeSign: '\\' })
      if (message) assert.throws(run, { kind: 'invalid', message })
      else assert.equal(run().text, value)
    })
  }

  test('tells which names had a value, and which had none', () => {
    const { used, unset } = expand('$A ${NOPE:-$B} $X')
    assert.deepEqual(
      [[...used], [...unset]],
      [
        ['A', 'B'],
        ['NOPE', 'X'],
      ],
    )
  })
})
