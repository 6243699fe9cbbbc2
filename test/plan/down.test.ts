import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFailure } from '../../src/lib/failure.ts'
import type { Project } from '../../src/model/project.ts'
import { planDown, planKill, planPause, planRemove, planRestart, planStart, planStop } from '../../src/plan/down.ts'
import type { Observed } from '../../src/plan/observed.ts'
import type { Plan } from '../../src/plan/plan.ts'
import { reconcile } from '../../src/plan/reconcile.ts'
import { applied, healthcheck, needs, network, nothing, project, service, volume, volumeMount } from './project.ts'

function lines(plan: Plan): readonly string[] {
  return plan.nodes.map(
    ({ id, after, operation: o }) => `#${id}${after.length > 0 ? ` <${after.join(',')}>` : ''} ${o.kind} ${o.name}`,
  )
}

function up(shop: Project, observed = nothing()): Observed {
  return applied(reconcile(shop, observed), observed)
}

const shop = project(
  [
    service('db', { healthcheck, mounts: [volumeMount('data', '/data')] }),
    service('cache'),
    service('web', { dependsOn: { ...needs('db', 'healthy', { restart: true }), ...needs('cache') } }),
  ],
  { volumes: { data: volume('data') } },
)

test('planDown() stops dependents first, independent ones side by side, and removes networks when they are free', () => {
  assert.deepEqual(lines(planDown(shop, up(shop))), [
    '#1 stop-container shop-web-1',
    '#2 <1> remove-container shop-web-1',
    '#3 <2> stop-container shop-db-1',
    '#4 <3> remove-container shop-db-1',
    '#5 <2> stop-container shop-cache-1',
    '#6 <5> remove-container shop-cache-1',
    '#7 <2,4,6> remove-network shop_default',
  ])
})

test('planDown() with `volumes` removes named volumes once nobody mounts them, and says that this destroys', () => {
  const plan = planDown(shop, up(shop), { volumes: true })
  assert.equal(lines(plan).at(-1), '#8 <4> remove-volume shop_data')
  assert.deepEqual(
    plan.destructive().map(n => n.operation.name),
    ['shop_data'],
  )
  const removal = plan.nodes[1]!.operation
  assert.ok(removal.kind === 'remove-container' && removal.volumes)
})

test('planDown() leaves what is not of this project, external networks and orphans alone', () => {
  const before = up(project([service('old'), ...Object.values(shop.services)], { volumes: shop.volumes }))
  const observed = {
    ...before,
    networks: new Map([...before.networks, ['other', { id: 'o', name: 'other', labels: {} }]]),
    volumes: new Map([...before.volumes, ['shop_loose', { name: 'shop_loose', labels: {} }]]),
  }
  const plain = lines(planDown(shop, observed, { volumes: true }))
  assert.ok(!plain.some(line => /other|loose|old/.test(line)))
  assert.ok(
    lines(planDown(shop, observed, { removeOrphans: true })).some(line => line.endsWith('remove-container shop-old-1')),
  )
})

test('planDown() without a stack file takes the order from the labels', () => {
  assert.deepEqual(lines(planDown({ name: 'shop' }, up(shop))), lines(planDown(shop, up(shop))))
})

test('planDown() of named services leaves networks and the rest', () => {
  assert.deepEqual(lines(planDown(shop, up(shop), { services: ['cache'] })), [
    '#1 stop-container shop-cache-1',
    '#2 <1> remove-container shop-cache-1',
  ])
  assert.throws(
    () => planDown(shop, up(shop), { services: ['nope'] }),
    (error: unknown) => isFailure(error, 'not-found') && error.message === 'no such service: nope',
  )
})

test('planDown() of nothing is empty', () => {
  assert.ok(planDown(shop, nothing()).empty)
})

test('planStop() stops what runs, planStart() starts it again after what it needs is healthy', () => {
  const before = up(shop)
  const stopped = applied(planStop(shop, before, { timeout: 1 }), before)
  assert.ok(planStop(shop, stopped).empty)
  assert.deepEqual(lines(planStart(shop, stopped)), [
    '#1 start-container shop-cache-1',
    '#2 start-container shop-db-1',
    '#3 <2> wait-container shop-db-1',
    '#4 <1,2,3> start-container shop-web-1',
  ])
  assert.ok(planStart(shop, up(shop)).empty)
})

test('planRestart() takes along those with `restart: true`, unless told not to', () => {
  const before = up(shop)
  assert.deepEqual(lines(planRestart(shop, before, { services: ['db'] })), [
    '#1 restart-container shop-db-1',
    '#2 <1> restart-container shop-web-1',
  ])
  assert.equal(planRestart(shop, before, { services: ['db'], noDeps: true }).nodes.length, 1)
  assert.equal(planRestart(shop, before, { services: ['cache'] }).nodes.length, 1)
})

test('planRestart() takes along those that live in its network namespace', () => {
  const vpn = project([
    service('vpn'),
    service('web', { networkMode: { kind: 'service', service: 'vpn' }, dependsOn: needs('vpn') }),
  ])
  const causes = planRestart(vpn, up(vpn), { services: ['vpn'] }).nodes.map(
    n => `${n.operation.name}: ${n.operation.cause}`,
  )
  assert.deepEqual(causes, ['shop-vpn-1: asked for', 'shop-web-1: vpn is restarted'])
})

test('planKill() and planPause() take what runs, planRemove() what does not, unless told to stop it', () => {
  const before = up(shop)
  assert.equal(planKill(shop, before, { services: ['db'], signal: 'HUP' }).nodes.length, 1)
  assert.equal(planPause(shop, before).nodes.length, 3)
  assert.ok(planRemove(shop, before).empty)
  assert.equal(planRemove(shop, before, { stop: true }).nodes.length, 6)
  const stopped = applied(planStop(shop, before), before)
  assert.equal(planRemove(shop, stopped, { services: ['web'], volumes: true }).nodes.length, 1)
})

test('planDown() goes through a chain whose middle has no container', () => {
  const chain = project(
    [service('a'), service('b', { dependsOn: needs('a') }), service('c', { dependsOn: needs('b') })],
    {
      networks: { default: network('default') },
    },
  )
  const before = up(chain)
  const observed = { ...before, containers: before.containers.filter(c => c.service !== 'b') }
  assert.equal(lines(planDown(chain, observed))[2], '#3 <2> stop-container shop-a-1')
})
