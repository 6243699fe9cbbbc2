import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fromJSONSchema } from 'zod'
import { attributePaths } from '../../src/stack/attributes.ts'
import { splitWords } from '../../src/stack/fields/command.ts'
import { parsePort } from '../../src/stack/fields/ports.ts'
import { stackSchema } from '../../src/stack/json-schema.ts'
import { formatNumber, resolvePlain } from '../../src/stack/scalars.ts'
import { supportTable } from '../../src/targets/engine/support.ts'

describe('resolvePlain() reads scalars as Compose does', () => {
  const cases: ReadonlyArray<readonly [text: string, value: unknown, printed?: string]> = [
    ['0755', 493],
    ['0o17', 15],
    ['0x1F', 31],
    ['-0b11', -3],
    ['1_000', 1000],
    ['08', 8],
    ['1e3', 1000, '1000'],
    ['1.20', 1.2, '1.2'],
    ['12345678901234567890', Number('12345678901234567890'), '12345678901234567890'],
    ['yes', 'yes'],
    ['on', 'on'],
    ['True', true],
    ['~', null],
    ['1.2.3', '1.2.3'],
    ['10s', '10s'],
    ['.', '.'],
  ]
  for (const [text, value, printed] of cases)
    test(text, () => {
      assert.equal(resolvePlain(text).value, value)
      if (printed !== undefined) assert.equal(resolvePlain(text).text, printed)
    })

  test('an unquoted date is no string', () => assert.equal(resolvePlain('2024-01-02').timestamp, true))
  test('formatNumber() prints as Go does', () =>
    assert.deepEqual([1e21, 1e-5, 0.5, 100000].map(formatNumber), ['1e+21', '1e-05', '0.5', '100000']))
})

describe('splitWords()', () => {
  const cases: ReadonlyArray<readonly [line: string, words: readonly string[] | undefined, cut?: string]> = [
    ['a "b c" d\\ e', ['a', 'b c', 'd e']],
    ['a \'b\\c\' ""', ['a', 'b\\c', '']],
    ['a && b', ['a'], '&& b'],
    ['a 2>x', ['a'], '>x'],
    ['a "b', undefined],
    ['', []],
  ]
  for (const [line, words, cut] of cases)
    test(line, () => {
      assert.deepEqual(splitWords(line)?.words, words)
      assert.equal(splitWords(line)?.cut, cut)
    })
})

describe('parsePort()', () => {
  const cases: ReadonlyArray<readonly [spec: string, count: number, published?: string, hostIp?: string]> = [
    ['80', 1],
    ['8080:80', 1, '8080'],
    ['127.0.0.1:8080:80/udp', 1, '8080', '127.0.0.1'],
    ['127.0.0.1::80', 1, undefined, '127.0.0.1'],
    ['[::1]:80:80', 1, '80', '::1'],
    ['8000-8002:80-82', 3, '8000'],
    ['8000-8010:80', 1, '8000-8010'],
  ]
  for (const [spec, count, published, hostIp] of cases)
    test(spec, () => {
      const ports = parsePort(spec)
      assert.ok(typeof ports !== 'string')
      assert.deepEqual([ports.length, ports[0]?.published, ports[0]?.hostIp], [count, published, hostIp])
    })
  for (const bad of ['::1:80:80', '80:', '99999', '80/x', '1-2:3-5', '5-4', 'x:80:80'])
    test(`${bad} is refused`, () => assert.equal(typeof parsePort(bad), 'string'))
})

describe('the grammar', () => {
  test('is schemas/stack.schema.json', () => {
    const file = new URL('../../schemas/stack.schema.json', import.meta.url)
    assert.deepEqual(
      JSON.parse(readFileSync(file, 'utf8')),
      JSON.parse(JSON.stringify(stackSchema(supportTable(attributePaths())))),
    )
  })

  test('as JSON Schema accepts a stack and refuses a wrong key and a wrong type', () => {
    const schema = fromJSONSchema(JSON.parse(JSON.stringify(stackSchema(supportTable(attributePaths())))))
    const web = { image: 'x', ports: ['80:80', 81, { target: 80 }], deploy: { replicas: '${N}' }, 'x-own': 1 }
    assert.equal(schema.safeParse({ services: { web }, 'x-more': [] }).success, true)
    assert.equal(schema.safeParse({ services: { web: { ...web, imagee: 'y' } } }).success, false)
    assert.equal(schema.safeParse({ services: { web: { ...web, ports: '80' } } }).success, false)
    assert.equal(schema.safeParse({ servics: {} }).success, false)
  })
})
