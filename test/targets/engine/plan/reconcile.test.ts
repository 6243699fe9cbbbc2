import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFailure } from '../../../../src/lib/failure.ts'
import type { Project } from '../../../../src/model/project.ts'
import type { Service } from '../../../../src/model/service.ts'
import { changesText } from '../../../../src/plan/change.ts'
import { printPlan } from '../../../../src/plan/print.ts'
import type { Observed, ObservedContainer } from '../../../../src/targets/engine/observed.ts'
import { reconcile, type UpOptions } from '../../../../src/targets/engine/plan/reconcile.ts'
import {
  applied,
  attachment,
  healthcheck,
  image,
  needs,
  network,
  nothing,
  project,
  service,
  volume,
  volumeMount,
} from './project.ts'

/** Each node as "start-container shop-web-1: cause". */
function lines(shop: Project, observed: Observed, options?: UpOptions): readonly string[] {
  return reconcile(shop, observed, options).nodes.map(({ operation: o }) => `${o.kind} ${o.name}: ${o.cause}`)
}

function up(shop: Project, observed = nothing(), change?: (c: ObservedContainer) => ObservedContainer): Observed {
  return applied(reconcile(shop, observed), observed, change)
}

function failure(kind: string, ...words: readonly string[]) {
  return (error: unknown): boolean =>
    isFailure(error) && error.kind === kind && words.every(word => error.message.includes(word))
}

test('reconcile() keeps a container whose config has another text, and says so', () => {
  const of = (content: string) =>
    project([service('web', { configs: [{ source: 'motd', target: '/motd', path: [] }] })], {
      configs: { motd: { key: 'motd', name: 'motd', labels: {}, source: { kind: 'content', content } } },
    })
  const there = up(of('one'))
  assert.deepEqual(reconcile(of('one'), there).warnings, [])
  const plan = reconcile(of('two'), there)
  assert.deepEqual(plan.nodes, [])
  assert.match(
    plan.warnings.join(),
    /^Container "shop-web-1" keeps its old text, configs\.motd\.text #[0-9a-f]{8}→#[0-9a-f]{8}: --force-recreate gives it the new one$/,
  )
  const [created] = reconcile(of('two'), there, { recreate: 'always' }).nodes
  assert.ok(created?.operation.kind === 'create-container')
  assert.match(changesText(created.operation.changes ?? []), /^configs\.motd\.text #[0-9a-f]{8}→#[0-9a-f]{8}$/)
})

const stack = project(
  [
    service('db', { healthcheck, mounts: [volumeMount('data', '/data')], image: 'postgres:17' }),
    service('migrate', { dependsOn: needs('db', 'healthy') }),
    service('web', {
      dependsOn: { ...needs('db', 'healthy'), ...needs('migrate', 'completed') },
      replicas: 2,
      networks: { front: attachment('front'), default: attachment('default') },
    }),
  ],
  { networks: { default: network('default'), front: network('front') }, volumes: { data: volume('data') } },
)

test('reconcile() plans the example of LAYOUT.md line by line', () => {
  const shop = project(
    [
      service('db', { image: 'postgres:17', healthcheck, mounts: [volumeMount('data', '/data')] }),
      service('web', { image: 'shop/web:1', dependsOn: needs('db', 'healthy') }),
    ],
    { volumes: { data: volume('data') } },
  )
  assert.equal(
    printPlan(reconcile(shop, nothing({ images: new Map() }))),
    `#1           network   shop_default   create-network    not found
#2           volume    shop_data      create-volume     not found
#3           image     postgres:17    pull-image        not present
#4           image     shop/web:1     pull-image        not present
#5 <1,2,3>   container shop-db-1      create-container  no container for replica 1
#6 <5>       container shop-db-1      start-container   created by #5
#7 <6>       container shop-db-1      wait-container    web needs db healthy
#8 <1,4>     container shop-web-1     create-container  no container for replica 1
#9 <7,8>     container shop-web-1     start-container   created by #8
`,
  )
})

test('reconcile() plans nothing for what it has just brought up but to run a job again, and says what runs', () => {
  const plan = reconcile(stack, up(stack))
  assert.deepEqual(lines(stack, up(stack)), [
    'start-container shop-migrate-1: it exited with code 0',
    'wait-container shop-migrate-1: web needs migrate completed',
  ])
  assert.deepEqual(plan.running, ['shop-db-1', 'shop-web-1', 'shop-web-2'])
})

test('reconcile() recreates only the service whose environment changed, and names the variable', () => {
  const before = up(project([service('db'), service('web', { environment: { TAG: '1' } })]))
  const after = project([service('db'), service('web', { environment: { TAG: '2' } })])
  assert.deepEqual(lines(after, before), [
    'create-container shop-web-1: environment.TAG changed',
    'stop-container shop-web-1: replaced by #1',
    'remove-container shop-web-1: replaced by #1',
    'rename-container shop-web-1: its name is free',
    'start-container shop-web-1: created by #1',
  ])
})

test('reconcile() creates the new container under a temporary name while the old one runs', () => {
  const before = up(project([service('web', { user: '1' })]))
  const [node] = reconcile(project([service('web', { user: '2' })]), before).nodes
  assert.ok(node?.operation.kind === 'create-container')
  assert.equal(node.operation.createName, `${before.containers[0]!.id.slice(0, 12)}_shop-web-1`)
})

test('reconcile() recreates a replica when its image digest changed', () => {
  const shop = project([service('web')])
  const before = up(shop)
  const now = { ...before, images: new Map([['busybox', image('sha256:2')]]) }
  assert.equal(lines(shop, now)[0], 'create-container shop-web-1: image digest changed')
})

test('reconcile() says "configuration changed" of a container that Docker Compose made', () => {
  const shop = project([service('web')])
  const theirs = up(shop, nothing(), c => ({
    ...c,
    labels: { ...c.labels, 'com.docker.compose.config-hash': 'abc', 'tscompose.fields': '' },
  }))
  assert.equal(lines(shop, theirs)[0], 'create-container shop-web-1: configuration changed')
})

test('reconcile() starts what has stopped, and what is paused, which its engine refuses', () => {
  const shop = project([service('a'), service('b')])
  const states = up(shop, nothing(), c =>
    c.service === 'a' ? { ...c, state: 'exited', exitCode: 3 } : { ...c, state: 'paused' },
  )
  assert.deepEqual(lines(shop, states), [
    'start-container shop-a-1: it exited with code 3',
    'start-container shop-b-1: it is paused',
  ])
})

test('reconcile() runs a finished job again before those that wait for it', () => {
  const before = up(stack)
  const killed = {
    ...before,
    containers: before.containers.map(c =>
      c.name === 'shop-web-2' ? { ...c, state: 'exited' as const, exitCode: 1 } : c,
    ),
  }
  assert.deepEqual(lines(stack, killed), [
    'start-container shop-migrate-1: it exited with code 0',
    'wait-container shop-migrate-1: web needs migrate completed',
    'start-container shop-web-2: it exited with code 1',
  ])
})

test('reconcile() goes on counting when scaled up, whatever numbers are free, and removes the highest when scaled down', () => {
  const shop = project([service('web', { replicas: 3 })])
  const three = up(shop)
  const gap = { ...three, containers: three.containers.filter(c => c.number !== 2) }
  assert.equal(lines(shop, gap)[0], 'create-container shop-web-4: no container for replica 4')
  assert.deepEqual(lines(shop, three, { scale: { web: 1 } }), [
    'stop-container shop-web-2: scaled to 1',
    'remove-container shop-web-2: scaled to 1',
    'stop-container shop-web-3: scaled to 1',
    'remove-container shop-web-3: scaled to 1',
  ])
})

test('reconcile() makes a diverged network anew and puts whoever is attached into it', () => {
  const shop = (internal: boolean) =>
    project([service('web')], { networks: { default: network('default', { internal }) } })
  assert.deepEqual(lines(shop(true), up(shop(false))), [
    'stop-container shop-web-1: network default is made anew',
    'disconnect-network shop-web-1: network default is made anew',
    'remove-network shop_default: internal added',
    'create-network shop_default: internal added',
    'connect-network shop-web-1: network default is made anew',
    'start-container shop-web-1: network default is made anew',
  ])
})

test('reconcile() keeps a diverged volume with a warning, and makes it anew only when told', () => {
  const shop = (driver?: string) =>
    project([service('db', { mounts: [volumeMount('data', '/data')] })], {
      volumes: { data: volume('data', driver ? { driver } : {}) },
    })
  const before = up(shop())
  const kept = reconcile(shop('nfs'), before)
  assert.ok(kept.empty)
  assert.match(kept.warnings[0]!, /Volume "data" is kept although its driver added/)
  const anew = reconcile(shop('nfs'), before, { recreateVolumes: true })
  assert.deepEqual(
    anew.destructive().map(({ operation }) => operation.name),
    ['shop_data'],
  )
  assert.deepEqual(
    applied(anew, before).containers.map(c => `${c.name} ${c.state}`),
    ['shop-db-1 running'],
  )
})

test('reconcile() lets whoever shares a replaced container’s network follow', () => {
  const shop = (user: string) =>
    project([
      service('vpn', { user }),
      service('web', { networkMode: { kind: 'service', service: 'vpn' }, dependsOn: needs('vpn') }),
    ])
  const before = up(shop('1'))
  assert.ok(lines(shop('2'), before).includes('create-container shop-web-1: vpn was recreated'))
  assert.deepEqual(lines(shop('2'), up(shop('2'), before)), [])
})

test('reconcile() leaves dependents with `restart: true` alone when what they need is only started', () => {
  const shop = project([service('db'), service('web', { dependsOn: needs('db', 'started', { restart: true }) })])
  const crashed = up(shop, nothing(), c => (c.service === 'db' ? { ...c, state: 'exited', exitCode: 137 } : c))
  assert.deepEqual(lines(shop, crashed), ['start-container shop-db-1: it exited with code 137'])
})

test('reconcile() waits for a running dependency that is not healthy, whether somebody is to be started or not', () => {
  const shop = project([service('db', { healthcheck }), service('web', { dependsOn: needs('db', 'healthy') })])
  const starting = up(shop, nothing(), c => (c.service === 'db' ? { ...c, health: 'starting' } : c))
  assert.deepEqual(lines(shop, starting), ['wait-container shop-db-1: web needs db healthy'])
  const webGone = { ...starting, containers: starting.containers.filter(c => c.service === 'db') }
  assert.equal(lines(shop, webGone)[0], 'wait-container shop-db-1: web needs db healthy')
})

test('reconcile() waits for health without asking for a check: the engine knows what is in the image', () => {
  const shop = project([service('db'), service('web', { dependsOn: needs('db', 'healthy') })])
  assert.ok(lines(shop, nothing()).includes('wait-container shop-db-1: web needs db healthy'))
})

test('reconcile() with `wait` waits for every service to be ready', () => {
  const shop = project([service('web')])
  assert.deepEqual(lines(shop, nothing(), { wait: true }).at(-1), 'wait-container shop-web-1: asked for')
  assert.deepEqual(lines(shop, up(shop), { wait: true }), [])
  const job = project([service('job'), service('web', { dependsOn: needs('job', 'completed') })])
  const waits = reconcile(job, nothing(), { wait: true }).nodes.flatMap(({ operation: o }) =>
    o.kind === 'wait-container' ? [`${o.name} ${o.condition}`] : [],
  )
  assert.deepEqual(waits, ['shop-job-1 completed', 'shop-web-1 ready'])
})

test('reconcile() with `noStart` creates and starts nothing', () => {
  const kinds = reconcile(stack, nothing(), { noStart: true }).nodes.map(n => n.operation.kind)
  assert.ok(kinds.includes('create-container'))
  assert.ok(!kinds.includes('start-container') && !kinds.includes('wait-container'))
})

test('reconcile() of named services brings up what they need, and nothing else with `noDeps`', () => {
  const shop = project([service('db'), service('web', { dependsOn: needs('db') }), service('other')])
  const names = (options: UpOptions) =>
    reconcile(shop, nothing(), options).nodes.flatMap(({ operation: o }) =>
      o.kind === 'start-container' ? [o.name] : [],
    )
  assert.deepEqual(names({ services: ['web'] }), ['shop-db-1', 'shop-web-1'])
  assert.deepEqual(names({ services: ['web'], noDeps: true }), ['shop-web-1'])
  assert.throws(() => reconcile(shop, nothing(), { services: ['wbe'] }), failure('not-found', 'no such service: wbe'))
})

test('reconcile() recreates by force the named services, and their dependencies only when told', () => {
  const shop = project([service('db'), service('web', { dependsOn: needs('db') })])
  const before = up(shop)
  const created = (options: UpOptions) => lines(shop, before, options).filter(line => line.startsWith('create'))
  assert.deepEqual(created({ services: ['web'], recreate: 'always' }), ['create-container shop-web-1: asked for'])
  assert.equal(created({ services: ['web'], recreate: 'always', recreateDependencies: true }).length, 2)
  const changed = project([service('db', { user: '1' }), service('web', { user: '1', dependsOn: needs('db') })])
  assert.deepEqual(lines(changed, before, { recreate: 'never' }), [])
})

test('reconcile() warns of orphans and removes them when told; disabled services are none', () => {
  const both = project([service('old'), service('web')])
  const one = project([service('web')])
  const warned = reconcile(one, up(both))
  assert.ok(warned.empty)
  assert.match(warned.warnings[0]!, /shop-old-1/)
  assert.deepEqual(lines(one, up(both), { removeOrphans: true }), [
    'stop-container shop-old-1: service old is not in the stack',
    'remove-container shop-old-1: service old is not in the stack',
  ])
  const disabled = project([service('web')], { disabledServices: { old: service('old') } })
  assert.deepEqual(reconcile(disabled, up(both), { removeOrphans: true }).warnings, [])
  assert.ok(reconcile(disabled, up(both), { removeOrphans: true }).empty)
})

test('reconcile() carries anonymous volumes over to the new container, unless they are to be new', () => {
  const shop = (user: string) => project([service('db', { user, mounts: [volumeMount(undefined, '/anon')] })])
  const before = up(shop('1'))
  const mounts = (options: UpOptions) => {
    const operation = reconcile(shop('2'), before, options).nodes[0]!.operation
    assert.ok(operation.kind === 'create-container')
    return operation.body.HostConfig?.Mounts
  }
  assert.deepEqual(mounts({}), [{ Type: 'volume', Source: 'f'.repeat(64), Target: '/anon' }])
  assert.deepEqual(mounts({ renewAnonVolumes: true }), [{ Type: 'volume', Target: '/anon' }])
})

test('reconcile() puts right what an interrupted recreation left', () => {
  const shop = project([service('web')])
  const before = up(shop)
  const old = before.containers[0]!
  const half = { ...old, id: 'b'.repeat(64), name: `${old.id.slice(0, 12)}_shop-web-1`, state: 'created' as const }
  assert.deepEqual(lines(shop, { ...before, containers: [half, old] }), [
    'remove-container '.concat(`${half.name}: left over from an interrupted recreation of shop-web-1`),
  ])
  assert.deepEqual(lines(shop, { ...before, containers: [{ ...half, state: 'running' }] }), [
    'rename-container shop-web-1: left with a temporary name',
  ])
})

test('reconcile() refuses what no plan can bring up, and says why', () => {
  const build = service('web', { build: { context: '.' } as never })
  const { image: _, ...built } = build
  const never = () => reconcile(project([built]), nothing(), { build: 'never' })
  assert.throws(never, failure('invalid', '"web"', 'shop-web', '--no-build'))
  const foreign = nothing({ networks: new Map([['shop_default', { id: 'n', name: 'shop_default', labels: {} }]]) })
  assert.throws(() => reconcile(project([service('web')]), foreign), failure('invalid', '"shop_default"'))
  const external = project([service('web')], {
    networks: { default: network('default', { external: true, name: 'x' }) },
  })
  const missing = 'network x declared as external, but could not be found'
  assert.throws(() => reconcile(external, nothing()), failure('invalid', missing))
  const needy: [Partial<Service>, string][] = [
    [{ networkMode: { kind: 'service', service: 'db' } }, 'network namespace'],
    [{ ipc: { kind: 'service', service: 'db' } }, 'IPC namespace'],
    [{ pid: { kind: 'service', service: 'db' } }, 'PID namespace'],
    [{ volumesFrom: [{ kind: 'service', name: 'db', readOnly: false }] }, 'volume'],
  ]
  for (const [more, what] of needy) {
    const shop = project([service('db'), service('web', { ...more, dependsOn: needs('db') })])
    const text = `cannot share ${what} with service db: container missing`
    assert.throws(() => reconcile(shop, nothing(), { services: ['web'], noDeps: true }), failure('not-found', text))
    // nothing else is to be done with it
    const lone = up(shop)
    const gone = { ...lone, containers: lone.containers.filter(({ service: name }) => name !== 'db') }
    assert.throws(() => reconcile(shop, gone, { services: ['web'], noDeps: true }), failure('not-found', text))
  }
  const cycle = project([service('web', { dependsOn: needs('api') }), service('api', { dependsOn: needs('web') })])
  assert.throws(() => reconcile(cycle, nothing()), failure('invalid', 'api → web → api'))
  const secret = {
    secrets: { s: { key: 's', name: 's', labels: {}, source: { kind: 'file' as const, file: '/no/such' } } },
  }
  const web = service('web', { secrets: [{ source: 's', target: '/run/secrets/s', path: [] }] })
  assert.throws(() => reconcile(project([web], secret), nothing()), failure('invalid', 'secret "s"', '/no/such'))
})
