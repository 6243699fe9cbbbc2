import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApplyEvent } from '../../src/apply/events.ts'
import { Waits } from '../../src/cli/not-ready.ts'
import type { PlanNode } from '../../src/plan/plan.ts'
import { fakeClient } from './fake-client.ts'

const node = (id: number, kind: string, service: string, more: object = {}): PlanNode =>
  ({ id, after: [], operation: { kind, cause: '', name: `shop-${service}-1`, service, ...more } }) as PlanNode
const event = (kind: ApplyEvent['kind'], of: PlanNode, more: object = {}) => ({ kind, node: of, ...more }) as ApplyEvent

const state = (Status: string, more: object = {}) => ({
  State: { Status, ExitCode: 0, OOMKilled: false, Error: '', ...more },
})
const client = fakeClient({
  containerInspect: ({ params: { id } }: { params: { id: string } }) =>
    id === 'shop-db-1'
      ? state('running', {
          Health: { Status: 'starting', FailingStreak: 3, Log: [{ ExitCode: 1, Output: 'connection\nrefused\n' }] },
        })
      : state('restarting', { ExitCode: 137, OOMKilled: true }),
})

test('each container that is waited for says for how long, for what, and what it has come to', async () => {
  let now = 0
  const [db, migrate, cache, create, web, worker] = [
    node(1, 'wait-container', 'db', { condition: 'healthy' }),
    node(2, 'wait-container', 'migrate', { condition: 'completed' }),
    node(3, 'wait-container', 'cache', { condition: 'ready' }),
    { ...node(4, 'create-container', 'web'), after: [1, 2] },
    { ...node(5, 'start-container', 'web'), after: [3, 4] },
    node(6, 'start-container', 'worker'),
  ]
  const waits = new Waits({ nodes: [db, migrate, cache, create, web, worker] }, () => now)
  for (const each of [db, migrate, cache]) waits.take(event('started', each))
  now = 12_400
  waits.take(event('done', cache))
  // time ran out for one of them: the others are not ready either, and web waits for both
  waits.take(event('failed', db))
  for (const each of [migrate, create, web, worker]) waits.take(event('skipped', each))
  assert.deepEqual(await waits.rows(client), [
    {
      service: 'db',
      container: 'shop-db-1',
      reason:
        'waited 12 s to be healthy: starting, 3 checks failed in a row; the last ended with 1: connection\nrefused',
    },
    {
      service: 'migrate',
      container: 'shop-migrate-1',
      reason: 'waited 12 s to end with 0: restarting, exited (137), out of memory',
    },
    { service: 'web', container: undefined, reason: 'not started: it waits for db and migrate' },
    { service: 'worker', container: undefined, reason: 'not started' },
  ])
})

test('a container that nobody can look at any more says so', async () => {
  const db = node(1, 'wait-container', 'db', { condition: 'healthy' })
  const waits = new Waits({ nodes: [db] }, () => 0)
  waits.take(event('started', db))
  assert.match((await waits.rows(fakeClient({})))[0]!.reason, /^waited 0 s to be healthy: containerInspect is not/)
})
