/** What is put right on a container as it is, and what needs a new one. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ContainerUpdate, EndpointSettings, HostConfig } from '../../../../src/api/container-body.ts'
import type { Limits } from '../../../../src/model/limits.ts'
import type { Project } from '../../../../src/model/project.ts'
import type { Service } from '../../../../src/model/service.ts'
import { rowText, summarize } from '../../../../src/plan/summary.ts'
import type { Observed, ObservedContainer } from '../../../../src/targets/engine/observed.ts'
import { reconcile, type UpOptions } from '../../../../src/targets/engine/plan/reconcile.ts'
import { applied, attachment, needs, network, nothing, project, service } from './project.ts'

const m = 1024 ** 2

function up(shop: Project, change?: (c: ObservedContainer) => ObservedContainer): Observed {
  return applied(reconcile(shop, nothing()), nothing(), change)
}

function lines(shop: Project, observed: Observed, options?: UpOptions): readonly string[] {
  return reconcile(shop, observed, options).nodes.map(({ operation: o }) => `${o.kind} ${o.name}: ${o.cause}`)
}

function rows(shop: Project, observed: Observed): readonly string[] {
  return summarize([reconcile(shop, observed)]).map(rowText)
}

const limited = (own: Partial<Limits>) => project([service('web', { limits: { oomKillDisable: false, ...own } })])
/** What an engine has filled in of limits, or a person has changed. */
const with_ = (host: HostConfig) => (c: ObservedContainer) => ({
  ...c,
  live: { ...c.live!, host: { ...c.live!.host, ...host } },
})

function updateOf(shop: Project, observed: Observed): ContainerUpdate | undefined {
  const found = reconcile(shop, observed).nodes.map(({ operation }) => operation)
  return found.find(operation => operation.kind === 'update-container')?.update
}

describe('limits', () => {
  for (const [said, before, after, update] of [
    ['mem_limit 64m→128m', { memory: 64 * m }, { memory: 128 * m }, { Memory: 128 * m, MemorySwap: 256 * m }],
    ['mem_limit +64m', {}, { memory: 64 * m }, { Memory: 64 * m, MemorySwap: 128 * m }],
    [
      'mem_limit 64m→128m · memswap_limit 128m→-1',
      { memory: 64 * m, memorySwap: 128 * m },
      { memory: 128 * m, memorySwap: -1 },
      { Memory: 128 * m, MemorySwap: -1 },
    ],
    [
      'mem_reservation 32m→16m',
      { memoryReservation: 32 * m },
      { memoryReservation: 16 * m },
      { MemoryReservation: 16 * m },
    ],
    ['cpus 0.5→1.5', { cpus: 0.5 }, { cpus: 1.5 }, { NanoCpus: 1.5e9 }],
    ['cpu_shares +512', {}, { cpuShares: 512 }, { CpuShares: 512 }],
    ['cpu_quota 50000→25000', { cpuQuota: 50000 }, { cpuQuota: 25000 }, { CpuQuota: 25000 }],
    ['cpu_quota -50000', { cpuQuota: 50000 }, {}, { CpuQuota: -1 }],
    ['cpuset 0→0-1', { cpuset: '0' }, { cpuset: '0-1' }, { CpusetCpus: '0-1' }],
    ['pids_limit 10→20', { pids: 10 }, { pids: 20 }, { PidsLimit: 20 }],
    ['pids_limit -10', { pids: 10 }, {}, { PidsLimit: -1 }],
  ] satisfies readonly (readonly [string, Partial<Limits>, Partial<Limits>, ContainerUpdate])[])
    test(`${said} is done in place`, () => {
      const there = up(limited(before))
      assert.deepEqual(rows(limited(after), there), [`~ web: in place  ${said}`])
      assert.deepEqual(updateOf(limited(after), there), update)
      const then = applied(reconcile(limited(after), there), there)
      assert.deepEqual(lines(limited(after), then), [])
    })

  for (const [said, before, after] of [
    ['mem_limit -64m', { memory: 64 * m }, {}],
    ['cpus -0.5', { cpus: 0.5 }, {}],
    ['cpuset -0', { cpuset: '0' }, {}],
    ['cpus -0.5 · cpu_quota +50000', { cpus: 0.5 }, { cpuQuota: 50000 }],
    ['cpus +0.5 · cpu_quota -50000', { cpuQuota: 50000 }, { cpus: 0.5 }],
    ['oom_score_adj +100', {}, { oomScoreAdj: 100 }],
    [
      'blkio_config.weight +100',
      {},
      {
        blkio: {
          weight: 100,
          weightDevice: [],
          deviceReadBps: [],
          deviceReadIops: [],
          deviceWriteBps: [],
          deviceWriteIops: [],
        },
      },
    ],
  ] satisfies readonly (readonly [string, Partial<Limits>, Partial<Limits>])[])
    test(`${said} needs a new container`, () => {
      assert.deepEqual(rows(limited(after), up(limited(before))), [`~ web: recreate  ${said}`])
    })

  for (const [what, own, host] of [
    ['swap of twice the memory', { memory: 64 * m }, { MemorySwap: 128 * m }],
    ['no swap on a machine that cannot limit it', { memory: 64 * m }, { MemorySwap: -1 }],
    ['a limit of processes that is none', {}, { PidsLimit: 0 }],
    ['members of zero', {}, { Memory: 0, MemorySwap: 0, NanoCpus: 0, CpusetCpus: '', CpuQuota: 0, BlkioWeight: 0 }],
    ['a lifted quota', {}, { CpuQuota: -1 }],
    [
      'a weight that the machine does not have',
      {
        blkio: {
          weight: 100,
          weightDevice: [],
          deviceReadBps: [],
          deviceReadIops: [],
          deviceWriteBps: [],
          deviceWriteIops: [],
        },
      },
      { BlkioWeight: 0 },
    ],
    ['a policy without retries', {}, { RestartPolicy: { Name: 'no', MaximumRetryCount: 0 } }],
  ] satisfies readonly (readonly [string, Partial<Limits>, HostConfig])[])
    test(`${what}, as an engine fills it in, is no difference`, () => {
      assert.deepEqual(lines(limited(own), up(limited(own), with_(host))), [])
    })

  test('edited by hand they are put back, with what was found there', () => {
    const shop = limited({ memory: 64 * m, pids: 10 })
    const edited = up(
      shop,
      with_({ Memory: 256 * m, MemorySwap: 512 * m, PidsLimit: -1, RestartPolicy: { Name: 'always' } }),
    )
    assert.deepEqual(rows(shop, edited), ['~ web: in place  mem_limit 256m→64m · pids_limit -1→10 · restart -always'])
    assert.deepEqual(updateOf(shop, edited), {
      Memory: 64 * m,
      MemorySwap: 128 * m,
      PidsLimit: 10,
      RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
    })
  })

  test('an edit of swap alone is told', () => {
    const shop = limited({ memory: 64 * m })
    assert.deepEqual(rows(shop, up(shop, with_({ MemorySwap: 300 * m }))), ['~ web: in place  memswap_limit -300m'])
  })

  test('of what is replaced anyway they are told too', () => {
    const of = (image: string, memory: number) =>
      project([service('web', { image, limits: { memory, oomKillDisable: false } })])
    assert.deepEqual(rows(of('b', 128 * m), up(of('a', 64 * m))).slice(-1), [
      '~ web: recreate  image a→b · mem_limit 64m→128m',
    ])
  })

  test('--no-recreate leaves them', () => {
    assert.deepEqual(lines(limited({ pids: 20 }), up(limited({ pids: 10 })), { recreate: 'never' }), [])
  })
})

test('the restart policy is changed in place', () => {
  const of = (own: Partial<Service>) => project([service('web', own)])
  const there = up(of({ restart: { kind: 'always' } }))
  const shop = of({ restart: { kind: 'on-failure', maxRetries: 3 } })
  assert.deepEqual(rows(shop, there), ['~ web: in place  restart always→on-failure:3'])
  assert.deepEqual(lines(shop, applied(reconcile(shop, there), there)), [])
})

describe('networks', () => {
  const of = (networks: Service['networks'], more: object = {}) =>
    project([service('web', { networks })], {
      networks: { default: network('default'), front: network('front'), back: network('back', { ...more }) },
    })
  const base = { default: attachment('default') }
  const both = { ...base, front: attachment('front') }

  test('one more is connected', () => {
    const there = up(of(base))
    assert.deepEqual(lines(of(both), there), ['connect-network shop-web-1: network front is not connected'])
    assert.deepEqual(lines(of(both), applied(reconcile(of(both), there), there)), [])
  })

  test('one less is disconnected', () => {
    const there = up(of(both))
    assert.deepEqual(rows(of(base), there), ['~ web: in place  networks.front -connected'])
    assert.deepEqual(lines(of(base), applied(reconcile(of(base), there), there)), [])
  })

  test('one that the stack has no more is disconnected, external or not', () => {
    const external = { default: network('default'), ext: network('ext', { external: true, name: 'proxy' }) }
    const with2 = project([service('web', { networks: { ...base, ext: attachment('ext') } })], { networks: external })
    const observed = nothing({ networks: new Map([['proxy', { id: 'p', name: 'proxy', labels: {} }]]) })
    const there = applied(reconcile(with2, observed), observed)
    assert.deepEqual(rows(project([service('web')]), there), ['~ web: in place  networks.ext -connected'])
  })

  test('one that a person has connected stays', () => {
    const shop = of(base)
    const there = up(shop, c => ({
      ...c,
      networks: { ...c.networks, theirs: 'x' },
      live: { ...c.live!, endpoints: { ...c.live!.endpoints, theirs: {} } },
    }))
    assert.deepEqual(lines(shop, there), [])
  })

  for (const [said, before, after] of [
    ['aliases +db2', {}, { aliases: ['db2'] }],
    ['ipv4_address 10.0.0.2→10.0.0.3', { ipv4Address: '10.0.0.2' }, { ipv4Address: '10.0.0.3' }],
    ['gw_priority +5', {}, { gwPriority: 5 }],
    ['driver_opts.x 1→2', { driverOpts: { x: '1' } }, { driverOpts: { x: '2' } }],
  ] as const)
    test(`${said} is done by taking it off and putting it back`, () => {
      const there = up(of({ ...base, front: attachment('front', before) }))
      const shop = of({ ...base, front: attachment('front', after) })
      assert.deepEqual(rows(shop, there), [`~ web: in place  networks.front.${said}`])
      assert.deepEqual(
        lines(shop, there).map(line => line.split(' ')[0]),
        ['disconnect-network', 'connect-network'],
      )
      assert.deepEqual(lines(shop, applied(reconcile(shop, there), there)), [])
    })

  test('the one it was made with is never taken away: an engine looks for it at every start', () => {
    const shop = of({ front: attachment('front') })
    assert.deepEqual(rows(shop, up(of(base))), [
      '~ web: recreate  networks.default -connected · networks.front +connected',
    ])
  })

  test('what an engine says more of an endpoint is no difference', () => {
    const said: EndpointSettings = {
      IPAMConfig: {},
      DriverOpts: null,
      IPAddress: '10.0.0.2',
      GwPriority: 0,
      MacAddress: 'x',
    }
    const there = up(of(base), c => {
      const [[name, endpoint]] = Object.entries(c.live!.endpoints) as [[string, EndpointSettings]]
      const Aliases = [...endpoint.Aliases!, c.id.slice(0, 12)].toReversed()
      return { ...c, live: { ...c.live!, endpoints: { [name]: { ...endpoint, ...said, Aliases } } } }
    })
    assert.deepEqual(lines(of(base), there), [])
  })

  test('a priority settles which is the first, and needs a new container', () => {
    const shop = of({ front: attachment('front', { priority: 10 }), default: attachment('default') })
    assert.match(rows(shop, up(of(both)))[0]!, /^~ web: recreate {2}networks:priority/)
  })
})

test('a container that has stopped is adjusted and then started', () => {
  const shop = limited({ pids: 20 })
  const there = up(limited({ pids: 10 }), c => ({ ...c, state: 'exited', exitCode: 1 }))
  assert.deepEqual(lines(shop, there), [
    'update-container shop-web-1: pids_limit changed',
    'start-container shop-web-1: it exited with code 1',
  ])
})

test('a container that follows another is adjusted and restarted, and what follows an adjusted one stays', () => {
  const of = (pids: number, tag: string) =>
    project([
      service('db', { environment: { TAG: tag } }),
      service('web', { limits: { pids, oomKillDisable: false }, dependsOn: needs('db', 'started', { restart: true }) }),
      service('edge', { dependsOn: needs('web', 'started', { restart: true }) }),
    ])
  const there = up(of(10, '1'))
  assert.deepEqual(lines(of(20, '1'), there), ['update-container shop-web-1: pids_limit changed'])
  const both = lines(of(20, '2'), there).filter(line => line.includes('shop-web-1'))
  assert.deepEqual(both, [
    'stop-container shop-web-1: db is recreated',
    'update-container shop-web-1: pids_limit changed',
    'start-container shop-web-1: db is recreated',
  ])
})
