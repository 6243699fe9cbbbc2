import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Tidy } from '../../../src/engine/base/tidy.ts'

const megabyte = 1_000_000

test('memory is given back when nothing has been done for two seconds, and only when it is worth it', t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let size = 50 * megabyte
  const released: number[] = []
  const tidy = new Tidy({
    size: () => size,
    release: () => {
      released.push(size)
      size = 30 * megabyte
    },
  })
  const passes = (ms: number) => t.mock.timers.tick(ms)
  tidy.after()
  passes(1500)
  assert.deepEqual(released, [], 'not while something is done')
  tidy.after()
  passes(1500)
  assert.deepEqual(released, [], 'each deed begins the wait anew')
  passes(500)
  assert.deepEqual(released, [50 * megabyte])
  size = 37 * megabyte
  tidy.after()
  passes(10_000)
  assert.deepEqual(released, [50 * megabyte], 'seven megabytes are not worth a stop')
  size = 39 * megabyte
  passes(10_000)
  assert.deepEqual(released, [50 * megabyte], 'nothing wakes by itself')
  tidy.after()
  passes(2000)
  assert.deepEqual(released, [50 * megabyte, 39 * megabyte])
  size = 90 * megabyte
  tidy.after()
  tidy.close()
  passes(10_000)
  assert.equal(released.length, 2)
})

test('what this process has left behind is given back', t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const tidy = new Tidy()
  let left: unknown[] | undefined = Array.from({ length: 400_000 }, (_, i) => ({ i, text: `text ${i}` }))
  const before = process.memoryUsage().heapUsed
  assert.equal(left.length, 400_000)
  left = undefined
  tidy.after()
  t.mock.timers.tick(2000)
  assert.ok(process.memoryUsage().heapUsed < before - 10 * megabyte)
})
