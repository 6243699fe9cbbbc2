import assert from 'node:assert/strict'
import { test } from 'node:test'
import { labels } from '../../../../src/targets/engine/labels.ts'
import type { ObservedContainer } from '../../../../src/targets/engine/observed.ts'
import { reconcile } from '../../../../src/targets/engine/plan/reconcile.ts'
import { graphOf, reversed } from '../../../../src/targets/engine/plan/service-order.ts'
import { planStop } from '../../../../src/targets/engine/plan/turn.ts'
import { applied, needs, nothing, project, service } from './project.ts'

const shop = project([service('a'), service('b', { dependsOn: needs('a') }), service('c', { dependsOn: needs('b') })])
const up = applied(reconcile(shop, nothing()), nothing())
const name = { name: 'shop' }

function labelled(own: Readonly<Record<string, string>>): readonly ObservedContainer[] {
  return up.containers.map(each => ({
    ...each,
    labels: { ...each.labels, [labels.dependsOn]: own[each.service] ?? '' },
  }))
}

test('without a stack the labels of containers say who needs whom', () => {
  const { edges } = graphOf(name, up.containers)
  assert.deepEqual(edges, [
    { from: 'b', to: 'a', labels: ['label'] },
    { from: 'c', to: 'b', labels: ['label'] },
  ])
})

test('a stack says it before labels do, also of services that are left out', () => {
  const stale = labelled({ a: 'c:service_started:true', b: 'b:service_started:true' })
  assert.deepEqual(
    graphOf(shop, stale).edges.map(({ from, to }) => `${from}>${to}`),
    ['b>a', 'c>b'],
  )
  const { c, ...rest } = shop.services
  const off = { ...shop, services: rest, disabledServices: { c: c! } }
  assert.deepEqual(
    graphOf(
      off,
      stale.filter(each => each.service !== 'c'),
    ).edges.map(({ from, to }) => `${from}>${to}`),
    ['b>a', 'c>b'],
  )
})

test('labels that contradict each other order nothing, and all is ended', () => {
  const containers = labelled({ a: 'b:service_started:true', b: 'a:service_started:true', c: 'c:service_started:true' })
  assert.deepEqual(graphOf(name, containers).edges, [])
  assert.deepEqual(graphOf(name, containers).nodes, ['a', 'b', 'c'])
  const plan = planStop(name, { ...up, containers })
  assert.deepEqual(plan.nodes.map(({ operation }) => operation.name).toSorted(), ['shop-a-1', 'shop-b-1', 'shop-c-1'])
  assert.ok(plan.nodes.every(({ after }) => after.length === 0))
})

test('what needs another one that has no container goes before what that one needs', () => {
  const without = up.containers.filter(each => each.service !== 'b')
  const seen: (readonly [string, readonly number[]])[] = []
  reversed(shop, without, (container, after) => {
    seen.push([container.name, after])
    return seen.length
  })
  assert.deepEqual(seen, [
    ['shop-c-1', []],
    ['shop-a-1', [1]],
  ])
})
