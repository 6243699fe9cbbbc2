import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseChmod } from '../../../../src/engine/build/files/mode.ts'

/** Words → a folder of 0755 and a file of 0644, as BuildKit 0.25 makes them. */
const words: Readonly<Record<string, readonly [folder: string, file: string]>> = {
  '755': ['755', '755'],
  '07777': ['7777', '7777'],
  'a=rwx': ['777', '777'],
  '=rw': ['666', '666'],
  'o=u': ['757', '646'],
  'u+t': ['1755', '1644'],
  '+t': ['1755', '1644'],
  'g+s': ['2755', '2644'],
  'u=rws': ['4655', '4644'],
  'a-rwx,u+r': ['400', '400'],
  '+w': ['777', '666'],
  'u=g': ['555', '444'],
  'ugo=': ['0', '0'],
  'o+s': ['755', '644'],
  '=': ['0', '0'],
  'u+rw-x': ['655', '644'],
  'g=u-w': ['755', '644'],
  '+s': ['6755', '6644'],
  'u=x+r': ['555', '544'],
  'a=X': ['111', '0'],
  'u+': ['755', '644'],
  '-x': ['644', '644'],
  'u=rwX,go=rX': ['755', '644'],
}

describe('parseChmod()', () => {
  for (const [text, [folder, file]] of Object.entries(words))
    test(`reads ${text}`, () => {
      const chmod = parseChmod(text)
      assert.equal(chmod.apply(0o755, true).toString(8), folder)
      assert.equal(chmod.apply(0o644, false).toString(8), file)
    })

  test('refuses what chmod would not take', () => {
    for (const text of ['uX', '777,', '77777', '0o755', '9z', '', 'u', 'b+x', 'u+rq', '-1'])
      assert.throws(() => parseChmod(text), { kind: 'invalid' }, text)
  })
})
