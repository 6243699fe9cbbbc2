/** What an `up` that was broken off has left. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reconcile } from '../../../../src/targets/engine/plan/reconcile.ts'
import { applied, needs, nothing, project, service } from './project.ts'

for (const [member, shares] of [
  ['IpcMode', { ipc: { kind: 'service', service: 'db' } }],
  ['PidMode', { pid: { kind: 'service', service: 'db' } }],
  ['NetworkMode', { networkMode: { kind: 'service', service: 'db' }, networks: {} }],
] as const)
  test(`a container whose ${member} is that of one which is no more is made anew`, () => {
    const shop = project([service('db'), service('web', { ...shares, dependsOn: needs('db', 'started') })])
    const there = applied(reconcile(shop, nothing()), nothing())
    const web = there.containers.find(each => each.service === 'web')!
    const db = there.containers.find(each => each.service === 'db')!
    const mode = (id: string) => ({ ...web.live!.host, [member]: `container:${id}` })
    const shared = (id: string) => ({
      ...there,
      containers: [
        db,
        {
          ...web,
          ...(member === 'NetworkMode' && { networkMode: `container:${id}` }),
          live: { ...web.live!, host: mode(id) },
        },
      ],
    })
    assert.deepEqual(reconcile(shop, shared(db.id)).nodes, [])
    const [first] = reconcile(shop, shared('f'.repeat(64))).nodes
    assert.deepEqual([first?.operation.kind, first?.operation.cause], ['create-container', 'db was recreated'])
  })

test('an init container that nobody waits for is removed, unless it is run again', () => {
  const hook = { command: ['true'], privileged: false, environment: {}, perReplica: true }
  const of = (replicas: number) => project([service('web', { replicas, preStart: [hook] })])
  const there = applied(reconcile(of(1), nothing()), nothing())
  const [web] = there.containers
  const init = {
    ...web!,
    id: 'e'.repeat(64),
    name: 'shop-web-1-pre_start-0',
    number: undefined,
    oneOff: true,
    state: 'created' as const,
    labels: { ...web!.labels, 'com.docker.compose.hook': 'pre_start', 'com.docker.compose.oneoff': 'True' },
  }
  const left = { ...there, containers: [web!, init] }
  const kinds = (replicas: number, observed: typeof left) =>
    reconcile(of(replicas), observed).nodes.map(({ operation }) => `${operation.kind} ${operation.name}`)
  assert.deepEqual(kinds(1, left), ['remove-container shop-web-1-pre_start-0'])
  const again = kinds(1, { ...left, containers: [{ ...web!, state: 'exited', exitCode: 1 }, init] })
  assert.ok(again.includes('run-init shop-web-1-pre_start-0'), again.join())
  assert.ok(!again.includes('remove-container shop-web-1-pre_start-0'))
})
