import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SwarmService, SwarmTask, TaskSpec } from '../../../src/api/swarm-objects.ts'
import { stateOf } from '../../../src/targets/swarm/perform/wait.ts'

const since = Date.parse('2026-01-01T00:00:00Z')
const now = '2026-01-01T00:00:01Z'

const template = (image = 'new', more: Partial<TaskSpec> = {}): TaskSpec => ({
  ContainerSpec: { Image: image },
  RestartPolicy: { Condition: 'any' },
  ...more,
})

function service(more: Partial<SwarmService> = {}, spec: Partial<SwarmService['Spec']> = {}): SwarmService {
  return {
    ID: 's',
    Version: { Index: 1 },
    Spec: { Name: 'shop_a', TaskTemplate: template(), Mode: { Replicated: { Replicas: 2 } }, ...spec },
    ServiceStatus: { RunningTasks: 0, DesiredTasks: 2, CompletedTasks: 0 },
    ...more,
  }
}

function task(state: string, more: Partial<SwarmTask> = {}): SwarmTask {
  return {
    ID: 't',
    Version: { Index: 1 },
    CreatedAt: now,
    Spec: template(),
    ServiceID: 's',
    Slot: 1,
    Status: { State: state, Timestamp: now },
    DesiredState: ['running', 'starting', 'preparing'].includes(state) ? 'running' : 'shutdown',
    ...more,
  }
}

const wait = { condition: 'started' as const, before: undefined, since }
const kind = (of: SwarmService, tasks: readonly SwarmTask[], more: Partial<typeof wait> = {}) =>
  stateOf(of, tasks, { ...wait, ...more }).kind

test('a service is up when as many tasks of its version run as are wanted, and none of another', () => {
  assert.equal(kind(service(), [task('running'), task('starting')]), 'waiting')
  assert.equal(kind(service(), [task('running'), task('running')]), 'done')
  const old = task('running', { Spec: template('old') })
  assert.equal(kind(service(), [task('running'), old]), 'waiting')
  assert.equal(kind(service(), [task('running'), task('running'), old]), 'waiting')
  // scaled down: what is too many still runs
  assert.equal(kind(service(), [task('running'), task('running'), task('running')]), 'waiting')
})

test('a task that no node takes says why', () => {
  const pending = task('pending')
  const why = 'no suitable node (host-mode port already in use on 1 node)'
  const of = [task('running'), { ...pending, DesiredState: 'running', Status: { ...pending.Status, Err: why } }]
  assert.deepEqual(stateOf(service(), of, wait), { kind: 'waiting', are: 1, wanted: 2, why })
})

test('an update of ports alone has begun before it is done: its tasks look like those before', () => {
  const both = [task('running'), task('running')]
  const ports = (port: number) => ({
    EndpointSpec: { Ports: [{ Protocol: 'tcp', TargetPort: 80, PublishedPort: port, PublishMode: 'host' as const }] },
  })
  const previous = service({}, ports(1)).Spec
  const updated = (more: Partial<SwarmService> = {}) => service({ PreviousSpec: previous, ...more }, ports(2))
  assert.equal(kind(updated(), both), 'waiting')
  assert.equal(kind(updated({ UpdateStatus: { State: 'completed', StartedAt: now } }), both), 'done')
  // what has not run has nothing to replace
  assert.equal(kind({ ...updated(), Spec: { ...updated().Spec, Mode: { Replicated: { Replicas: 0 } } } }, []), 'done')
  assert.equal(kind(service({ PreviousSpec: previous }, ports(1)), both), 'done')
})

test('an update is done when the swarm says so; the state of one before it tells nothing', () => {
  const both = [task('running'), task('running')]
  const updating = service({ UpdateStatus: { State: 'updating', StartedAt: now } })
  assert.equal(kind(updating, both), 'waiting')
  const paused = service({ UpdateStatus: { State: 'paused', StartedAt: now, Message: 'why' } })
  assert.deepEqual(stateOf(paused, both, wait), {
    kind: 'failed',
    why: 'could not be updated, and its update is paused: why',
    hint: 'Run up again to go on with it',
  })
  assert.equal(stateOf(paused, both, { ...wait, before: now }).kind, 'done')
  const back = service({ UpdateStatus: { State: 'rollback_completed', StartedAt: now } })
  const failed = task('failed', { Status: { State: 'failed', Timestamp: now, Err: 'task: unhealthy' } })
  assert.match(JSON.stringify(stateOf(back, [...both, failed], wait)), /went back to what it was: task: unhealthy/)
  assert.equal(kind(service({ UpdateStatus: { State: 'rollback_started', StartedAt: now } }), both), 'waiting')
})

test('three tasks that fail are a failure with the reason of the last; those of before are not counted', () => {
  const failed = (CreatedAt: string, Err: string) =>
    task('rejected', { CreatedAt, Status: { State: 'rejected', Timestamp: CreatedAt, Err } })
  const three = ['1', '2', '3'].map(second => failed(`2026-01-01T00:00:0${second}Z`, `no such image ${second}`))
  assert.equal(kind(service(), three.slice(1)), 'waiting')
  assert.match(JSON.stringify(stateOf(service(), three, wait)), /does not start: no such image 3/)
  const before = three.map(each => ({ ...each, CreatedAt: '2025-12-31T00:00:00Z' }))
  assert.equal(kind(service(), before), 'waiting')
  const never = service({}, { TaskTemplate: template('new', { RestartPolicy: { Condition: 'none' } }) })
  const own = failed(now, 'x')
  assert.equal(kind(never, [{ ...own, Spec: never.Spec.TaskTemplate }]), 'failed')
})

test('a job has done its work when so many of its tasks of this run have ended with 0', () => {
  const job = service(
    { JobStatus: { JobIteration: { Index: 2 } } },
    {
      TaskTemplate: template('new', { RestartPolicy: { Condition: 'on-failure' } }),
      Mode: { ReplicatedJob: { TotalCompletions: 2, MaxConcurrent: 2 } },
    },
  )
  const run = (state: string, Index: number) => task(state, { JobIteration: { Index } })
  const completed = { ...wait, condition: 'completed' as const }
  assert.equal(stateOf(job, [run('complete', 2), run('running', 2)], completed).kind, 'waiting')
  assert.equal(stateOf(job, [run('complete', 2), run('complete', 1)], completed).kind, 'waiting')
  assert.equal(stateOf(job, [run('complete', 2), run('complete', 2)], completed).kind, 'done')
  assert.equal(kind(job, [run('complete', 2), run('running', 2)]), 'done')
})

test('a placement that has changed alone moves no task that stands well', () => {
  const moved = service({}, { TaskTemplate: template('new', { Placement: { Constraints: ['node.role==manager'] } }) })
  assert.equal(kind(moved, [task('running'), task('running')]), 'done')
})
