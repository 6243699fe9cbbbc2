import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseJson } from '../../src/engine/server/json.ts'
import { windowSize } from '../../src/engine/server/window-size.ts'

/** As a Docker Engine 28 answered. */
const wrong: readonly (readonly [text: string, message: string])[] = [
  ['{invalid', "invalid JSON: invalid character 'i' looking for beginning of object key string"],
  ['{"a":"b",}', "invalid JSON: invalid character '}' looking for beginning of object key string"],
  ['{"a":x}', "invalid JSON: invalid character 'x' looking for beginning of value"],
  ["['a']", "invalid JSON: invalid character '\\'' looking for beginning of value"],
  ['{"Image":"a"}{', 'unexpected content after JSON'],
  ['{"Image"', 'invalid JSON: unexpected EOF'],
  ['{"Image', 'invalid JSON: unexpected EOF'],
  ['[', 'invalid JSON: unexpected EOF'],
  ['nul', 'invalid JSON: unexpected EOF'],
]

test('parseJson() tells what is wrong as Go does', () => {
  for (const [text, message] of wrong) assert.throws(() => parseJson(text), { kind: 'invalid', message }, text)
  assert.deepEqual(parseJson('{"a":[1]}'), { a: [1] })
})

test('windowSize() takes what a terminal can be, and refuses the rest as Docker does', () => {
  assert.deepEqual(windowSize({ h: '24', w: '65535' }), { rows: 24, columns: 65535 })
  for (const [h, message] of [
    [undefined, 'invalid resize height "": invalid syntax'],
    ['x', 'invalid resize height "x": invalid syntax'],
    ['-1', 'invalid resize height "-1": value out of range'],
    ['65536', 'invalid resize height "65536": value out of range'],
    ['99999999999999999999999', 'invalid resize height "99999999999999999999999": value out of range'],
  ] as const)
    assert.throws(() => windowSize({ h, w: '1' }), { kind: 'invalid', message })
  assert.throws(() => windowSize({ h: '1' }), { message: 'invalid resize width "": invalid syntax' })
})
