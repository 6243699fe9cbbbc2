import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { PlanFailure } from '../../src/apply/plan-failure.ts'
import { Wish } from '../../src/drift/wish.ts'
import { Failure, type FailureKind } from '../../src/lib/failure.ts'
import type { Project } from '../../src/model/project.ts'
import type { PlanNode } from '../../src/plan/plan.ts'
import { project, service } from '../targets/engine/plan/project.ts'

const shop = project([
  service('db'),
  service('web', { dependsOn: { db: { service: 'db', condition: 'started', restart: false, required: true } } }),
  service('page'),
])

function failing(services: readonly string[], kind: FailureKind = 'conflict'): PlanFailure {
  const nodes = services.map((name, i): PlanNode => {
    const operation = { kind: 'start-container', cause: 'test', name: `shop-${name}-1`, service: name }
    return { id: i + 1, operation, after: [] }
  })
  const [first, ...left] = nodes
  return new PlanFailure([{ node: first!, failure: new Failure(kind, `${services[0]} failed`) }], left)
}

const means = (id: string) => new Map([['busybox', id]])
const tried = (wish: Wish, error: Error, of: Project = shop) => wish.attempt().failed(error, of)

describe('Wish', () => {
  test('is tried again by itself where nothing was wished for, or nobody could be asked', () => {
    const wish = new Wish()
    assert.equal(tried(wish, failing(['db'])), undefined)
    wish.changed({ left: false })
    assert.equal(tried(wish, failing(['db'], 'unavailable')), undefined)
    assert.equal(tried(wish, new Failure('conflict', 'the lock')), undefined)
    assert.notEqual(wish.due, undefined)
  })

  test('leaves what has failed, and what needs that, and goes on with the rest until that is done', () => {
    const wish = new Wish()
    wish.changed({ left: true })
    assert.deepEqual(tried(wish, failing(['db'])), { goesOn: true })
    assert.equal(wish.failure, 'db failed')
    const next = wish.attempt()
    assert.deepEqual(next.read, { left: true })
    assert.deepEqual(['db', 'web', 'page'].filter(next.isLeft), ['db', 'web'])
    next.differs('db')
    next.done()
    assert.equal(wish.due, undefined)
    assert.equal(wish.failure, 'db failed')
    assert.equal(wish.attempt().isWished, false)
  })

  test('tells of what fails after that as well, and goes on as long as something is left', () => {
    const wish = new Wish()
    wish.changed({ left: false })
    assert.deepEqual(tried(wish, failing(['db'])), { goesOn: true })
    assert.deepEqual(tried(wish, failing(['page'])), { goesOn: true })
    assert.equal(wish.failure, 'db failed\npage failed')
    // what belongs to no service would fail for ever
    assert.deepEqual(tried(wish, failing(['page'])), { goesOn: false })
    assert.equal(wish.due, undefined)
  })

  test('counts what was not begun for a failure as failed', () => {
    const wish = new Wish()
    wish.changed({ left: false })
    tried(wish, failing(['page', 'db']))
    assert.ok(['db', 'web', 'page'].every(wish.attempt().isLeft))
  })

  test('is whole again when the files change, when somebody changes what runs, and when all is as it should be', () => {
    for (const turn of [
      (wish: Wish) => wish.changed({ left: false }),
      (wish: Wish) => wish.again(),
      (wish: Wish) => wish.attempt().done(),
    ]) {
      const wish = new Wish()
      wish.changed({ left: false })
      tried(wish, failing(['db']))
      const due = wish.attempt()
      due.differs('db')
      due.done()
      turn(wish)
      assert.equal(wish.attempt().isLeft('db'), false)
    }
    const wish = new Wish()
    wish.again()
    assert.equal(wish.due, undefined)
  })

  test('is one when an image has become another, and is tried once for each', () => {
    const wish = new Wish()
    const look = (id: string) => {
      const attempt = wish.attempt()
      attempt.sees(means(id))
      return attempt
    }
    look('one').done()
    const same = look('one')
    assert.equal(same.isWished, false)
    assert.equal(same.failed(failing(['db']), shop), undefined)
    const other = look('two')
    assert.equal(other.isWished, true)
    assert.deepEqual(other.failed(failing(['db']), shop), { goesOn: true })
    const rest = look('two')
    assert.equal(rest.isLeft('db'), true)
    rest.differs('db')
    rest.done()
    assert.equal(look('two').isWished, false)
    const third = look('three')
    assert.equal(third.isWished, true)
    assert.equal(third.isLeft('db'), false)
    third.done()
    assert.equal(wish.failure, undefined)
  })

  test('is still due when what was looked at was cut off', () => {
    const wish = new Wish()
    wish.attempt().sees(means('one'))
    wish.changed({ left: false })
    wish.attempt()
    assert.notEqual(wish.attempt().read, undefined)
    const done = wish.attempt()
    wish.changed({ left: true })
    done.done()
    assert.deepEqual(wish.due, { left: true })
  })
})
