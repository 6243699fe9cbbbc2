import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Batches, batchesText } from '../../src/plan/batches.ts'

const names = (count: number) => Array.from({ length: count }, (_, i) => `web-${i + 1}`)
const one: Batches = { batches: names(3).map(name => [name]), parallelism: 1, order: 'start-first', onFailure: 'pause' }

describe('batchesText() says', () => {
  const cases: readonly (readonly [string, Partial<Batches>, readonly string[]])[] = [
    [
      'what comes one by one, and that a failure pauses it',
      {},
      ['one by one: web-1, web-2, web-3; start-first', 'when one fails: the update pauses'],
    ],
    [
      'batches, delay and how long each is watched',
      { batches: [['a', 'b'], ['c']], parallelism: 2, delay: 10_000, monitor: 1500 },
      ['2 at once, 10s apart: a, b · c; start-first; each watched for 1.5s', 'when one fails: the update pauses'],
    ],
    [
      'why the order is another, and what is let pass',
      {
        batches: [['a', 'b']],
        parallelism: 0,
        delay: 5,
        order: 'stop-first',
        why: 'both would write to /data',
        onFailure: 'continue',
        maxFailureRatio: 0.25,
      },
      ['all at once: a, b; stop-first, since both would write to /data', 'when more than 25 % fail: it goes on'],
    ],
    [
      'how it goes back',
      { onFailure: 'rollback', back: { parallelism: 2, order: 'stop-first', delay: 3000, monitor: 1000 } },
      [
        'one by one: web-1, web-2, web-3; start-first',
        'when one fails: back to the containers before, 2 at once, 3s apart, stop-first, each watched for 1s',
      ],
    ],
    [
      'of a single container no more than that',
      { batches: [['web-1']], onFailure: 'rollback', back: { parallelism: 1, order: 'start-first' } },
      ['web-1; start-first', 'when one fails: back to the container before, start-first'],
    ],
    [
      'the first and the last of many',
      { batches: names(50).map(name => [name]) },
      ['one by one: web-1 … web-50; start-first', 'when one fails: the update pauses'],
    ],
  ]
  for (const [title, given, text] of cases) test(title, () => assert.deepEqual(batchesText({ ...one, ...given }), text))
})
