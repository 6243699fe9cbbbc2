import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { refreshing } from '../../../../src/targets/engine/plan/refresh.ts'
import { image, project, service } from './project.ts'

const minute = 60_000
const every = (minutes: number) => ({ pullPolicy: { kind: 'interval', interval: minutes * minute * 1e6 } }) as const

describe('refreshing()', () => {
  const shop = project([
    service('web', { image: 'app', ...every(60) }),
    service('worker', { image: 'app', ...every(30) }),
    service('db', { image: 'db', ...every(10) }),
    service('built', { image: 'made', build: {} as never, ...every(1) }),
    service('init', { image: 'other', preStart: [{ image: 'setup', command: [] } as never], ...every(5) }),
    service('plain', { image: 'plain' }),
  ])
  const tagged = (times: Readonly<Record<string, number | undefined>>) =>
    new Map(Object.entries(times).map(([name, taggedAt]) => [name, image(name, { taggedAt })]))
  const at = (
    minutes: number,
    times: Parameters<typeof tagged>[0],
    more: { services?: readonly string[]; notBefore?: ReadonlyMap<string, number> } = {},
  ) => {
    const observed = { now: minutes * minute, images: tagged(times) }
    const { plans, next } = refreshing({ project: shop, observed, services: undefined, notBefore: new Map(), ...more })
    const operations = plans.flatMap(plan => plan.nodes.map(({ operation }) => operation))
    const due = operations.map(each =>
      each.kind === 'pull-image' ? `${each.name}: ${each.services.join(' ')}` : each.kind,
    )
    return { due, next: next === undefined ? undefined : next / minute }
  }

  test('asks for what is older than the shortest interval that its users have, each by itself', () => {
    assert.deepEqual(at(9, { app: 0, db: 0 }), { due: [], next: 10 })
    assert.deepEqual(at(10, { app: 0, db: 0 }), { due: ['db: db'], next: 30 })
    assert.deepEqual(at(31, { app: 0, db: 0 }), { due: ['app: web worker', 'db: db'], next: undefined })
  })

  test('asks for images of pre_start too, and for none that is built, or not here, or of others', () => {
    assert.deepEqual(at(99, { made: 0, plain: 0, setup: 0 }).due, ['setup: init'])
    assert.deepEqual(at(99, { app: 0, db: 0 }, { services: ['web'] }).due, ['app: web'])
    assert.deepEqual(at(59, { app: 0 }, { services: ['web'] }), { due: [], next: 60 })
  })

  test('waits after it has asked, where the engine does not tell that it has', () => {
    const notBefore = new Map([['db', 20 * minute]])
    assert.deepEqual(at(19, { db: 0 }, { notBefore }), { due: [], next: 20 })
    assert.deepEqual(at(20, { db: 0 }, { notBefore }).due, ['db: db'])
    assert.deepEqual(at(9, { db: undefined }, { notBefore: new Map() }).next, 10)
    assert.deepEqual(at(21, { db: 19 * minute }, { notBefore }), { due: [], next: 29 })
  })
})
