import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { planJson, printPlan } from '../../src/plan/print.ts'
import { type Row, rowText, summarize, totals, totalsText } from '../../src/plan/summary.ts'
import { container, other, planOf } from './shop.ts'

const image = [{ path: 'image', from: 'a', to: 'b' }]

describe('summarize()', () => {
  const texts = (...plans: Parameters<typeof summarize>[0]) => summarize(plans).map(rowText)

  test('tells of things before services, of each once, and of no step on the way', () => {
    const plan = planOf(
      container('web-1', 'create'),
      container('web-1', 'wait'),
      other('network', 'front', 'create'),
      other('volume', 'data', 'remove'),
      other('network', 'back', 'wait'),
    )
    assert.deepEqual(texts(plan), [
      '+ network front: create  create it',
      '- volume data: remove  remove it · its data is lost',
      '+ web: create  create it',
    ])
  })

  test('takes replicas together with which the same happens for the same reason', () => {
    const plan = planOf(
      container('web-1', 'recreate', { changes: image }),
      container('web-2', 'recreate', { changes: image }),
      container('web-3', 'restart'),
      container('web-4', 'restart', { cause: 'asked' }),
      container('db-1', 'create', { cause: 'no container for replica 1' }),
      container('db-2', 'create', { cause: 'no container for replica 2' }),
    )
    assert.deepEqual(texts(plan), [
      '~ web: recreate 2 of 4  image a→b',
      '~ web: restart 1 of 4  restart it',
      '~ web: restart 1 of 4  asked',
      '+ db: create 2',
    ])
  })

  test('counts those that stay among all, but not what is new, and tells of none that all go', () => {
    const plan = planOf(
      container('web-1', 'recreate'),
      container('web-2', 'create'),
      container('db-1', 'remove'),
      container('job-1', 'run'),
    )
    plan.keep('web-3', 'running', 'web')
    plan.keep('db-2', 'running', 'db')
    plan.keep('stray', 'stopped')
    assert.deepEqual(texts(plan), [
      '~ web: recreate 1 of 2  recreate it',
      '+ web: create  create it',
      '- db: remove  remove it',
      '~ job: run  run it',
    ])
  })

  test('adds up what several plans do to one thing, and names a container of no service by its kind', () => {
    const stray = { ...container('stray', 'remove'), service: undefined }
    const [row, ...more] = summarize([planOf(stray), planOf({ ...stray, kind: 'stop', changes: image })])
    assert.deepEqual(more, [])
    assert.deepEqual(row, {
      kind: 'container',
      name: 'stray',
      action: 'remove',
      cause: 'remove it',
      changes: image,
      containers: ['stray'],
      destroys: false,
    })
  })
})

describe('rowText() says', () => {
  const row: Row = {
    kind: 'service',
    name: 'web',
    action: 'recreate',
    cause: 'c',
    changes: [],
    containers: ['a'],
    destroys: false,
  }
  for (const [change, text] of [
    [{}, '~ web: recreate  c'],
    [{ changes: image }, '~ web: recreate  image a→b'],
    [{ action: 'start', changes: image }, '~ web: start  c · image a→b'],
    [{ action: 'restart', changes: image }, '~ web: restart  c · image a→b'],
    [{ action: 'pull' }, '+ web: pull  c'],
    [{ action: 'create', containers: ['a', 'b'] }, '+ web: create 2'],
    [{ action: 'create', containers: ['a', 'b'], changes: image }, '+ web: create 2  image a→b'],
    [{ action: 'stop', containers: ['a', 'b'] }, '~ web: stop 2  c'],
    [{ action: 'build', cause: '' }, '~ web: build'],
    [{ kind: 'image', action: 'remove', containers: [], destroys: true }, '- image web: remove  c · its data is lost'],
  ] as const)
    test(text, () => assert.equal(rowText({ ...row, ...change }), text))
})

test('totals count containers and things one by one, in the order of the actions', () => {
  const rows = summarize([
    planOf(
      other('volume', 'data', 'other'),
      other('network', 'front', 'other'),
      container('web-1', 'in place'),
      container('api-1', 'create'),
      container('api-2', 'create'),
    ),
  ])
  assert.deepEqual(totals(rows), { other: 2, 'in place': 1, create: 2 })
  assert.equal(totalsText(rows), '2 to create, 1 in place, 2 other changes')
  assert.equal(totalsText(rows.slice(0, 1)), '1 other change')
  assert.equal(totalsText([]), 'no changes')
})

describe('the steps of a plan', () => {
  const plan = planOf(container('web-1', 'create'), container('w', 'wait', { service: undefined, services: ['web'] }))

  test('are lines in columns, with what is no letter shown as such', () => {
    const odd = planOf(...plan.nodes.map(({ operation }) => operation), other('network', 'a\x1b', 'remove'))
    assert.equal(
      printPlan(odd),
      [
        '#1       container web-1   create  create it\n',
        '#2 <1>   container w       wait    wait it\n',
        '#3 <2>   network   a\\x1b   remove  remove it\n',
      ].join(''),
    )
    assert.equal(printPlan(planOf()), '')
  })

  test('are data by their phases, with what they amount to', () => {
    const pulls = planOf({ ...other('volume', 'data', 'remove'), changes: image })
    plan.warn('slow')
    const json = planJson({ pulls, builds: planOf(), plan })
    assert.deepEqual(json, {
      version: 2,
      changes: [
        {
          ...{ kind: 'volume', name: 'data', action: 'remove', cause: 'remove it', containers: [], fields: image },
          destroys: true,
        },
        { kind: 'service', name: 'web', action: 'create', cause: 'create it', containers: ['web-1'], fields: [] },
      ],
      totals: { remove: 1, create: 1 },
      updates: [],
      steps: [
        { phase: 'pull', id: 1, after: [], resource: 'volume', name: 'data', operation: 'remove', cause: 'remove it' },
        {
          ...{ phase: 'apply', id: 1, after: [], resource: 'container', name: 'web-1', operation: 'create' },
          ...{ cause: 'create it', service: 'web' },
        },
        {
          ...{ phase: 'apply', id: 2, after: [1], resource: 'container', name: 'w', operation: 'wait' },
          ...{ cause: 'wait it', services: ['web'] },
        },
      ],
      warnings: ['slow'],
    })
  })
})
