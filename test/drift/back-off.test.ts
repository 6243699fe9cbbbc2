import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BackOff } from '../../src/drift/back-off.ts'

describe('BackOff', () => {
  test('lets a few pass, waits longer each time, and not at all after a long peace', () => {
    const backOff = new BackOff()
    assert.deepEqual(
      [0, 100, 200].map(now => backOff.wait('web', now)),
      [0, 0, 0],
    )
    assert.equal(backOff.wait('web', 300), 900)
    assert.equal(backOff.wait('db', 300), 0)
    assert.equal(backOff.wait('web', 1200), 0)
    assert.equal(backOff.wait('web', 1300), 1900)
    assert.equal(backOff.wait('web', 3200), 0)
    assert.equal(backOff.wait('web', 3200 + 40_001), 0)
    assert.equal(backOff.wait('web', 3200 + 40_002), 0)
  })
})
