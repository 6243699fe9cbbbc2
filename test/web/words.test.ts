import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServiceRow } from '../../src/view/stacks.ts'
import { agoText, bytesText, durationText, summaryOf } from '../../src/web/pages/words.ts'

const service = (name: string, condition: ServiceRow['condition']): ServiceRow => ({
  name,
  condition,
  replicas: [],
  needs: [],
})

test('summaryOf() counts services by state, the worst first', () => {
  assert.equal(
    summaryOf([service('a', 'running'), service('b', 'unhealthy'), service('c', 'running')]),
    '1 unhealthy, 2 running',
  )
  assert.equal(summaryOf([]), 'nothing is there')
})

test('times and sizes are told in words', () => {
  assert.deepEqual(
    [0, 10, 61, 3700, 90_000].map(s => agoText(0, s * 1000)),
    ['just now', '10 s ago', '1 min ago', '1 h ago', '1 d ago'],
  )
  assert.deepEqual([0, 1023, 1536, 300 * 1024 * 1024, 5 * 1024 ** 4].map(bytesText), [
    '0 B',
    '1023 B',
    '1.5 KiB',
    '300 MiB',
    '5.0 TiB',
  ])
  assert.deepEqual([12, 2500, 61_000].map(durationText), ['12 ms', '2.5 s', '1 min 1 s'])
})
