import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DetachKeys, parseDetachKeys } from '../../src/lib/detach-keys.ts'

function push(keys: DetachKeys, text: string) {
  const { pass, detach } = keys.push(Buffer.from(text))
  return [Buffer.from(pass).toString(), detach]
}

describe('parseDetachKeys()', () => {
  for (const [text, keys] of [
    ['', [16, 17]],
    ['ctrl-p,ctrl-q', [16, 17]],
    ['ctrl-A', [1]],
    ['ctrl-z,x', [26, 120]],
    ['ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_', [0, 27, 28, 29, 30, 31]],
  ] as const)
    test(`reads "${text}"`, () => assert.deepEqual(parseDetachKeys(text), keys))

  for (const text of ['ctrl-', 'ctrl-!', 'ctrl-ab', 'actrl-a', 'ab', 'ctrl-a,', ',', 'ctrl-1'])
    test(`refuses "${text}" in docker’s words`, () =>
      assert.throws(() => parseDetachKeys(text), {
        kind: 'invalid',
        message: `Invalid escape keys (${text}) provided`,
      }))
})

describe('DetachKeys', () => {
  test('pass everything but ctrl-p ctrl-q', () => {
    const keys = new DetachKeys()
    assert.deepEqual(push(keys, 'ls\r'), ['ls\r', false])
    assert.deepEqual(push(keys, 'a\x10'), ['a', false])
    assert.deepEqual(push(keys, 'b'), ['\x10b', false])
    assert.deepEqual(push(keys, '\x10\x10'), ['\x10', false])
    assert.deepEqual(push(keys, '\x11'), ['', true])
  })

  test('are found where they begin within what looked like them', () => {
    const keys = new DetachKeys('a,b,a,c')
    assert.deepEqual(push(keys, 'xabab'), ['xab', false])
    assert.deepEqual(push(keys, 'acrest'), ['', true])
    assert.deepEqual(push(new DetachKeys('a'), 'xa'), ['x', true])
  })
})
