import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HealthSchedule, type ProbeHold, type ProbeOutcome } from '../../../src/engine/health/schedule.ts'
import {
  afterProbe,
  type HealthPlan,
  type HealthState,
  healthPlan,
  startingHealth,
  untilNextProbe,
} from '../../../src/engine/health/state.ts'
import { eventually } from '../../support/eventually.ts'

const plan = healthPlan({ Test: ['CMD', 'x'], Interval: 10e9, Retries: 2, StartPeriod: 60e9, StartInterval: 1e9 })!
const result = (ExitCode: number) => ({ Start: '', End: '', ExitCode, Output: '' })
const step = (state: HealthState, code: number, sinceStart: number, by: HealthPlan = plan) =>
  afterProbe(by, state, { result: result(code), sinceStart })

test('healthPlan() fills the defaults of Docker, and is nothing for NONE and an empty test', () => {
  assert.deepEqual(healthPlan({ Test: ['CMD-SHELL', 'true'] }), {
    test: ['CMD-SHELL', 'true'],
    interval: 30_000,
    timeout: 30_000,
    retries: 3,
    startPeriod: 0,
    startInterval: 5000,
  })
  assert.equal(healthPlan({ Test: ['NONE'] }), undefined)
  assert.equal(healthPlan({ Test: [] }), undefined)
  assert.equal(healthPlan(undefined), undefined)
})

test('failures within the start period do not count, a success ends it', () => {
  let state = step(startingHealth, 1, 1000)
  state = step(state, 1, 2000)
  assert.deepEqual([state.Status, state.FailingStreak, state.Log.length], ['starting', 0, 2])
  state = step(state, 0, 3000)
  assert.equal(state.Status, 'healthy')
  state = step(state, 1, 4000)
  assert.deepEqual([state.Status, state.FailingStreak], ['healthy', 1])
  assert.equal(step(state, 1, 5000).Status, 'unhealthy')
})

test('after the start period the retries run out, and one success heals', () => {
  const failed = step(step(startingHealth, 1, 61_000), 1, 71_000)
  assert.deepEqual([failed.Status, failed.FailingStreak], ['unhealthy', 2])
  assert.deepEqual([step(failed, 0, 81_000).Status, step(failed, 0, 81_000).FailingStreak], ['healthy', 0])
})

test('the log keeps the last five results', () => {
  let state = startingHealth
  for (let i = 0; i < 9; i++) state = step(state, i, 0)
  assert.deepEqual(
    state.Log.map(({ ExitCode }) => ExitCode),
    [4, 5, 6, 7, 8],
  )
})

test('probes come by start_interval while starting, by interval afterwards', () => {
  assert.equal(untilNextProbe(plan, startingHealth, 0), 1000)
  assert.equal(untilNextProbe(plan, startingHealth, 61_000), 10_000)
  assert.equal(untilNextProbe(plan, { ...startingHealth, Status: 'healthy' }, 0), 10_000)
})

const quick = { ...plan, interval: 1, startPeriod: 0, retries: 1 }

function schedule(probe: (hold: ProbeHold) => Promise<ProbeOutcome>, more: Partial<HealthPlan> = {}) {
  const seen: HealthState[] = []
  const health = new HealthSchedule({
    plan: { ...quick, ...more },
    startedAt: new Date(),
    state: startingHealth,
    probe: (_test, hold) => probe(hold),
    onState: state => seen.push(state),
  })
  return { seen, health }
}

test('a schedule probes one at a time and stops with the container', async () => {
  let running = 0
  let most = 0
  const { seen, health } = schedule(async () => {
    most = Math.max(most, ++running)
    await new Promise(resolve => setImmediate(resolve))
    running--
    return { exitCode: 0, output: 'x'.repeat(5000) }
  })
  await eventually('three probes', () => seen.length >= 3)
  await health.close()
  const count = seen.length
  await new Promise(resolve => setTimeout(resolve, 10))
  assert.deepEqual([most, seen.length], [1, count])
  assert.equal(seen[0]!.Log[0]!.Output.length, 4099)
})

test('a probe that takes too long is ended and counts as a failure', async () => {
  const { seen, health } = schedule(
    ({ signal, begun }) =>
      new Promise(resolve => {
        signal.addEventListener('abort', () => resolve({ exitCode: 137, output: '' }))
        begun()
      }),
    { timeout: 5 },
  )
  await eventually('the first result', () => seen.length > 0)
  await health.close()
  assert.equal(seen[0]!.Status, 'unhealthy')
  assert.match(seen[0]!.Log[0]!.Output, /Health check exceeded timeout/)
})

test('what making the process takes is not the test’s time', async () => {
  const { seen, health } = schedule(
    async ({ signal, begun }) => {
      await new Promise(resolve => setTimeout(resolve, 50))
      assert.equal(signal.aborted, false)
      begun()
      return { exitCode: 0, output: 'fine' }
    },
    { timeout: 5 },
  )
  await eventually('the first result', () => seen.length > 0)
  await health.close()
  assert.deepEqual([seen[0]!.Log[0]!.ExitCode, seen[0]!.Log[0]!.Output], [0, 'fine'])
})

test('a probe that cannot run counts as a failure and says why', async () => {
  const { seen, health } = schedule(async () => {
    throw new Error('no such file')
  })
  await eventually('the first result', () => seen.length > 0)
  await health.close()
  assert.deepEqual([seen[0]!.Log[0]!.ExitCode, seen[0]!.Log[0]!.Output], [-1, 'no such file'])
})
