import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseTty } from '../../src/cli/tty.ts'

const sink = (isTTY: boolean) => ({ isTTY, write: () => true })
const choose = (stdinIsTTY: boolean, out: boolean, asked: boolean | undefined, more: object = {}) =>
  chooseTty({ stdinIsTTY, stdout: sink(out) }, { asked, interactive: true, detach: false, ...more })

test('chooseTty() takes a terminal where there is one at both ends, unless somebody said otherwise', () => {
  for (const stdin of [true, false])
    for (const out of [true, false]) {
      assert.equal(choose(stdin, out, undefined), stdin && out)
      assert.equal(choose(stdin, out, false), false)
    }
  assert.equal(choose(true, true, undefined, { detach: true }), false)
  assert.equal(choose(true, false, true), true)
})

test('chooseTty() refuses a terminal that is asked for where none is given to what runs', () => {
  assert.throws(() => choose(false, true, true), { kind: 'invalid', message: 'the input device is not a TTY' })
  assert.equal(choose(false, false, true, { interactive: false }), true)
  assert.equal(choose(false, false, true, { detach: true }), true)
})
