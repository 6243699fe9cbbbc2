/** Links: they follow the replicas of the service that they lead to. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Project } from '../../../../src/model/project.ts'
import type { Service } from '../../../../src/model/service.ts'
import { rowText, summarize } from '../../../../src/plan/summary.ts'
import type { Observed } from '../../../../src/targets/engine/observed.ts'
import { reconcile } from '../../../../src/targets/engine/plan/reconcile.ts'
import { applied, needs, nothing, project, service } from './project.ts'

const linked = (own: Partial<Service> = {}) =>
  service('web', { links: [{ service: 'db', alias: 'store' }], dependsOn: needs('db', 'started'), ...own })
const shop = (replicas: number, own: Partial<Service> = {}, web = linked()) =>
  project([service('db', { replicas, ...own }), web])
const bridge = { networkMode: { kind: 'other', value: 'bridge' }, networks: {} } as const

function up(stack: Project, observed = nothing()): Observed {
  return applied(reconcile(stack, observed), observed)
}

function rows(stack: Project, observed: Observed): readonly string[] {
  return summarize([reconcile(stack, observed)]).map(rowText)
}

for (const [from, to] of [
  [1, 2],
  [3, 1],
  [2, 0],
] as const)
  test(`a service is linked to all ${to} replicas of another that had ${from}, in place`, () => {
    const there = up(shop(from))
    assert.deepEqual(reconcile(shop(from), there).nodes, [])
    const plan = reconcile(shop(to), there)
    const connect = plan.nodes.find(({ operation }) => operation.kind === 'connect-network')?.operation
    assert.ok(connect?.kind === 'connect-network')
    const names = Array.from({ length: to }, (_, i) => `shop-db-${i + 1}:store`)
    assert.deepEqual(connect.endpoint.Links ?? [], names)
    assert.equal(
      plan.nodes.some(({ operation: { kind, name } }) => kind === 'create-container' && name.includes('web')),
      false,
    )
    assert.deepEqual(reconcile(shop(to), applied(plan, there)).nodes, [])
  })

test('the plan tells which links come', () => {
  assert.deepEqual(
    rows(shop(2), up(shop(1))).filter(row => row.includes('web')),
    ['~ web: in place  networks.default.links +shop-db-2:store'],
  )
})

test('links lead to the names that containers have in the end, of which nothing is made anew', () => {
  const there = up(shop(1))
  const plan = reconcile(shop(1, { command: ['other'] }), there)
  assert.deepEqual(
    plan.nodes.filter(({ operation: { name } }) => name.includes('web')),
    [],
  )
})

test('a link of the engine’s own bridge is settled when a container is made, and leads to one container', () => {
  const on = (replicas: number, own: Partial<Service> = {}) => shop(replicas, { ...bridge, ...own }, linked(bridge))
  const there = up(on(1))
  assert.deepEqual(reconcile(on(1), there).nodes, [])
  const scaled = reconcile(on(2), there)
  const made = (plan: ReturnType<typeof reconcile>) =>
    plan.nodes.flatMap(({ operation: each }) =>
      each.kind === 'create-container' ? [[each.name, each.cause, each.body.HostConfig?.Links ?? []]] : [],
    )
  assert.deepEqual(made(scaled), [
    ['shop-db-2', 'no container for replica 2', []],
    ['shop-web-1', 'links changed', ['shop-db-1:store', 'shop-db-2:store']],
  ])
  assert.deepEqual(reconcile(on(2), applied(scaled, there)).nodes, [])
  assert.deepEqual(made(reconcile(on(1, { command: ['other'] }), there)), [
    ['shop-db-1', 'command added', []],
    ['shop-web-1', 'db is recreated', ['shop-db-1:store']],
  ])
})
