import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseBool } from '../../src/stack/finish.ts'
import { formatNumber, formatTimestamp, resolvePlain } from '../../src/stack/scalars.ts'

describe('resolvePlain()', () => {
  const cases: readonly (readonly [value: unknown, texts: readonly string[]])[] = [
    [null, ['', '~', 'null', 'Null', 'NULL']],
    [true, ['true', 'True', 'TRUE']],
    [false, ['false', 'False', 'FALSE']],
    [Number.NaN, ['.nan', '.NaN', '.NAN']],
    [Infinity, ['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF']],
    [-Infinity, ['-.inf', '-.Inf', '-.INF']],
    [0, ['0', '-0', '+0', '00', '0x0']],
    [8, ['8', '+8', '010', '0o10', '0x8', '0X8', '0b1000', '0B1000', '8_', '08']],
    [-8, ['-8', '-010', '-0x8', '-0b1000']],
    [0.5, ['.5', '0.5', '+.5', '5e-1', '5E-1', '0.05e1']],
    [5, ['5.', '5.0', '0.5e+1']],
  ]
  for (const [value, texts] of cases)
    for (const text of texts) test(`"${text}" is ${value}`, () => assert.equal(resolvePlain(text).value, value))

  for (const text of [
    'nUll',
    'tRue',
    'y',
    'yes',
    'n',
    '.Nan',
    '+.nan',
    '.iNf',
    '0x',
    '0b2',
    '0o8',
    '0xg',
    '1a',
    'a1',
    '-',
    '+',
    '.',
    '1e',
    '1e5x',
    '1.2.3',
    '.1_0',
    '--1',
    '1:30',
    '1-2-3',
    '2024-1',
    '12024-01-02',
    '2024-01-023',
  ])
    test(`"${text}" is text`, () => assert.deepEqual(resolvePlain(text), { value: text }))

  test('a number of 64 bits keeps its digits', () => {
    for (const text of ['9007199254740993', '-9007199254740993', '18446744073709551615', '-9223372036854775808'])
      assert.equal(resolvePlain(text).text, text)
    assert.equal(resolvePlain('0xffffffffffffffff').text, '18446744073709551615')
    // beyond it is a number with an exponent
    assert.equal(resolvePlain('18446744073709551616').text, '1.8446744073709552e+19')
    assert.equal(resolvePlain('-9223372036854775809').text, '-9.223372036854776e+18')
    assert.deepEqual(resolvePlain('0x10000000000000000'), { value: '0x10000000000000000' })
    assert.deepEqual(resolvePlain('9007199254740991'), { value: 9007199254740991 })
    assert.deepEqual(resolvePlain('1e999'), { value: '1e999' })
  })
})

describe('a date', () => {
  const dates: readonly (readonly [text: string, printed: string])[] = [
    ['2024-01-02', '2024-01-02T00:00:00Z'],
    ['2024-1-2', '2024-01-02T00:00:00Z'],
    ['2024-01-02T03:04:05', '2024-01-02T03:04:05Z'],
    ['2024-01-02t03:04:05Z', '2024-01-02T03:04:05Z'],
    ['2024-01-02 3:4:5', '2024-01-02T03:04:05Z'],
    ['2024-01-02   03:04:05  Z', '2024-01-02T03:04:05Z'],
    ['2024-01-02T03:04:05.600', '2024-01-02T03:04:05.6Z'],
    ['2024-01-02T03:04:05.000', '2024-01-02T03:04:05Z'],
    ['2024-01-02T03:04:05.06 +01:30', '2024-01-02T03:04:05.06+01:30'],
    ['2024-01-02T03:04:05-11:00', '2024-01-02T03:04:05-11:00'],
  ]
  for (const [text, printed] of dates)
    test(text, () => {
      assert.deepEqual(resolvePlain(text), { value: text, text, timestamp: true })
      assert.equal(formatTimestamp(text), printed)
    })

  for (const text of [
    '2024-01-02T',
    '2024-01-02 03:04',
    '2024-01-02T03:04:05.',
    '2024-01-02T03:04:05+1:30',
    '2024-01-02x',
    '2024-001-02',
    '2024-01-02T003:04:05',
    '2024-01-02T03:04:05z',
  ])
    test(`"${text}" is none`, () => {
      assert.equal(resolvePlain(text).timestamp, undefined)
      assert.equal(formatTimestamp(text), text)
    })
})

test('formatNumber() prints as Go does, with an exponent from a million on and below a ten-thousandth', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0'],
    [-0, '-0'],
    [Number.NaN, 'NaN'],
    [Infinity, '+Inf'],
    [-Infinity, '-Inf'],
    [999999, '999999'],
    [1e6, '1e+06'],
    [-1234567, '-1.234567e+06'],
    [1e100, '1e+100'],
    [0.0001, '0.0001'],
    [0.00009, '9e-05'],
    [1.5, '1.5'],
  ]
  for (const [value, printed] of cases) assert.equal(formatNumber(value), printed)
})

test('parseBool() knows the words of YAML 1.1 in any case, and no others', () => {
  for (const text of ['true', 'yes', 'on', 'y', 'TRUE', 'Yes', 'oN', 'Y']) assert.equal(parseBool(text), true, text)
  for (const text of ['false', 'no', 'off', 'n', 'FALSE', 'No', 'oFF', 'N']) assert.equal(parseBool(text), false, text)
  for (const text of ['', '1', '0', 't', 'f', 'truee', ' true']) assert.equal(parseBool(text), undefined, text)
})
