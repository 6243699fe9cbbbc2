import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { applySetId, applySetParent } from '../../../src/targets/kubernetes/labels.ts'
import { contentName, objectName, partName } from '../../../src/targets/kubernetes/names.ts'

test('a name that a cluster takes stays, any other is told by what is left of it and a hash', () => {
  for (const name of ['web', 'a', 'web-1', 'x'.repeat(52)]) assert.equal(objectName(name), name)
  const others = ['My_Web', '1st', '_', 'web.', 'a-', 'x'.repeat(53), 'web_1', 'web-1-']
  const names = others.map(name => objectName(name))
  for (const name of names) {
    assert.match(name, /^[a-z]([-a-z0-9]*[a-z0-9])?-[0-9a-f]{6}$/)
    assert.ok(name.length <= 52)
  }
  assert.equal(new Set(names).size, others.length)
  assert.equal(objectName('My_Web'), `my-web-${hash('sha256', 'My_Web').slice(0, 6)}`)
  assert.equal(objectName('My_Web'), objectName('My_Web'))
})

test('parts of a stack go by its name and their key, others by the name they are given', () => {
  assert.equal(partName('shop', { key: 'data', name: 'shop_data' }), 'shop-data')
  assert.equal(partName('shop', { key: 'data', name: 'own' }), 'own')
  assert.equal(contentName('shop-page', 'ab'.repeat(32)), 'shop-page-ababababab')
})

test('the id of an ApplySet is that of KEP-3659', () => {
  // name.namespace.kind.group of the parent, whose group is empty
  const digest = hash('sha256', 'tscompose-shop.prod.ConfigMap.', 'base64url')
  const home = { project: 'shop', namespace: 'prod' }
  assert.equal(applySetId(home), `applyset-${digest}-v1`)
  assert.ok(applySetId(home).length <= 63)
  const { metadata } = applySetParent(home)
  assert.equal(metadata.labels['applyset.kubernetes.io/id'], applySetId(home))
  assert.equal(
    metadata.annotations?.['applyset.kubernetes.io/contains-group-kinds'],
    'ConfigMap,CronJob.batch,DaemonSet.apps,Deployment.apps,Job.batch,NetworkPolicy.networking.k8s.io,PersistentVolumeClaim,Secret,Service,StatefulSet.apps',
  )
})
