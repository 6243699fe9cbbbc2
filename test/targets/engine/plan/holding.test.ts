/** What a plan is when nobody asks for it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Project } from '../../../../src/model/project.ts'
import type { Service } from '../../../../src/model/service.ts'
import type { Observed, ObservedContainer } from '../../../../src/targets/engine/observed.ts'
import { reconcile, type UpOptions } from '../../../../src/targets/engine/plan/reconcile.ts'
import { applied, needs, nothing, project, service } from './project.ts'

/** Each node as "start-container shop-web-1: cause". */
function lines(shop: Project, observed: Observed, options?: UpOptions): readonly string[] {
  return reconcile(shop, observed, options).nodes.map(({ operation: o }) => `${o.kind} ${o.name}: ${o.cause}`)
}

function up(shop: Project, observed = nothing(), change?: (c: ObservedContainer) => ObservedContainer): Observed {
  return applied(reconcile(shop, observed), observed, change)
}

test('reconcile() of who holds a stack leaves alone what shared a network with a container that somebody has removed', () => {
  const shop = project([
    service('vpn'),
    service('web', { networkMode: { kind: 'service', service: 'vpn' }, dependsOn: needs('vpn') }),
  ])
  const before = up(shop)
  const removed = { ...before, containers: before.containers.filter(each => each.service === 'web') }
  const holding = { leaves: () => false, stays: () => false, restarts: () => undefined }
  assert.deepEqual(lines(shop, removed, { holding, scale: { vpn: 0, web: 1 } }), [])
})

test('reconcile() of who holds a stack makes nothing anew that was stopped on purpose', () => {
  const before = project([service('web', { image: 'busybox' })])
  const after = project([service('web', { image: 'busybox', environment: { TAG: 'two' } })])
  const stopped = up(before, nothing(), c => ({ ...c, state: 'exited', exitCode: 137 }))
  const holding = (stays: boolean) => ({ leaves: () => stays, stays: () => stays, restarts: () => undefined })
  assert.deepEqual(lines(after, stopped, { holding: holding(true) }), [])
  assert.notDeepEqual(lines(after, stopped, { holding: holding(false) }), [])
})

test('reconcile() of who holds a stack begins no update again, which may have failed and gone back', () => {
  const web = (TAG: string) =>
    project([service('web', { environment: { TAG }, deploy: { update: {} } as Service['deploy'] })])
  const before = up(web('1'), nothing(), c => ({ ...c, state: 'exited', exitCode: 137 }))
  const holding = { leaves: () => false, stays: () => false, restarts: () => undefined, keepsVersions: () => true }
  assert.deepEqual(lines(web('2'), before, { holding }), ['start-container shop-web-1: it exited with code 137'])
  assert.ok(lines(web('2'), before, { holding: { ...holding, keepsVersions: () => false } })[0]!.startsWith('create'))
})

test('reconcile() of who holds a stack makes nothing of a service that has failed, and tells whether there were something to do', () => {
  const shop = (TAG: string) =>
    project([service('db', { environment: { TAG }, replicas: 2 }), service('web', { environment: { TAG } })])
  const before = up(shop('1'))
  const half = {
    ...before,
    containers: before.containers
      .filter(each => each.name !== 'shop-db-2')
      .map(each => (each.service === 'web' ? each : { ...each, state: 'exited' as const, exitCode: 1 })),
  }
  const told: string[] = []
  const holding = {
    leaves: () => false,
    stays: () => false,
    restarts: () => undefined,
    isLeft: (name: string) => name === 'db',
    differs: (name: string) => void told.push(name),
  }
  assert.ok(lines(shop('2'), half, { holding }).every(line => line.includes('shop-web-1')))
  assert.deepEqual(told, ['db'])
  assert.deepEqual(lines(shop('1'), before, { holding }), [])
  assert.deepEqual(told, ['db'])
  assert.deepEqual(lines(shop('1'), before, { holding: { ...holding, restarts: () => 'it is unhealthy' } }).length, 3)
})

test('reconcile() of who holds a stack restarts what follows, but for what a person has stopped', () => {
  const shop = project([
    service('db'),
    service('web', { replicas: 2, dependsOn: needs('db', 'started', { restart: true }) }),
  ])
  const half = up(shop, nothing(), c =>
    c.service === 'db' || c.number === 2 ? { ...c, state: 'exited', exitCode: 137 } : c,
  )
  const holding = {
    leaves: (c: ObservedContainer) => c.name === 'shop-web-2',
    stays: () => false,
    restarts: () => undefined,
  }
  assert.deepEqual(lines(shop, half, { holding }), [
    'start-container shop-db-1: it exited with code 137',
    'restart-container shop-web-1: db is started',
  ])
})

test('reconcile() of who holds a stack lets go on what is paused, where it is not left', () => {
  const shop = project([service('web')])
  const paused = up(shop, nothing(), c => ({ ...c, state: 'paused' }))
  const holding = (leaves: boolean) => ({ leaves: () => leaves, stays: () => false, restarts: () => undefined })
  assert.deepEqual(lines(shop, paused, { holding: holding(true) }), [])
  assert.deepEqual(
    lines(shop, paused, { holding: holding(false) }).map(line => line.split(':')[0]),
    ['unpause-container shop-web-1'],
  )
})
