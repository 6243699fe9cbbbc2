import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApplyEvent } from '../../../src/apply/events.ts'
import { Failure } from '../../../src/lib/failure.ts'
import type { Hook } from '../../../src/model/service.ts'
import { printPlan } from '../../../src/plan/print.ts'
import type { EnginePlan } from '../../../src/targets/engine/engine-plan.ts'
import { reconcile } from '../../../src/targets/engine/plan/reconcile.ts'
import type { Turn } from '../../../src/targets/engine/plan/update-turn.ts'
import { FakeClient, inspect } from './fake-client.ts'
import { applied, healthcheck, nothing, project, service } from './plan/project.ts'
import { run, start } from './plans.ts'

type Update = NonNullable<NonNullable<Parameters<typeof service>[1]>['deploy']>['update']

/** The plan of an update of `scale` containers from one tag to another. */
function update(
  config: Update,
  { scale = 2, rollback = {} as Update, preStart = [] as readonly Hook[] } = {},
): EnginePlan {
  const of = (tag: string) =>
    project([
      service('web', {
        replicas: scale,
        healthcheck,
        environment: { TAG: tag },
        preStart,
        deploy: { labels: {}, placement: { constraints: [], spread: [] }, devices: [], update: config, rollback },
      }),
    ])
  const before = reconcile(of('a'), nothing())
  return reconcile(of('b'), applied(before, nothing()))
}

/** An engine on which those whose name has one of `ill` in it are never well. */
function engine(...ill: readonly string[]): FakeClient {
  return new FakeClient(answers(ill))
}

function answers(ill: readonly string[]): ConstructorParameters<typeof FakeClient>[0] {
  let made = 0
  return {
    ...Object.fromEntries(['Start', 'Stop', 'Remove', 'Rename'].map(verb => [`container${verb}`, () => undefined])),
    containerCreate: () => ({ Id: `new${++made}`, Warnings: [] }),
    containerInspect: ({ params }) => {
      const isIll = ill.some(each => params!['id'] === each)
      return inspect(params!['id']!, {
        Status: 'running',
        Health: { Status: isIll ? 'unhealthy' : 'healthy', Log: [] },
      })
    },
  }
}

async function outcome(plan: EnginePlan, client: FakeClient) {
  const events: ApplyEvent[] = []
  const error = await run(plan, client, { onEvent: event => events.push(event) }).then(
    () => undefined,
    (thrown: Error) => thrown.message,
  )
  const warnings = events.flatMap(event => (event.kind === 'warning' ? [event.text] : []))
  return { error, warnings, calls: client.calls.filter(call => !/Inspect|events|Rename/.test(call)) }
}

function turnsOf(plan: EnginePlan): readonly Turn[] {
  return plan.rollouts[0]!.turns as readonly Turn[]
}

test('run() goes back when the new version is ill: from the second batch over the first, which was done', async () => {
  const plan = update({ order: 'start-first', failureAction: 'rollback' })
  const before = plan.nodes.length
  const [old1, old2] = turnsOf(plan).map(turn => turn.old.id)
  const { error, calls } = await outcome(plan, engine('new2'))
  assert.match(error!, /^Cannot update "web": container shop-web-2 is unhealthy.*; it goes back to what it was$/)
  assert.deepEqual(calls.slice(calls.indexOf('containerStart new2') + 1), [
    'containerStop new2',
    'containerRemove new2',
    `containerStart ${old1}`,
    'containerStop new1',
    'containerRemove new1',
  ])
  assert.ok(!calls.includes(`containerStop ${old2}`))
  assert.match(printPlan(plan).split('\n').slice(before).join('\n'), /the update of web is taken back/)
})

test('run() hands out the container that has failed while it is still there', async () => {
  const client = engine('new1')
  const seen: string[] = []
  const plan = update({ order: 'start-first', failureAction: 'rollback' }, { scale: 1 })
  const beforeRecovery = async (_: unknown, id: string) => {
    seen.push(id)
    assert.ok(!client.calls.includes(`containerRemove ${id}`))
  }
  await assert.rejects(run(plan, client, { beforeRecovery }))
  assert.deepEqual(seen, ['new1'])
  assert.ok(client.calls.includes('containerRemove new1'))
})

test('run() leaves what has nothing to do with a failed update alone', async () => {
  const plan = update({ failureAction: 'rollback' }, { scale: 1 })
  plan.add(start('late'), [plan.add({ kind: 'delay', cause: '', name: 'x', service: 'x', milliseconds: 50 })])
  const { error, calls } = await outcome(plan, engine('new1'))
  assert.match(error!, /shop-web-1 is unhealthy/)
  assert.ok(calls.includes('containerStart late'))
})

test('run() goes back stop-first to the container that was stopped', async () => {
  const plan = update({ order: 'stop-first', failureAction: 'rollback' }, { scale: 1 })
  const old = turnsOf(plan)[0]!.old.id
  const { calls } = await outcome(plan, engine('new1'))
  assert.deepEqual(calls, [
    'containerCreate',
    `containerStop ${old}`,
    'containerStart new1',
    'containerStop new1',
    `containerStart ${old}`,
    'containerRemove new1',
  ])
})

test('run() pauses where nothing else is said, and removes what has been replaced for good', async () => {
  const plan = update({ order: 'start-first' }, { scale: 3 })
  const [old1, old2, old3] = turnsOf(plan).map(turn => turn.old.id)
  const { error, calls } = await outcome(plan, engine('new2'))
  assert.match(error!, /; the update is paused$/)
  assert.ok(calls.includes(`containerRemove ${old1}`))
  for (const old of [old2, old3]) assert.ok(!calls.some(call => call.includes(old!)))
})

test('run() goes on with `continue`, and with as many failures as max_failure_ratio allows', async () => {
  for (const config of [{ failureAction: 'continue' }, { failureAction: 'rollback', maxFailureRatio: 0.5 }]) {
    const plan = update({ order: 'start-first', ...config })
    const { error, warnings, calls } = await outcome(plan, engine('new1'))
    assert.equal(error, undefined)
    assert.equal(warnings.length, 1)
    assert.match(warnings[0]!, /^container shop-web-1 is unhealthy.*; the update of "web" goes on$/)
    for (const { old } of turnsOf(plan)) assert.ok(calls.includes(`containerRemove ${old.id}`))
  }
})

test('run() goes on without a container that cannot be started: the old one stays', async () => {
  const plan = update({ order: 'start-first', failureAction: 'continue' })
  const [old1, old2] = turnsOf(plan).map(turn => turn.old.id)
  const refusing = new FakeClient({
    ...answers([]),
    containerStart: ({ params }) => {
      if (params!['id'] === 'new1') throw new Error('no such file')
    },
  })
  const { error, calls } = await outcome(plan, refusing)
  assert.equal(error, undefined)
  assert.ok(!calls.some(call => call.includes(old1!)))
  assert.ok(calls.includes(`containerRemove ${old2}`))
})

test('run() begins no container of the new version without what runs once before all of them, whatever failures are let pass', async () => {
  const hook = { command: ['migrate'], privileged: false, environment: {}, perReplica: false }
  for (const [failureAction, end] of [
    ['continue', /^Cannot run init container "shop-web-pre_start-0": disk full$/],
    ['rollback', /^Cannot update "web": .*disk full; it goes back to what it was$/],
  ] as const) {
    const plan = update({ order: 'start-first', failureAction }, { preStart: [hook] })
    const made = answers([])
    const client = new FakeClient({
      ...made,
      containerCreate: (call, ...rest) => {
        if (call.query!['name'] === 'shop-web-pre_start-0') throw new Failure('internal', 'disk full')
        return made['containerCreate']!(call, ...rest)
      },
    })
    const { error, calls } = await outcome(plan, client)
    assert.match(error!, end)
    assert.deepEqual(
      calls.filter(call => call.startsWith('containerStart')),
      [],
    )
  }
})

test('an update says in which batches it comes, why it is stop-first, and how it would go back', () => {
  const config = {
    parallelism: 2,
    delay: 10e9,
    order: 'start-first',
    failureAction: 'rollback',
    maxFailureRatio: 0.1,
  } as const
  const plan = update(config, { scale: 3, rollback: { parallelism: 0, monitor: 2e9, order: 'stop-first' } })
  assert.deepEqual(plan.rollouts[0]!.shape, {
    parallelism: 2,
    order: 'start-first',
    delay: 10_000,
    batches: [['shop-web-1', 'shop-web-2'], ['shop-web-3']],
    onFailure: 'rollback',
    maxFailureRatio: 0.1,
    back: { parallelism: 0, order: 'stop-first', monitor: 2000 },
  })
})
