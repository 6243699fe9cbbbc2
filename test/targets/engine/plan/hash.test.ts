import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Service } from '../../../../src/model/service.ts'
import { describeChange, type Fields } from '../../../../src/targets/engine/plan/fields.ts'
import { configHash, hashNetwork, hashService, hashVolume } from '../../../../src/targets/engine/plan/hash.ts'
import { describeReplacement, textChanges } from '../../../../src/targets/engine/plan/live-fields.ts'
import { attachment, needs, network, project, service, volume, volumeMount } from './project.ts'

const none = new Map<string, string>()

function hash(own: Partial<Service>, files = none) {
  const web = service('web', own)
  const secrets = {
    key: { key: 'key', name: 'shop_key', labels: {}, source: { kind: 'file', file: '/srv/key' } as const },
  }
  return hashService(project([web], { secrets }), web, files)
}

test('hashService() does not depend on the order of keys', () => {
  assert.equal(hash({ environment: { A: '1', B: '2' } }).hash, hash({ environment: { B: '2', A: '1' } }).hash)
})

for (const [field, own] of Object.entries({
  scale: { replicas: 5 },
  depends_on: { dependsOn: needs('db') },
  profiles: { profiles: ['debug'] },
  pull_policy: { pullPolicy: { kind: 'always' } },
  attach: { attach: false },
} satisfies Record<string, Partial<Service>>))
  test(`hashService() is not changed by ${field}, which no container has`, () => {
    assert.equal(hash(own).hash, hash({}).hash)
  })

for (const [change, before, after] of [
  ['environment.TAG changed', { environment: { TAG: '1' } }, { environment: { TAG: '2' } }],
  ['environment.NEW added', {}, { environment: { NEW: '' } }],
  ['image changed', {}, { image: 'busybox:2' }],
  ['command added', {}, { command: [] }],
  [
    'mem_swappiness changed',
    { limits: { memorySwappiness: 1, oomKillDisable: false } },
    { limits: { memorySwappiness: 2, oomKillDisable: false } },
  ],
  ['ports removed', { ports: [{ target: 80, protocol: 'tcp', mode: 'ingress', path: [] }] }, {}],
  ['volumes./data added', {}, { mounts: [volumeMount('data', '/data')] }],
  ['init changed', { init: true }, { init: false }],
  ['cap_add added, privileged added', {}, { privileged: true, capAdd: ['NET_ADMIN'] }],
] satisfies readonly (readonly [string, Partial<Service>, Partial<Service>])[])
  test(`describeChange() says "${change}"`, () => {
    const [a, b] = [hash(before), hash(after)]
    assert.notEqual(a.hash, b.hash)
    assert.equal(describeChange(a.fields, b.fields), change)
  })

for (const [field, own] of Object.entries({
  mem_limit: { limits: { memory: 2 ** 26, oomKillDisable: false } },
  restart: { restart: { kind: 'always' } },
  'networks.front': { networks: { default: attachment('default'), front: attachment('front') } },
} satisfies Record<string, Partial<Service>>))
  test(`hashService() is not changed by ${field}, which changes on a container as it is`, () => {
    const [a, b] = [hash({}), hash(own)]
    assert.equal(a.hash, b.hash)
    assert.equal(describeChange(a.fields, b.fields), `${field} added`)
    assert.equal(describeReplacement(a.fields, b.fields), undefined)
  })

test('describeChange() counts what it does not name', () => {
  const [a, b] = [hash({}), hash({ environment: { A: '', B: '', C: '', D: '', E: '' } })]
  assert.equal(
    describeChange(a.fields, b.fields),
    'environment.A added, environment.B added, environment.C added and 2 more',
  )
})

test('hashService() changes with the content of a secret’s file, and stores no value', () => {
  const own = {
    secrets: [{ source: 'key', target: '/run/secrets/key', path: [] }],
    environment: { PASSWORD: 'hunter2' },
  }
  const [a, b] = [hash(own, new Map([['/srv/key', 'aaa']])), hash(own, new Map([['/srv/key', 'bbb']]))]
  assert.equal(describeChange(a.fields, b.fields), 'secrets.key.content changed')
  assert.doesNotMatch(JSON.stringify(a.fields), /hunter2|aaa/)
})

test('hashService() is not changed by the text of a config, which it tells apart, and never of an unset variable', () => {
  const of = (content: string | undefined) => {
    const web = service('web', {
      configs: [{ source: 'c', target: '/c', path: [] }],
      secrets: [{ source: 's', target: '/s', path: [] }],
    })
    const shop = project([web], {
      configs: { c: { key: 'c', name: 'c', labels: {}, source: { kind: 'content', content: content ?? '' } } },
      secrets: {
        s: { key: 's', name: 's', labels: {}, source: { kind: 'environment', variable: 'S', value: content } },
      },
    })
    return hashService(shop, web, new Map())
  }
  const [a, b, unset] = [of('a'), of('b'), of(undefined)]
  assert.equal(a.hash, b.hash)
  assert.equal(describeReplacement(a.fields, b.fields), undefined)
  const paths = (after: Fields) => textChanges(a.fields, after).map(({ path }) => path)
  assert.deepEqual(paths(b.fields), ['configs.c.text', 'secrets.s.text'])
  assert.deepEqual(paths(unset.fields), ['configs.c.text'])
})

test('hashService() changes with each reference to one config', () => {
  const at = (second: string) =>
    hash({ secrets: ['/a', second].map(target => ({ source: 'key', target, path: [] })) }, new Map([['/srv/key', 'a']]))
  assert.equal(describeChange(at('/b').fields, at('/c').fields), 'secrets.key./b removed, secrets.key./c added')
})

test('hashNetwork() and hashVolume() name the field that changed', () => {
  const mtu = { 'com.docker.network.driver.mtu': '1400' }
  assert.equal(
    describeChange(
      hashNetwork(network('front')).fields,
      hashNetwork(network('front', { driverOpts: mtu, internal: true })).fields,
    ),
    'driver_opts.com.docker.network.driver.mtu added, internal added',
  )
  const change = describeChange(hashVolume(volume('data')).fields, hashVolume(volume('data', { driver: 'nfs' })).fields)
  assert.equal(change, 'driver added')
})

test('configHash() is that of the service, and tells of one that is not there', () => {
  const shop = project([service('web')])
  assert.equal(configHash(shop, 'web', none), hashService(shop, shop.services['web']!, none).hash)
  assert.throws(() => configHash(shop, 'db', none), {
    kind: 'not-found',
    message: 'Cannot hash service "db": it is not in the stack',
  })
})

test('hashNetwork() takes what is said against a default for something, and what is said of one for nothing', () => {
  const of = (own: Parameters<typeof network>[1]) => hashNetwork(network('n', own)).hash
  assert.notEqual(of({ enableIPv4: false }), of({}))
  assert.notEqual(of({ enableIPv6: true }), of({}))
  for (const own of [{ enableIPv6: false }, { internal: false }, { labels: {} }, { driverOpts: {} }])
    assert.equal(of(own), of({}), JSON.stringify(own))
})
