import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFailure } from '../../../../src/lib/failure.ts'
import type { Project } from '../../../../src/model/project.ts'
import type { EnginePlan } from '../../../../src/targets/engine/engine-plan.ts'
import type { Observed } from '../../../../src/targets/engine/observed.ts'
import { planDown } from '../../../../src/targets/engine/plan/down.ts'
import { reconcile } from '../../../../src/targets/engine/plan/reconcile.ts'
import type { Target } from '../../../../src/targets/engine/plan/scope.ts'
import {
  planKill,
  planPause,
  planRemove,
  planRestart,
  planStart,
  planStop,
  planUnpause,
} from '../../../../src/targets/engine/plan/turn.ts'
import { applied, healthcheck, needs, network, nothing, project, service, volume, volumeMount } from './project.ts'

function lines(plan: EnginePlan): readonly string[] {
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

test('planDown() takes networks and volumes that the stack has; without a stack file all that bear its name', () => {
  const before = up(shop)
  const own = { 'com.docker.compose.project': 'shop' }
  const observed = {
    ...before,
    networks: new Map([...before.networks, ['shop_other', { id: 'o', name: 'shop_other', labels: own }]]),
    volumes: new Map([...before.volumes, ['shop_idle', { name: 'shop_idle', labels: own }]]),
  }
  const taken = (target: Target) =>
    planDown(target, observed, { volumes: true }).nodes.flatMap(({ operation: { kind, name } }) =>
      kind === 'remove-network' || kind === 'remove-volume' ? [name] : [],
    )
  assert.deepEqual(taken(shop), ['shop_default', 'shop_data'])
  assert.deepEqual(taken({ name: 'shop' }), ['shop_default', 'shop_other', 'shop_data', 'shop_idle'])
})

test('planDown() without a stack file takes the order from the labels', () => {
  assert.deepEqual(lines(planDown({ name: 'shop' }, up(shop))), lines(planDown(shop, up(shop))))
})

test('planDown() of named services leaves the rest, and the networks as long as somebody uses them', () => {
  assert.deepEqual(lines(planDown(shop, up(shop), { services: ['cache'] })), [
    '#1 stop-container shop-cache-1',
    '#2 <1> remove-container shop-cache-1',
    // which its engine refuses while others use it
    '#3 <2> remove-network shop_default',
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
  const again = planStop(shop, stopped, { services: ['web'] })
  assert.ok(again.empty)
  assert.deepEqual(again.kept, [{ name: 'shop-web-1', state: 'stopped' }])
  assert.deepEqual(lines(planStart(shop, stopped)), [
    '#1 start-container shop-cache-1',
    '#2 start-container shop-db-1',
    '#3 <2> wait-container shop-db-1',
    '#4 <1,2,3> start-container shop-web-1',
  ])
  assert.ok(planStart(shop, up(shop)).empty)
})

test('planStart() with wait ends when each container is ready, those that run already too', () => {
  const before = up(shop)
  const stopped = applied(planStop(shop, before, { services: ['web'] }), before)
  assert.deepEqual(lines(planStart(shop, stopped, { services: ['web'], wait: true })), [
    '#1 start-container shop-web-1',
    '#2 wait-container shop-cache-1',
    '#3 wait-container shop-db-1',
    '#4 <1> wait-container shop-web-1',
  ])
})

test('planStart() waits for what a container needs though it runs already, and so do those that need it', () => {
  const stack = project([
    service('db', { healthcheck }),
    service('job'),
    service('web', { dependsOn: { ...needs('db', 'healthy'), ...needs('job', 'completed') } }),
    service('proxy', { dependsOn: needs('web') }),
  ])
  const before = up(stack)
  const half = applied(planStop(stack, before, { services: ['db', 'job', 'proxy'] }), before)
  const expected = [
    '#1 start-container shop-db-1',
    '#2 start-container shop-job-1',
    '#3 <1> wait-container shop-db-1',
    '#4 <2> wait-container shop-job-1',
    '#5 <1,2,3,4> start-container shop-proxy-1',
  ]
  assert.deepEqual(lines(planStart(stack, half)), expected)
  assert.deepEqual(lines(planStart(stack, half, { services: ['web'] })), expected.slice(0, 4))
  // the conditions are in the labels too, for whoever has no stack file
  assert.deepEqual(lines(planStart({ name: 'shop' }, half)), expected)
})

test('planStart() names who misses what, before anything is started', () => {
  const before = up(shop)
  const stopped = applied(planStop(shop, before), before)
  const without = { ...stopped, containers: stopped.containers.filter(each => each.service !== 'db') }
  assert.throws(() => planStart(shop, without, { services: ['web'] }), { message: 'web is missing dependency db' })
  const alone = planStart(shop, without, { services: ['db'] })
  assert.ok(alone.empty)
  assert.deepEqual(alone.warnings, ['service "db" has no container to start: "tscompose up db" makes one'])
  // nobody waits for more than its start
  const half = { ...stopped, containers: stopped.containers.filter(each => each.service !== 'cache') }
  assert.deepEqual(touched(planStart(shop, half, { services: ['web'] })), ['db-1', 'web-1'])
})

test('planRestart() takes along those with `restart: true`, unless told not to', () => {
  const before = up(shop)
  assert.deepEqual(lines(planRestart(shop, before, { services: ['db'] })), [
    '#1 restart-container shop-db-1',
    '#2 <1> wait-container shop-db-1',
    '#3 <1,2> restart-container shop-web-1',
  ])
  // the labels of the containers say the same to whoever has no stack file
  assert.deepEqual(
    lines(planRestart({ name: 'shop' }, before, { services: ['db'] })),
    lines(planRestart(shop, before, { services: ['db'] })),
  )
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

test('planKill() and planPause() take what runs, planRemove() what does not', () => {
  const before = up(shop)
  assert.equal(planKill(shop, before, { services: ['db'], signal: 'HUP' }).nodes.length, 1)
  assert.equal(planPause(shop, before).nodes.length, 3)
  assert.ok(planRemove(shop, before).empty)
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

/** A stack whose file names web and, in a profile that is not active, extra; with containers of run and of another file. */
const mixed = project([service('web')], { disabledServices: { extra: service('extra') } })
const everything = up(project([service('web'), service('extra'), service('old')]))
const web = everything.containers.find(c => c.service === 'web')!
const observed: Observed = {
  ...everything,
  containers: [
    ...everything.containers,
    { ...web, id: 'r1', name: 'shop-web-run-live', oneOff: true, number: undefined },
    { ...web, id: 'r2', name: 'shop-web-run-ended', oneOff: true, number: undefined, state: 'exited', exitCode: 0 },
  ],
}

/** Names of the containers that a plan touches. */
function touched(plan: EnginePlan): readonly string[] {
  const names = plan.nodes.flatMap(({ operation }) => ('container' in operation ? [operation.name] : []))
  return [...new Set(names)].sort().map(name => name.replace('shop-', ''))
}

const verbs = [
  ['stop', (t: Target) => planStop(t, observed), ['web-1']],
  ['restart', (t: Target) => planRestart(t, observed), ['web-1']],
  ['pause', (t: Target) => planPause(t, observed), ['web-1']],
  ['unpause', (t: Target) => planUnpause(t, observed), ['web-1']],
  ['kill', (t: Target) => planKill(t, observed), ['web-1', 'web-run-live']],
  [
    'kill --remove-orphans',
    (t: Target) => planKill(t, observed, { removeOrphans: true }),
    ['extra-1', 'old-1', 'web-1', 'web-run-live'],
  ],
  ['down', (t: Target) => planDown(t, observed), ['web-1']],
  [
    'down --remove-orphans',
    (t: Target) => planDown(t, observed, { removeOrphans: true }),
    ['old-1', 'web-1', 'web-run-ended', 'web-run-live'],
  ],
  ['stop extra', (t: Target) => planStop(t, observed, { services: ['extra'] }), ['extra-1']],
  ['down extra', (t: Target) => planDown(t, observed, { services: ['extra'] }), ['extra-1']],
] as const
for (const [verb, plan, expected] of verbs)
  test(`${verb} of a stack file takes ${expected.join(', ')}`, () => {
    assert.deepEqual(touched(plan(mixed)), expected)
  })

test('without a stack file every service there is is the project, and containers of run are left alone but by kill', () => {
  const byName = { name: 'shop' }
  assert.deepEqual(touched(planStop(byName, observed)), ['extra-1', 'old-1', 'web-1'])
  assert.deepEqual(touched(planDown(byName, observed)), ['extra-1', 'old-1', 'web-1'])
  assert.deepEqual(touched(planKill(byName, observed)), ['extra-1', 'old-1', 'web-1', 'web-run-live'])
  assert.deepEqual(touched(planStop(byName, observed, { services: ['nope'] })), [])
})

test('planRemove() never takes containers of run', () => {
  const ended = { ...observed, containers: observed.containers.map(c => ({ ...c, state: 'exited' as const })) }
  assert.deepEqual(touched(planRemove(mixed, ended)), ['web-1'])
})

test('planStart() starts what the named services depend on too, and refuses what has no container', () => {
  const before = up(shop)
  const stopped = applied(planStop(shop, before), before)
  assert.deepEqual(touched(planStart(shop, stopped, { services: ['web'] })), ['cache-1', 'db-1', 'web-1'])
  assert.deepEqual(touched(planStart(shop, stopped, { services: ['cache'] })), ['cache-1'])
  assert.throws(() => planStart(shop, nothing()), { message: 'service "db" has no container to start' })
  assert.throws(() => planStart({ name: 'shop' }, nothing()), {
    message: 'no container found for project "shop": not found',
  })
  const none = project([service('web', { replicas: 0 })])
  assert.ok(planStart(none, nothing()).empty)
})

test('planStop(), planRestart() and planDown() run pre_stop before, planStart() and planRestart() run post_start after', () => {
  const hook = (...command: string[]) => ({ command, privileged: false, environment: { A: 'b' }, perReplica: false })
  const hooked = project([service('web', { preStop: [hook('bye'), hook('last')], postStart: [hook('hello')] })])
  const before = up(hooked)
  assert.deepEqual(lines(planStop(hooked, before)), [
    '#1 run-hook shop-web-1',
    '#2 <1> run-hook shop-web-1',
    '#3 <2> stop-container shop-web-1',
  ])
  assert.deepEqual(lines(planRestart(hooked, before)).slice(2), [
    '#3 <2> restart-container shop-web-1',
    '#4 <3> run-hook shop-web-1',
  ])
  const stopped = applied(planStop(hooked, before), before)
  assert.deepEqual(lines(planStart(hooked, stopped)), ['#1 start-container shop-web-1', '#2 <1> run-hook shop-web-1'])
  assert.deepEqual(lines(planDown(hooked, before)).slice(0, 4), [
    '#1 run-hook shop-web-1',
    '#2 <1> run-hook shop-web-1',
    '#3 <2> stop-container shop-web-1',
    '#4 <3> remove-container shop-web-1',
  ])
  assert.deepEqual(lines(planDown({ name: 'shop' }, before)).slice(0, 1), ['#1 stop-container shop-web-1'])
})

test('planStart() and planRestart() know no service of which there is nothing, where no stack tells of it; planStop() takes it for nothing to do', () => {
  const byName = { name: 'shop' }
  for (const plan of [planStart, planRestart])
    assert.throws(
      () => plan(byName, up(shop), { services: ['web', 'nope'] }),
      error => isFailure(error, 'not-found') && error.message === 'no such service: nope',
    )
  assert.deepEqual(lines(planStop(byName, up(shop), { services: ['nope'] })), [])
})

test('planDown() with `removeOrphans` takes what runs of active services by run, and leaves that of inactive ones', () => {
  const observed = up(shop)
  const web = observed.containers.find(({ service: name }) => name === 'web')!
  const oneOff = { ...web, id: 'r', name: 'shop-web-run-live', oneOff: true, number: undefined }
  const { web: inactive, ...services } = shop.services
  const without = { ...shop, services, disabledServices: { web: inactive! } }
  const taken = (target: Project, state: 'running' | 'exited') =>
    lines(planDown(target, { ...observed, containers: [{ ...oneOff, state }] }, { removeOrphans: true })).some(line =>
      line.includes('remove-container shop-web-run-live'),
    )
  assert.deepEqual([taken(shop, 'running'), taken(without, 'running'), taken(without, 'exited')], [true, false, true])
})

test('planDown() takes the runs of jobs with their stack, also without its file, and leaves those of `run`', () => {
  const before = up(shop)
  const web = before.containers.find(c => c.service === 'web')!
  const run = (name: string, labels = {}) => ({
    ...{ ...web, id: name, name, oneOff: true, number: undefined },
    labels: { ...web.labels, ...labels },
  })
  const containers = [...before.containers, run('shop-web-run-a', { 'tscompose.job': '1' }), run('shop-web-run-b')]
  for (const target of [shop, { name: 'shop' }]) {
    const removed = planDown(target, { ...before, containers }).nodes.flatMap(({ operation }) =>
      operation.kind === 'remove-container' ? [operation.name] : [],
    )
    assert.ok(removed.includes('shop-web-run-a'))
    assert.ok(!removed.includes('shop-web-run-b'))
  }
})

test('planDown() removes an init container by force that may be started at that moment by an up that was killed', () => {
  const before = up(shop)
  const web = before.containers.find(c => c.service === 'web')!
  const labels = { ...web.labels, 'com.docker.compose.hook': 'pre_start' }
  const init = { ...web, id: 'i', name: 'shop-web-pre_start-1', oneOff: true, number: undefined, labels }
  const forced = (state: 'created' | 'running') =>
    planDown(shop, { ...before, containers: [...before.containers, { ...init, state }] }).nodes.flatMap(
      ({ operation }) => (operation.kind === 'remove-container' && operation.force ? [operation.name] : []),
    )
  assert.deepEqual(forced('created'), ['shop-web-pre_start-1'])
  assert.deepEqual(forced('running'), [])
})
