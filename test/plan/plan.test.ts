import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProblemsFailure } from '../../src/lib/problems.ts'
import { Plan } from '../../src/plan/plan.ts'
import { project } from '../targets/engine/plan/project.ts'
import { container, other, planOf, words } from './shop.ts'

test('a node comes after nodes that are there, each named once, in their order', () => {
  const plan = planOf(container('web-1', 'create'), container('web-2', 'create'))
  assert.equal(plan.add(container('web-3', 'create'), [2, 1, 2]), 3)
  assert.deepEqual(
    plan.nodes.map(({ id, after }) => [id, after]),
    [
      [1, []],
      [2, [1]],
      [3, [1, 2]],
    ],
  )
  const wrong = (...after: number[]) => assert.throws(() => plan.add(container('x', 'create'), after), RangeError)
  wrong(0)
  wrong(4)
  wrong(1, 5)
  assert.equal(plan.nodes.length, 3)
})

test('more than nine nodes come in the order of their numbers', () => {
  const plan = planOf(...Array.from({ length: 10 }, (_, i) => container(`web-${i}`, 'create')))
  plan.add(container('last', 'create'), [10, 9, 2])
  assert.deepEqual(plan.nodes.at(-1)?.after, [2, 9, 10])
})

test('a plan knows what stays, whether it runs, and what destroys data', () => {
  const plan = planOf(other('volume', 'data', 'remove'), other('network', 'front', 'remove'))
  plan.keep('web-1', undefined, 'web')
  plan.keep('db-1', 'stopped')
  assert.deepEqual(plan.kept, [
    { name: 'web-1', state: 'running', service: 'web' },
    { name: 'db-1', state: 'stopped' },
  ])
  assert.deepEqual(plan.running, ['web-1'])
  assert.deepEqual(
    plan.destructive().map(({ id }) => id),
    [1],
  )
  assert.deepEqual([plan.empty, new Plan(words).empty], [false, true])
})

test('a plan collects what cannot be done and what to know, and refuses all of it at its end', () => {
  const plan = planOf()
  plan.settle()
  plan.warn('slow')
  const problem = { code: 'unsupported', message: 'Cannot' }
  plan.refuse(project([]), ['services', 'web'], problem)
  plan.collect(() => {
    throw new ProblemsFailure([{ severity: 'error', place: undefined, path: ['services', 'db'], ...problem }])
  })
  assert.throws(() => plan.collect(() => assert.fail('a fault')), /a fault/)
  assert.deepEqual(plan.warnings, ['slow'])
  assert.throws(() => plan.settle(), { message: 'services.web\n  Cannot\nservices.db\n  Cannot' })
})
