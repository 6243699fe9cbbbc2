import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reconcile } from '../../../../src/targets/engine/plan/reconcile.ts'
import { changedVolumes, volumesOf } from '../../../../src/targets/engine/plan/volumes.ts'
import { applied, nothing, project, service, volume, volumeMount } from './project.ts'

const web = service('web', {
  mounts: [volumeMount('logs', '/l'), volumeMount('data', '/d'), volumeMount(undefined, '/x')],
})
const db = service('db', { mounts: [volumeMount('data', '/d'), volumeMount('own', '/o')] })

function shop(label: string, own: readonly string[] = ['data', 'logs', 'own', 'unused']) {
  const volumes = Object.fromEntries(own.map(key => [key, volume(key, { labels: { label } })]))
  return project([web, db], { volumes })
}

test('changedVolumes() names those that would be made anew, of all or of some services', () => {
  const observed = applied(reconcile(shop('a'), nothing()), nothing())
  const input = { project: shop('b'), observed }
  const all = Object.values(input.project.services)
  assert.deepEqual(
    changedVolumes({ ...input, services: all, all: true }),
    ['data', 'logs', 'own', 'unused'].map(each => `shop_${each}`),
  )
  assert.deepEqual(changedVolumes({ ...input, services: all }), ['shop_data', 'shop_logs', 'shop_own'])
  assert.deepEqual(changedVolumes({ ...input, services: [web] }), ['shop_data', 'shop_logs'])
  assert.deepEqual(changedVolumes({ ...input, services: [] }), [])
  assert.deepEqual(changedVolumes({ project: shop('a'), observed, services: all, all: true }), [])
  assert.deepEqual(changedVolumes({ ...input, observed: nothing(), services: all }), [])
})

test('volumesOf() names volumes that have a name once each, in their order', () => {
  assert.deepEqual(volumesOf([web, db]), ['data', 'logs', 'own'])
  assert.deepEqual(volumesOf([service('x')]), [])
})

test('reconcile() makes volumes of these names anew, and keeps others with a word', () => {
  const observed = applied(reconcile(shop('a'), nothing()), nothing())
  const plan = reconcile(shop('b'), observed, { recreateVolumes: new Set(['shop_own']) })
  const removed = plan.nodes.flatMap(({ operation }) => (operation.kind === 'remove-volume' ? [operation.name] : []))
  assert.deepEqual(removed, ['shop_own'])
  assert.deepEqual(
    plan.warnings.filter(text => text.startsWith('Volume')),
    ['data', 'logs', 'unused'].map(
      key => `Volume "${key}" is kept although its labels.label changed: making it anew would lose what is in it`,
    ),
  )
})
