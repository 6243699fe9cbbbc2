/** repair() between what others do at the same time, in a forced order. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { PlanFailure } from '../../src/apply/plan-failure.ts'
import { run } from '../../src/apply/run.ts'
import { Drift } from '../../src/drift/drift.ts'
import { repair } from '../../src/drift/repair.ts'
import { Wish } from '../../src/drift/wish.ts'
import { Failure } from '../../src/lib/failure.ts'
import { look } from '../../src/targets/engine/converge.ts'
import { enginePerformer } from '../../src/targets/engine/perform/operations.ts'
import { reconcile } from '../../src/targets/engine/plan/reconcile.ts'
import { FakeEngine } from '../property/fake-engine.ts'
import { healthcheck, needs, project, service } from '../targets/engine/plan/project.ts'

/** `first` is done before the list of containers is asked for the nth time from now on. */
function beforeList(client: FakeEngine['client'], nth: number, first: () => void): void {
  const answer = client.call.bind(client)
  let lists = 0
  client.call = async (endpoint, input, options) => {
    if (endpoint.name === 'containerList' && ++lists === nth) first()
    return await answer(endpoint, input, options)
  }
}

/** What "web" needs has ended, so that it was not started. */
function startFails(engine: FakeEngine): void {
  Object.assign(engine.named('shop-db-1'), { status: 'exited', exitCode: 1 })
  Object.assign(engine.named('shop-web-1'), { status: 'created', exitCode: 1 })
}

describe('repair()', () => {
  const shop = project([service('web'), service('db')])
  const { signal } = new AbortController()

  for (const { watch, left } of [
    { watch: false, left: ['shop-db-1'] },
    { watch: true, left: ['shop-db-1', 'shop-web-1'] },
  ])
    test(`${watch ? 'makes again' : 'leaves alone'} what is removed while it looks, of a stack that is ${watch ? '' : 'not '}watched`, async () => {
      const engine = new FakeEngine()
      engine.images.set('busybox', { id: 'sha256:1' })
      const up = async () => reconcile(shop, await look({ client: engine.client, project: shop }))
      await run(await up(), enginePerformer(engine.client))
      const web = engine.named('shop-web-1')
      Object.assign(web, { status: 'exited', exitCode: 137 })
      const { client } = engine
      beforeList(client, 2, () => engine.containers.delete(web.id))
      const drift = new Drift({
        phase: 'steady',
        project: () => shop,
        wanted: () => 1,
        look: () => Promise.resolve(false),
        accept: () => undefined,
        failed: error => assert.fail(String(error)),
      })
      await repair({
        ...{ client, project: shop, drift, signal, watched: watch, options: {}, seen: 0 },
        told: () => undefined,
        hookFailed: error => assert.fail(String(error)),
        carryOut: plan => run(plan, enginePerformer(client), { signal }),
      })
      assert.deepEqual([...engine.containers.values()].map(({ name }) => name).sort(), left)
      await drift.close()
    })

  test('leaves what needs something that a person has stopped as it is, when the machine was started and when the files change', async () => {
    const engine = new FakeEngine()
    engine.images.set('busybox', { id: 'sha256:1' })
    const { client } = engine
    const of = (TAG: string) =>
      project([
        service('db', { healthcheck }),
        service('web', { environment: { TAG }, dependsOn: needs('db', 'healthy') }),
        service('page', { environment: { TAG } }),
      ])
    const seen = async () => look({ client, project: of('1') })
    await run(reconcile(of('1'), await seen()), enginePerformer(client))
    const db = engine.named('shop-db-1')
    const starts = () =>
      Object.fromEntries(
        [...engine.containers.values()].map(({ name, starts, status }) => [name, `${status} ${starts}`]),
      )
    const accepted = { stopped: [db.id], paused: [], scale: {} }
    const driftOf = (phase: 'booted' | 'steady') =>
      new Drift({
        ...{ phase, accepted, project: () => of('1'), wanted: () => 1, look: () => Promise.resolve(false) },
        accept: () => undefined,
        failed: error => assert.fail(String(error)),
      })
    const bring = async (TAG: string, drift: Drift, isRead = false) => {
      const wish = new Wish()
      if (isRead) wish.changed({ left: false })
      await repair({
        ...{ client, project: of(TAG), drift, signal, watched: true, options: {}, seen: 0, attempt: wish.attempt() },
        told: () => undefined,
        hookFailed: error => assert.fail(String(error)),
        carryOut: plan => run(plan, enginePerformer(client), { signal }),
      })
      return drift.notes()
    }
    await using drifts = new AsyncDisposableStack()
    const [steady, booted] = [driftOf('steady'), driftOf('booted')].map(each => drifts.adopt(each, one => one.close()))
    Object.assign(db, { status: 'exited', exitCode: 0 })
    assert.deepEqual(await bring('2', steady!, true), {})
    assert.deepEqual(starts(), { 'shop-db-1': 'exited 1', 'shop-web-1': 'running 1', 'shop-page-1': 'running 1' })
    assert.ok(engine.named('shop-page-1').config.Env?.includes('TAG=2'))
    for (const each of engine.containers.values()) Object.assign(each, { status: 'exited', exitCode: 255 })
    assert.deepEqual(await bring('1', booted!), { 'shop-web-1': 'waits for db, which does not run' })
    assert.deepEqual(starts(), { 'shop-db-1': 'exited 1', 'shop-web-1': 'exited 1', 'shop-page-1': 'running 1' })

    // as after the first look at what the machine's start has left
    Object.defineProperty(booted, 'phase', { value: 'steady' })
    await bring('1', booted!)
    assert.equal(starts()['shop-web-1'], 'exited 1')
    Object.assign(db, { status: 'running' })
    assert.deepEqual(await bring('1', booted!), {})
    assert.equal(starts()['shop-web-1'], 'running 2')
  })

  test('starts what needs something that has ended by itself, and that the files have made anew', async () => {
    const engine = new FakeEngine()
    engine.images.set('busybox', { id: 'sha256:1' })
    const { client } = engine
    const of = (TAG: string) =>
      project([
        service('db', { healthcheck, environment: { TAG } }),
        service('web', { dependsOn: needs('db', 'healthy') }),
      ])
    await run(reconcile(of('1'), await look({ client, project: of('1') })), enginePerformer(client))
    startFails(engine)
    const drift = new Drift({
      ...{ phase: 'steady', project: () => of('2'), wanted: () => 1, look: () => Promise.resolve(false) },
      accept: () => undefined,
      failed: error => assert.fail(String(error)),
    })
    const wish = new Wish()
    wish.changed({ left: false })
    await repair({
      ...{ client, project: of('2'), drift, signal, watched: true, options: {}, seen: 0, attempt: wish.attempt() },
      told: () => undefined,
      hookFailed: error => assert.fail(String(error)),
      carryOut: plan => run(plan, enginePerformer(client), { signal }),
    })
    assert.deepEqual([...engine.containers.values()].map(({ name, status }) => `${name} ${status}`).sort(), [
      'shop-db-1 running',
      'shop-web-1 running',
    ])
    await drift.close()
  })

  test('what has failed stays a failure as long as it is not as it should be, however often it is looked at', async () => {
    const engine = new FakeEngine()
    engine.images.set('busybox', { id: 'sha256:1' })
    const { client } = engine
    const of = project([service('db', { healthcheck }), service('web', { dependsOn: needs('db', 'healthy') })])
    await run(reconcile(of, await look({ client, project: of })), enginePerformer(client))
    startFails(engine)
    const drift = new Drift({
      ...{ phase: 'steady', project: () => of, wanted: () => 1, look: () => Promise.resolve(false) },
      accept: () => undefined,
      failed: error => assert.fail(String(error)),
    })
    const wish = new Wish()
    wish.changed({ left: false })
    const operation = { kind: 'start-container', cause: 'test', name: 'shop-db-1', service: 'db' } as const
    const failure = new Failure('conflict', 'db exited (1)')
    wish.attempt().failed(new PlanFailure([{ node: { id: 1, operation, after: [] }, failure }], []), of)
    // the rest of what was wished for, then whatever is looked at it for
    for (const isWished of [true, false]) {
      const attempt = wish.attempt()
      assert.equal(attempt.isWished, isWished)
      await repair({
        ...{ client, project: of, drift, signal, watched: true, options: {}, seen: 0, attempt },
        told: () => undefined,
        hookFailed: error => assert.fail(String(error)),
        carryOut: plan => run(plan, enginePerformer(client), { signal }),
      })
      attempt.done()
      assert.equal(wish.failure, 'db exited (1)')
    }
    assert.deepEqual([...engine.containers.values()].map(({ name, status }) => `${name} ${status}`).sort(), [
      'shop-db-1 exited',
      'shop-web-1 created',
    ])
    await drift.close()
  })
})
