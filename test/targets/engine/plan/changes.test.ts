/** Old and new value of each field that differs, as a plan tells them. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Project } from '../../../../src/model/project.ts'
import type { Service } from '../../../../src/model/service.ts'
import { changesText } from '../../../../src/plan/change.ts'
import { planJson } from '../../../../src/plan/print.ts'
import { rowText, summarize, totalsText } from '../../../../src/plan/summary.ts'
import { EnginePlan } from '../../../../src/targets/engine/engine-plan.ts'
import type { Observed } from '../../../../src/targets/engine/observed.ts'
import { reconcile } from '../../../../src/targets/engine/plan/reconcile.ts'
import { applied, healthcheck, image, network, nothing, project, service, volume, volumeMount } from './project.ts'

function up(shop: Project, observed = nothing()): Observed {
  return applied(reconcile(shop, observed), observed)
}

/** What the plan says of web once it is `after` and runs as `before`. */
function changes(before: Partial<Service>, after: Partial<Service>, files?: readonly [string, string]): string {
  const of = (own: Partial<Service>) =>
    project([service('web', own)], {
      volumes: { data: volume('data') },
      secrets: { key: { key: 'key', name: 'shop_key', labels: {}, source: { kind: 'file', file: '/srv/key' } } },
    })
  const withFile = (at: 0 | 1): Partial<Observed> => ({ files: new Map(files ? [['/srv/key', files[at]]] : []) })
  const there = up(of(before), nothing(withFile(0)))
  const plan = reconcile(of(after), { ...there, ...withFile(1) })
  return summarize([plan])
    .filter(({ kind }) => kind === 'service')
    .map(row => changesText(row.changes))
    .join('\n')
}

const limits = (own: object) => ({ limits: { oomKillDisable: false, ...own } })
const port = (target: number, published?: string) => ({
  ...({ target, protocol: 'tcp', mode: 'ingress', path: [] as string[] } as const),
  ...(published === undefined ? {} : { published }),
})

for (const [said, before, after] of [
  ['image a→b', { image: 'a' }, { image: 'b' }],
  ['environment.TAG 1→2', { environment: { TAG: '1' } }, { environment: { TAG: '2' } }],
  ['environment.NEW +x', {}, { environment: { NEW: 'x' } }],
  ['environment.OLD -x', { environment: { OLD: 'x' } }, {}],
  ['environment.EMPTY 1→""', { environment: { EMPTY: '1' } }, { environment: { EMPTY: '' } }],
  ['command sleep 1→sh -c "sleep 2"', { command: ['sleep', '1'] }, { command: ['sh', '-c', 'sleep 2'] }],
  ['ports +8443:443', { ports: [port(80, '8080')] }, { ports: [port(80, '8080'), port(443, '8443')] }],
  ['ports 8080:80→8081:80', { ports: [port(80, '8080')] }, { ports: [port(80, '8081')] }],
  ['ports +80', {}, { ports: [port(80)] }],
  ['stop_grace_period 5s→10s', { stopGracePeriod: 5e9 }, { stopGracePeriod: 10e9 }],
  ['cap_add +NET_ADMIN · privileged +true', {}, { capAdd: ['NET_ADMIN'], privileged: true }],
  ['init false→true', { init: false }, { init: true }],
  ['volumes./data +shop_data', {}, { mounts: [volumeMount('data', '/data')] }],
  [
    'healthcheck.interval 5s→1m30s',
    { healthcheck: { ...healthcheck, interval: 5e9 } },
    { healthcheck: { ...healthcheck, interval: 90e9 } },
  ],
  [
    'ulimits.nofile 1024→1024:2048',
    { ulimits: [{ name: 'nofile', soft: 1024, hard: 1024 }] },
    { ulimits: [{ name: 'nofile', soft: 1024, hard: 2048 }] },
  ],
  ['shm_size 64m→1g', { shmSize: 64 * 1024 ** 2 }, { shmSize: 1024 ** 3 }],
  ['oom_score_adj 1→2', limits({ oomScoreAdj: 1 }), limits({ oomScoreAdj: 2 })],
] satisfies readonly (readonly [string, Partial<Service>, Partial<Service>])[])
  test(`a plan says "${said}"`, () => {
    assert.equal(changes(before, after), said)
  })

describe('what looks secret', () => {
  for (const [name, value] of [
    ['DB_PASSWORD', 'hunter2'],
    ['API_TOKEN', 'hunter2'],
    ['AWS_SECRET', 'hunter2'],
    ['KEY', 'hunter2'],
    ['DATABASE_URL', 'postgres://shop:hunter2@db/shop'],
    ['OPTIONS', '--password=hunter2'],
  ] as const)
    test(`${name} is told by hashes alone`, () => {
      const said = changes({ environment: { [name]: 'x' } }, { environment: { [name]: value } })
      assert.match(said, new RegExp(`^environment\\.${name} (x|#[0-9a-f]{8})→#[0-9a-f]{8}$`))
      const back = changes({ environment: { [name]: value } }, { environment: { [name]: 'x' } })
      assert.doesNotMatch(back, /hunter2/)
    })

  test('a command with a password in it is told by hashes', () => {
    const said = changes({ command: ['redis-server', '--requirepass', 'hunter2'] }, { command: ['redis-server'] })
    assert.match(said, /^command #[0-9a-f]{8}→redis-server$/)
  })

  test('AUTHOR and KEYBOARD are no secrets', () => {
    assert.equal(
      changes({}, { environment: { AUTHOR: 'me', KEYBOARD: 'de' } }),
      'environment.AUTHOR +me · environment.KEYBOARD +de',
    )
  })
})

test('a changed file of a secret is told by short hashes', () => {
  const own = { secrets: [{ source: 'key', target: '/run/secrets/key', path: [] }] }
  assert.match(changes(own, own, ['aaa', 'bbb']), /^secrets\.key\.content #[0-9a-f]{8}→#[0-9a-f]{8}$/)
})

test('an image of another digest is told by twelve digits of each', () => {
  const digest = (digit: string) => image(`sha256:${digit.repeat(64)}`)
  const shop = project([service('web')])
  const there = up(shop, nothing({ images: new Map([['busybox', digest('a')]]) }))
  const [row] = summarize([reconcile(shop, { ...there, images: new Map([['busybox', digest('b')]]) })])
  assert.equal(rowText(row!), `~ web: recreate  image digest ${'a'.repeat(12)}→${'b'.repeat(12)}`)
})

test('what a container has of its image alone is no change', () => {
  const of = (own: Partial<Service>) => project([service('web', own)])
  const there = up(of({ environment: { TAG: '1' } }))
  const containers = there.containers.map(c => ({
    ...c,
    made: {
      ...c.made!,
      config: { ...c.made!.config, Env: ['TAG=1', 'PATH=/bin'], Cmd: ['nginx'], WorkingDir: '/srv' },
    },
  }))
  const [row] = summarize([reconcile(of({ environment: { TAG: '2' } }), { ...there, containers })])
  assert.equal(rowText(row!), '~ web: recreate  environment.TAG 1→2')
})

test('of a container that Docker Compose made the fields are found by their values', () => {
  const of = (own: Partial<Service>) => project([service('web', { command: ['top'], ...own })])
  const there = up(of({ environment: { TAG: '1' } }))
  const containers = there.containers.map(({ labels, ...c }) => ({
    ...c,
    labels: { ...labels, 'com.docker.compose.config-hash': 'theirs', 'tscompose.fields': '' },
  }))
  const [row] = summarize([reconcile(of({ environment: { TAG: '2' } }), { ...there, containers })])
  assert.equal(rowText(row!), '~ web: recreate  environment.TAG 1→2')
})

test('networks and volumes are told with the member that differs', () => {
  const of = (subnet: string, type: string) =>
    project([service('web', { mounts: [volumeMount('data', '/data')] })], {
      networks: { default: network('default', { ipam: { config: [{ subnet, auxAddresses: {} }], options: {} } }) },
      volumes: { data: volume('data', { driverOpts: { type, o: 'username=a,password=hunter2' } }) },
    })
  const there = up(of('10.0.0.0/24', 'nfs'))
  const plan = reconcile(of('10.1.0.0/24', 'tmpfs'), there, { recreateVolumes: true })
  const [first, second] = summarize([plan]).map(rowText)
  assert.equal(first, '~ network shop_default: recreate  subnet 10.0.0.0/24→10.1.0.0/24')
  assert.equal(second, '~ volume shop_data: recreate  driver_opts.type nfs→tmpfs · its data is lost')
})

test('replicas with which the same happens are one line, and totals count each', () => {
  const of = (replicas: number, tag: string) =>
    project([service('web', { replicas, environment: { TAG: tag } }), service('db')])
  const there = up(of(2, '1'))
  const rows = summarize([reconcile(of(4, '2'), there)])
  assert.deepEqual(rows.map(rowText), ['~ web: recreate 2  environment.TAG 1→2', '+ web: create 2'])
  assert.equal(totalsText(rows), '2 to create, 2 to recreate')
  assert.equal(totalsText([]), 'no changes')
})

test('what happens to one of several replicas says so', () => {
  const shop = project([service('web', { replicas: 3 })])
  const there = up(shop)
  const containers = there.containers.map(c => (c.number === 2 ? { ...c, state: 'exited' as const, exitCode: 1 } : c))
  assert.deepEqual(summarize([reconcile(shop, { ...there, containers })]).map(rowText), [
    '~ web: start 1 of 3  it exited with code 1',
  ])
})

test('planJson() holds fields with values, totals and steps, and no body', () => {
  const of = (tag: string) => project([service('web', { environment: { TAG: tag, PASSWORD: `hunter${tag}` } })])
  const plan = reconcile(of('2'), up(of('1')))
  const json = planJson({ pulls: new EnginePlan(), builds: new EnginePlan(), plan })
  assert.equal(json.version, 2)
  const [change] = json.changes
  assert.deepEqual(
    { ...change, fields: change!.fields.slice(1) },
    {
      kind: 'service',
      name: 'web',
      action: 'recreate',
      cause: 'environment.PASSWORD changed, environment.TAG changed',
      containers: ['shop-web-1'],
      fields: [{ path: 'environment.TAG', from: '1', to: '2' }],
    },
  )
  assert.deepEqual(json.totals, { recreate: 1 })
  assert.equal(json.steps[0]!.operation, 'create-container')
  assert.doesNotMatch(JSON.stringify(json), /hunter/)
})
