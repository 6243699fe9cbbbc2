import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DotenvError, parseDotenv, parseRawEnv } from '../../src/stack/dotenv.ts'

describe('parseDotenv()', () => {
  const cases: ReadonlyArray<readonly [line: string, value: string]> = [
    ['K=v', 'v'],
    ['K = v ', 'v'],
    ['K: v', 'v'],
    ['export K=v', 'v'],
    ['K=v # comment', 'v'],
    ['K=v#no', 'v#no'],
    ['K="v # no" # comment', 'v # no'],
    ["K='$X\\n'", '$X\\n'],
    ['K="a\\nb"', 'a\nb'],
    ['K="a\nb"', 'a\nb'],
    ['K="a\\$b"', 'a$b'],
    ['K="\\0101"', 'A'],
    ['K=${X:-y}', 'out'],
    ["K='it\\'s'", "it's"],
    ['K=', ''],
    ['\uFEFFK=v\r', 'v'],
    ['K="\\a\\b\\f\\n\\r\\t\\v\\"\\\\"', '\x07\b\f\n\r\t\v"\\'],
    // not an escape
    ['K="\\x\\q"', '\\x\\q'],
    ['K="\\c"', '\\c'],
    ['K="\\0000\\0777\\07"', '\0\\0777\\07'],
    ["K='\\\"'", '\\"'],
    ['K="\\\'"', "\\'"],
    ['K=a"b', 'a"b'],
    ['K="a" b=c', 'a'],
    ['K=a\\nb', 'a\\nb'],
    ['K=#a', '#a'],
    ['K= # a', '# a'],
    ['K=a\t# b', 'a\t# b'],
    ['K="a$X"', 'aout'],
    ["K='a$X'", 'a$X'],
    ['export   K=v', 'v'],
    ['export\tK : v', 'v'],
    ['  # no\n\t K=v', 'v'],
    ['K=a\nK=b', 'b'],
    ['K="a\\\nb"', 'a\\\nb'],
  ]
  for (const [line, value] of cases)
    test(JSON.stringify(line), () =>
      assert.equal(parseDotenv(`${line}\n`, name => (name === 'X' ? 'out' : undefined)).get('K'), value),
    )

  test('references see keys above them, after what is outside', () => {
    const found = parseDotenv('A=1\nB=$A$X\nX=in\n', name => (name === 'X' ? 'out' : undefined))
    assert.equal(found.get('B'), '1out')
  })

  test('a bare key takes the value from outside, or is left out', () => {
    const found = parseDotenv('X\nY\n', name => (name === 'X' ? 'out' : undefined))
    assert.deepEqual([...found], [['X', 'out']])
  })

  for (const [text, line] of [
    ['A=1\n%x=2\n', 2],
    ['\nA B=1\n', 2],
    ['A=1\nB="x\n', 2],
  ] as const)
    test(`${JSON.stringify(text)} is refused with its line`, () =>
      assert.throws(
        () => parseDotenv(text),
        error => error instanceof DotenvError && error.line === line,
      ))
})

test('parseRawEnv() interprets nothing', () => {
  assert.deepEqual([...parseRawEnv('# c\nA="$B" # x\n')], [['A', '"$B" # x']])
})

describe('a name of a variable', () => {
  for (const name of ['A', 'a.b', 'a-b', 'a[0]', 'ä', '1', '_', 'export'])
    test(`may be ${name}`, () => assert.deepEqual([...parseDotenv(`${name}=v\n`)], [[name, 'v']]))

  const refused: readonly (readonly [text: string, line: number, message: string])[] = [
    ['A\n?=1\n', 2, 'character "?" cannot stand in a variable name'],
    ['A=1\n\nB C=1\n', 3, 'variable "B C" contains a space'],
    ['A$=1\n', 1, 'character "$" cannot stand in a variable name'],
    ['A="b\nc\n', 1, 'quoted value "b has no closing quote'],
    ['A="b\nc"\nB=\'\n', 3, "quoted value ' has no closing quote"],
    ['A=1\nB=${C:?why}\n', 2, 'required variable "C" is not set: why'],
    ['A="1\n${B\n"\n', 1, '"${B\n" has no closing brace on its line'],
  ]
  for (const [text, line, message] of refused)
    test(`${JSON.stringify(text)} is refused`, () =>
      assert.throws(
        () => parseDotenv(text),
        (error: unknown) => error instanceof DotenvError && error.line === line && error.message === message,
      ))
})

test('lines of variables, and of references that find nothing, are told', () => {
  const lines = new Map<string, number>()
  const unset: string[] = []
  const text = '# a\nA=1\n\nB="x\ny"\nexport C=$NONE\nD: ${A}$B$BELOW\n  E\n'
  const found = parseDotenv(text, () => undefined, {
    lines,
    below: name => (name === 'BELOW' || name === 'A' ? 'below' : undefined),
    unset: (name, line) => void unset.push(`${name} ${line}`),
  })
  assert.deepEqual(Object.fromEntries(lines), { A: 2, B: 4, C: 6, D: 7, E: 8 })
  assert.deepEqual(unset, ['NONE 6'])
  assert.deepEqual(Object.fromEntries(found), { A: '1', B: 'x\ny', C: '', D: '1x\nybelow' })
})

test('parseRawEnv() takes a bare name from outside, and tells what is no variable with its line', () => {
  const lookup = (name: string) => (name === 'X' ? 'out' : undefined)
  assert.deepEqual(
    [...parseRawEnv('\uFEFF X=1 # a\r\n\n  # no\nA="$X"\nX\nY\nB=\nC=a=b \n', lookup)],
    [
      ['X', 'out'],
      ['A', '"$X"'],
      ['B', ''],
      ['C', 'a=b '],
    ],
  )
  const refused: readonly (readonly [text: string, line: number, message: string])[] = [
    ['A=1\n=2\n', 2, 'no variable name stands before "="'],
    ['\n\nA B=2\n', 3, 'variable "A B" contains whitespace'],
    ['A\t=2\n', 1, 'variable "A\t" contains whitespace'],
  ]
  for (const [text, line, message] of refused)
    assert.throws(
      () => parseRawEnv(text),
      (error: unknown) => error instanceof DotenvError && error.line === line && error.message === message,
    )
})
