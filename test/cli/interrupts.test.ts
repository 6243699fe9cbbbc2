import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Interrupts } from '../../src/cli/interrupts.ts'

test('hangUp() changes nothing while something goes on without a terminal, and from then on', () => {
  const interrupts = new Interrupts()
  {
    using _unseen = interrupts.endure()
    assert.equal(interrupts.hangUp(), true)
  }
  assert.equal(interrupts.hungUp, true)
  assert.equal(interrupts.hangUp(), true)
  assert.equal(interrupts.signal.aborted, false)
})

test('hangUp() is an interrupt like any other before and after what goes on', () => {
  const interrupts = new Interrupts()
  assert.equal(interrupts.hangUp(), false)
  interrupts.endure()[Symbol.dispose]()
  assert.equal(interrupts.hangUp(), false)
  assert.equal(interrupts.hungUp, false)
})

test('endure() leaves ^C what it is', () => {
  const interrupts = new Interrupts()
  using _unseen = interrupts.endure()
  assert.equal(interrupts.fire(), 'wait')
  assert.equal(interrupts.signal.aborted, true)
})
