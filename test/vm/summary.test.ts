/** What the virtual machine's run says at its end. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import results from './reporter.ts'
import { parseResults, summarize, type TestResult } from './summary.ts'

const result = (change: Partial<TestResult>): TestResult => ({
  file: '/srv/project/test/kernel/a.test.ts',
  name: 'starts',
  outcome: 'passed',
  seconds: 1,
  reason: '',
  ...change,
})

test('what was skipped is named with its reason, what failed is named, and the closing line counts', () => {
  const all = [
    result({}),
    result({ name: 'pulls', outcome: 'skipped', reason: 'needs the program "skopeo"' }),
    result({ name: 'stops', outcome: 'failed' }),
  ]
  assert.equal(
    summarize(all, '/srv/project'),
    [
      'skipped  test/kernel/a.test.ts: pulls: needs the program "skopeo"',
      'failed   test/kernel/a.test.ts: stops',
      '1 passed, 1 failed, 1 skipped',
    ].join('\n'),
  )
})

test('a line that the machine did not finish is no result', () => {
  const line = JSON.stringify(result({}))
  assert.deepEqual(parseResults(`${line}\n${line.slice(0, 20)}`), [result({})])
  assert.deepEqual(parseResults(''), [])
})

test('a reporter line for each test, and for a suite that is skipped whole or fails by itself', async () => {
  const details = { duration_ms: 1000, type: 'test' }
  const suite = { ...details, type: 'suite' }
  const failed = (failureType: string) => ({ ...suite, error: { failureType } })
  const events = [
    { type: 'test:start', data: { name: 'starts' } },
    { type: 'test:pass', data: { name: 'starts', file: 'a', details } },
    { type: 'test:pass', data: { name: 'skips', file: 'a', skip: 'needs root', details } },
    { type: 'test:fail', data: { name: 'fails', file: 'a', details } },
    { type: 'test:pass', data: { name: 'of tests', file: 'a', details: suite } },
    { type: 'test:fail', data: { name: 'of failures', file: 'a', details: failed('subtestsFailed') } },
    { type: 'test:fail', data: { name: 'left things behind', file: 'a', details: failed('hookFailed') } },
    { type: 'test:pass', data: { name: 'of a peer', file: 'a', skip: 'needs buildx', details: suite } },
  ]
  const lines = await Array.fromAsync(results(events.values() as never))
  assert.deepEqual(
    parseResults(lines.join('')).map(({ name, outcome, reason }) => [name, outcome, reason]),
    [
      ['starts', 'passed', ''],
      ['skips', 'skipped', 'needs root'],
      ['fails', 'failed', ''],
      ['left things behind', 'failed', ''],
      ['of a peer', 'skipped', 'needs buildx'],
    ],
  )
})
