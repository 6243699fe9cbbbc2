import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Row } from '../../src/plan/summary.ts'
import { changesInWords } from '../../src/view/applies.ts'

test('changesInWords() names two changes with their causes set apart, services first, and counts the others', () => {
  const row = (name: string, more: Partial<Row>): Row => ({
    kind: 'service',
    name,
    action: 'create',
    cause: 'no container for replica 1',
    changes: [],
    containers: [name],
    destroys: false,
    ...more,
  })
  const changes = [
    row('shop_default', { kind: 'network', cause: 'it is not there', containers: [] }),
    row('db', {}),
    row('web', {
      action: 'recreate',
      changes: [{ path: 'environment.TAG', from: 'one', to: 'two' }],
    }),
  ]
  assert.equal(
    changesInWords(changes),
    '+ db: create (no container for replica 1), ~ web: recreate (environment.TAG one→two), 1 more',
  )
  assert.equal(changesInWords([row('web', { containers: ['a', 'b'] })]), '+ web: create 2')
})
