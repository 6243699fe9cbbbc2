import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isAbandoned, isThere, type LeaveInput, lateFollowers, leaves, wantedScale } from '../../src/drift/leaves.ts'
import type { RestartPolicy } from '../../src/model/deploy.ts'
import type { ObservedContainer } from '../../src/targets/engine/observed.ts'
import { project, service } from '../targets/engine/plan/project.ts'
import { container } from './container.ts'

const ended = (more: Partial<ObservedContainer>) => container({ state: 'exited', exitCode: 0, ...more })

describe('leaves()', () => {
  const input = (restart: RestartPolicy, more: Partial<LeaveInput> = {}): LeaveInput => ({
    project: project([service('web', { restart })]),
    accepted: { stopped: [], paused: [], scale: {} },
    killed: new Set(),
    phase: 'steady',
    ...more,
  })
  const never: RestartPolicy = { kind: 'no' }
  const always: RestartPolicy = { kind: 'always' }
  const onFailure: RestartPolicy = { kind: 'on-failure', maxRetries: 0 }
  const limited = project([
    service('web', {
      restart: always,
      deploy: { labels: {}, placement: { constraints: [], spread: [] }, devices: [], restartAttempts: 2 },
    }),
  ])
  const counted = (times: number) => ({ phase: 'returned', restarted: new Map([['a', times]]) }) as const
  const stopped = { stopped: ['a'], paused: [], scale: {} }
  const rows: readonly (readonly [string, LeaveInput, Partial<ObservedContainer>, boolean])[] = [
    ['what ended by itself and has no policy', input(never), { exitCode: 1 }, true],
    ['not what was killed', input(never, { killed: new Set(['a']) }), { exitCode: 137 }, false],
    ['not what has never run', input(never), { state: 'created', exitCode: undefined }, false],
    ['not what always runs', input(always), {}, false],
    ['what was stopped on purpose', input(always, { accepted: stopped }), {}, true],
    ['what was stopped on purpose, at boot too', input(always, { accepted: stopped, phase: 'booted' }), {}, true],
    ['not what merely ended before the boot', input(never, { phase: 'booted' }), {}, false],
    ['what failed so often that its engine gave up', input(onFailure), { exitCode: 1 }, true],
    ['not what failed while its engine was away', input(onFailure, { phase: 'returned' }), { exitCode: 1 }, false],
    ['what was done while its engine was away', input(onFailure, { phase: 'returned' }), { exitCode: 0 }, true],
    ['what its engine has started so often as it may', input(always, { project: limited }), { exitCode: 1 }, true],
    ['not what may be started once more', input(always, { project: limited, ...counted(1) }), { exitCode: 1 }, false],
    ['what was started so often before', input(always, { project: limited, ...counted(2) }), { exitCode: 1 }, true],
    [
      'what had failed so often when its engine went away',
      input({ kind: 'on-failure', maxRetries: 3 }, counted(3)),
      { exitCode: 1 },
      true,
    ],
    [
      'not what had failed less often',
      input({ kind: 'on-failure', maxRetries: 3 }, counted(2)),
      { exitCode: 1 },
      false,
    ],
    ['not what is paused', input(never), { state: 'paused' }, false],
    [
      'what was paused on purpose',
      input(never, { accepted: { stopped: [], paused: ['a'], scale: {} } }),
      { state: 'paused' },
      true,
    ],
    ['not what is dead', input(never, { accepted: stopped }), { state: 'dead' }, false],
  ]
  for (const [title, given, more, expected] of rows)
    test(`leaves ${title}`, () => assert.equal(leaves(given, ended(more)), expected))
})

describe('wantedScale()', () => {
  const shop = project([service('db'), service('web', { replicas: 3 })])
  const accepted = { stopped: [], paused: [], scale: { web: 1, gone: 2 } }
  const containers = [container({ id: 'b', number: 2 }), container({ id: 'r', oneOff: true })]
  const input = { project: shop, accepted, containers }

  test('is what there is: what somebody has removed is not wanted, and what others have made is', () => {
    const held = { ...input, asked: { web: 2 }, watched: false }
    assert.deepEqual(wantedScale(held), { db: 0, web: 1 })
    const more = [1, 2, 3, 4].map(number => container({ id: `${number}`, number }))
    assert.deepEqual(wantedScale({ ...held, containers: more }), { db: 0, web: 4 })
  })

  test('is what was asked for of a stack that is watched, but for what was stopped and removed', () => {
    assert.deepEqual(wantedScale({ ...input, asked: { web: 2, db: 5 }, watched: true }), { db: 5, web: 1 })
  })

  test('does not see what is about to go, unless it is to be made again', () => {
    for (const state of ['removing', 'dead'] as const) {
      assert.equal(isThere({ watched: false }, container({ state })), false)
      assert.equal(isThere({ watched: true }, container({ state })), true)
    }
    assert.equal(isThere({ watched: false }, container({ state: 'exited' })), true)
  })

  test('leaves nothing to hold when all has been removed, unless it is watched or has jobs', () => {
    const oneOff = containers.slice(1)
    assert.equal(isAbandoned({ project: shop, watched: false, containers }), false)
    assert.equal(isAbandoned({ project: shop, watched: false, containers: oneOff }), true)
    assert.equal(isAbandoned({ project: shop, watched: true, containers: oneOff }), false)
    const schedule = { cron: '* * * * *', timezone: 'UTC', concurrency: 'forbid', missed: 'skip', history: 1 } as const
    const jobs = project([service('job', { schedule })])
    assert.equal(isAbandoned({ project: jobs, watched: false, containers: [] }), false)
  })
})

describe('lateFollowers()', () => {
  const needs = { db: { service: 'db', condition: 'started', required: true, restart: true } } as const
  const shop = project([service('db'), service('web', { dependsOn: needs })])
  const at = (name: string, id: string, startedAt: number) => ({
    container: ended({ id, service: name, state: 'running' }),
    startedAt,
  })

  test('names what has been started before what it follows', () => {
    const running = [at('db', 'd', 200), at('web', 'old', 100), at('web', 'new', 300)]
    assert.deepEqual(
      [...lateFollowers(shop, running, { seen: 0, recovered: new Map() })],
      [['old', 'db has been started again']],
    )
  })

  test('leaves out what a person has seen to', () => {
    assert.equal(
      lateFollowers(shop, [at('db', 'd', 200), at('web', 'w', 100)], { seen: 200, recovered: new Map() }).size,
      0,
    )
  })

  test('names what has run while what it follows was unhealthy', () => {
    const running = [at('db', 'd', 100), at('web', 'w', 150)]
    const recovered = new Map([['db', 300]])
    assert.deepEqual([...lateFollowers(shop, running, { seen: 0, recovered })], [['w', 'db was unhealthy']])
  })

  test('names nobody when nothing of what is followed runs', () => {
    assert.equal(lateFollowers(shop, [at('web', 'w', 100)], { seen: 0, recovered: new Map() }).size, 0)
  })
})
