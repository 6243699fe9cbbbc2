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
