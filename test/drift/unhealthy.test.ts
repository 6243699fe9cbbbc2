import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { diagnose, noteOf, type Treated } from '../../src/drift/unhealthy.ts'
import type { UnhealthyAction } from '../../src/model/schedule.ts'
import type { ObservedContainer } from '../../src/targets/engine/observed.ts'
import { project, service } from '../targets/engine/plan/project.ts'
import { container } from './container.ts'

const ill = (more: Partial<ObservedContainer> = {}) => container({ health: 'unhealthy', ...more })
const shop = (onUnhealthy?: UnhealthyAction) => project([service('web', { onUnhealthy })])
const minute = 60_000

describe('diagnose()', () => {
  test('restarts at once, and then after waits that double up to five minutes', () => {
    let treated: ReadonlyMap<string, Treated> = new Map()
    let now = 0
    const waits: number[] = []
    for (let round = 0; round < 8; round++) {
      const found = diagnose(shop('restart'), [ill()], { treated, now })
      treated = found.treated
      assert.equal(found.restart.size, 1)
      const early = diagnose(shop('restart'), [ill()], { treated, now: now + 1 })
      assert.equal(early.restart.size, 0)
      waits.push(early.again! - now)
      now = early.again!
    }
    assert.deepEqual(waits, [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000])
    assert.match([...diagnose(shop('restart'), [ill()], { treated, now }).restart.values()][0]!, /for the 9th time/)
  })

  test('forgets what was before when it has been healthy for ten minutes', () => {
    const treated = new Map([['shop-web-1', { times: 3, last: 0, next: 0 }]])
    const well = ill({ health: 'healthy' })
    assert.equal(diagnose(shop('restart'), [well], { treated, now: 9 * minute }).treated.size, 1)
    assert.equal(diagnose(shop('restart'), [well], { treated, now: 10 * minute }).treated.size, 0)
  })

  test('stops what is to stop, and leaves alone what is not told of', () => {
    assert.deepEqual(
      diagnose(shop('stop'), [ill()], { treated: new Map(), now: 0 }).stop.map(({ id }) => id),
      ['a'],
    )
    for (const action of ['none', undefined] as const) {
      const found = diagnose(shop(action), [ill()], { treated: new Map(), now: 0 })
      assert.deepEqual([found.restart.size, found.stop.length, found.treated.size], [0, 0, 0])
    }
  })

  test('counts no one-off container, and none that does not run', () => {
    for (const more of [{ oneOff: true }, { state: 'paused' }] as const)
      assert.equal(diagnose(shop('restart'), [ill(more)], { treated: new Map(), now: 0 }).restart.size, 0)
  })
})

test('noteOf() says what was done, how often and when again', () => {
  const treated = { times: 2, last: 0, next: 20_000 }
  assert.equal(
    noteOf(treated, false, 5000),
    'restarted 2 times because it was unhealthy, again in 15 s at the earliest',
  )
  assert.equal(noteOf({ ...treated, times: 1 }, false, 30_000), 'restarted once because it was unhealthy')
  assert.equal(noteOf(treated, true, 0), 'stopped because it was unhealthy')
})
