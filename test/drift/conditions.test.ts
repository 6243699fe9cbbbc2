import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { tooEarly, unmetConditions, waitsFor } from '../../src/drift/conditions.ts'
import type { Condition } from '../../src/model/dependency.ts'
import type { ObservedContainer } from '../../src/targets/engine/observed.ts'
import { project, service } from '../targets/engine/plan/project.ts'
import { container } from './container.ts'

const needs = (name: string, condition: Condition, required = true) => ({
  [name]: { service: name, condition, required, restart: false },
})
const shop = (condition: Condition, required = true) =>
  project([
    service('db'),
    service('web', { restart: { kind: 'always' }, dependsOn: needs('db', condition, required) }),
    service('edge', { dependsOn: needs('web', 'started') }),
  ])
const db = (more: Partial<ObservedContainer>) => container({ id: 'd', name: 'shop-db-1', service: 'db', ...more })
const web = (more: Partial<ObservedContainer> = {}) => container({ id: 'w', service: 'web', ...more })
const ended = { state: 'exited', exitCode: 1 } as const

describe('unmetConditions()', () => {
  const rows: readonly (readonly [string, Condition, Partial<ObservedContainer>, boolean, string?])[] = [
    ['nothing that is healthy', 'healthy', { health: 'healthy' }, false],
    ['nothing without a check', 'healthy', {}, false],
    ['what is unhealthy', 'healthy', { health: 'unhealthy' }, false, 'waits for db, which is unhealthy'],
    ['what is not healthy yet', 'healthy', { health: 'starting' }, false, 'waits for db, which is not healthy yet'],
    ['what stays as it is', 'started', ended, true, 'waits for db, which does not run'],
    ['nothing that is about to be started', 'started', ended, false],
    ['nothing that merely runs', 'started', { health: 'unhealthy' }, false],
    ['what has not ended', 'completed', {}, false, 'waits for db, which has not ended'],
    ['nothing that has ended well', 'completed', { state: 'exited', exitCode: 0 }, true],
    ['what has ended badly', 'completed', ended, true, 'waits for db, which has ended with 1'],
  ]
  for (const [title, condition, more, stays, expected] of rows)
    test(`waits for ${title}, ${condition}`, () => {
      const containers = [db(more), web()]
      const unmet = unmetConditions({ project: shop(condition), containers, leaves: ({ id }) => stays && id === 'd' })
      const found = unmet.get('web')
      assert.equal(found && waitsFor(found), expected)
    })

  test('waits for nothing that is not required, or of which nothing is there', () => {
    const leaves = () => true
    const containers = [db({ health: 'unhealthy' }), web()]
    assert.equal(unmetConditions({ project: shop('healthy', false), containers, leaves }).size, 0)
    assert.equal(unmetConditions({ project: shop('healthy'), containers: [web()], leaves }).size, 0)
  })

  test('waits for what stays alone where a plan has the order', () => {
    const unmet = (more: Partial<ObservedContainer>, stays: boolean, condition: Condition = 'healthy') =>
      unmetConditions({
        ...{ project: shop(condition), containers: [db(more), web(ended)], inPlan: true },
        leaves: ({ id }) => stays && id === 'd',
      })
    assert.equal(unmet({ health: 'starting' }, false).size, 0)
    assert.equal(unmet(ended, false).size, 0)
    assert.deepEqual([...unmet(ended, true).keys()], ['web', 'edge'])
    assert.equal(unmet(ended, true, 'started').size, 0)
  })

  test('waits for what waits itself', () => {
    const containers = [db({ health: 'unhealthy' }), web(ended)]
    const unmet = unmetConditions({ project: shop('healthy'), containers, leaves: () => false })
    assert.deepEqual(unmet.get('edge'), { needed: 'web', why: 'does not run' })
  })
})

test('tooEarly() names what its engine starts again, and nothing that has run all the time', () => {
  const unmet = new Map([['web', { needed: 'db', why: 'is unhealthy' }]])
  const containers = [
    web({ id: 'crashed' }),
    web({ id: 'runs' }),
    web({ id: 'turning', state: 'restarting' }),
    web({ id: 'once', oneOff: true, state: 'restarting' }),
    db({ id: 'other', state: 'restarting' }),
  ]
  const found = tooEarly({ project: shop('healthy'), containers }, { unmet, crashed: new Set(['crashed', 'other']) })
  assert.deepEqual(
    found.map(({ id }) => id),
    ['crashed', 'turning'],
  )
})
