import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Events } from '../../../src/engine/base/events.ts'
import { wallClock, wallTime } from '../../../src/engine/base/wall-clock.ts'
import { nanoseconds } from '../../../src/engine/logs/records.ts'
import { EngineBox } from '../containers/engine-box.ts'

/** Two clocks that are read in turn, as they are given. */
function clocks(readings: readonly (readonly [milliseconds: number, nanoseconds: bigint])[]) {
  let at = 0
  return {
    milliseconds: () => readings[at]![0],
    nanoseconds: () => readings[at++]![1],
  }
}

test('a moment is within its millisecond, in order, also over a clock that was set', () => {
  const readings = [
    [1000, 77_000_300n],
    [1000, 77_900_000n],
    // the counter's millisecond is not that of the clock
    [1000, 78_100_000n],
    [1001, 78_200_000n],
    [5000, 78_300_000n],
    [4000, 78_400_000n],
  ] as const
  const clock = clocks(readings)
  const answers = readings.map(() => wallClock(clock))
  for (const [i, answer] of answers.entries()) assert.equal(answer / 1_000_000n, BigInt(readings[i]![0]))
  assert.deepEqual(
    answers.slice(0, 5),
    answers.slice(0, 5).toSorted((a, b) => Number(a - b)),
  )
  const now = wallClock()
  assert.ok(Math.abs(Number(now / 1_000_000n) - Date.now()) < 60_000)
  assert.ok(wallClock() >= now)
})

test('wallTime() has all nine digits', () => {
  assert.equal(wallTime(1_795_979_325_004_488_365n), '2026-11-29T19:08:45.004488365Z')
})

test('an event is not after the time that the engine says when it has happened', () => {
  const events = new Events()
  // several moments of several milliseconds
  for (let i = 0; i < 2000; i++) {
    events.emit('volume', 'create', 'v')
    const { timeNano } = events.history.at(-1)!
    assert.ok(timeNano <= wallClock())
  }
  const times = events.history.map(({ timeNano }) => timeNano)
  assert.deepEqual(
    times,
    times.toSorted((a, b) => Number(a - b)),
  )
})

test('what has happened is not after the time that the engine says then: events until that time have it', async () => {
  await using box = await EngineBox.open()
  for (let i = 0; i < 50; i++) {
    box.engine.events.emit('volume', 'create', 'v')
    const { SystemTime = '' } = await box.engine.info()
    assert.ok(box.engine.events.history.at(-1)!.timeNano <= nanoseconds(SystemTime))
  }
})
