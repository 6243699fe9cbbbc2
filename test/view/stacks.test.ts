import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { stackRows, worst } from '../../src/view/stacks.ts'
import { timelineEntry } from '../../src/view/timeline.ts'
import { causeOf, type TroubleInput } from '../../src/view/trouble-cause.ts'
import { summary } from '../cli/fake-client.ts'

describe('stackRows()', () => {
  test('gathers containers by stack and service, each with its state and the worst of them', () => {
    const rows = stackRows([
      summary('web', 2, { Status: 'Up 2 minutes (unhealthy)' }),
      summary('web', 1, { Status: 'Up 2 minutes (healthy)' }),
      summary('db', 1, { State: 'exited', Status: 'Exited (3) 4 seconds ago' }),
    ])
    assert.deepEqual(
      rows.map(({ name, condition, services }) => [
        name,
        condition,
        services.map(each => [each.name, each.condition, each.replicas.map(replica => replica.number)]),
      ]),
      [
        [
          'shop',
          'failed',
          [
            ['db', 'failed', [1]],
            ['web', 'unhealthy', [1, 2]],
          ],
        ],
      ],
    )
  })

  for (const [State, Status, condition] of [
    ['running', 'Up 1 second (health: starting)', 'starting'],
    ['running', 'Up 1 second', 'running'],
    ['restarting', 'Restarting (1) 3 seconds ago', 'restarting'],
    ['paused', 'Up 2 hours (Paused)', 'paused'],
    ['created', 'Created', 'created'],
    ['exited', 'Exited (0) 1 second ago', 'done'],
    ['exited', 'Exited (1) 1 second ago', 'failed'],
    ['exited', 'Exited (143) 1 second ago', 'stopped'],
    ['exited', 'Exited (137) 1 second ago', 'stopped'],
    ['dead', 'Dead', 'failed'],
    ['removing', 'Removal In Progress', 'stopped'],
  ] as const)
    test(`"${Status}" is ${condition}`, () => {
      assert.equal(stackRows([summary('web', 1, { State, Status })])[0]!.services[0]!.condition, condition)
    })

  test('leaves out containers of no stack', () => {
    assert.deepEqual(stackRows([summary('web', 1, { Labels: {} })]), [])
  })

  test('worst() of nothing is stopped', () => {
    assert.equal(worst([]), 'stopped')
    assert.equal(worst(['running', 'starting', 'done']), 'starting')
  })
})

describe('causeOf()', () => {
  const input = (more: Partial<TroubleInput>, state: Partial<TroubleInput['state']> = {}): TroubleInput => ({
    condition: 'failed',
    restarts: 0,
    memoryLimit: 0,
    isRestless: false,
    ...more,
    state: { ExitCode: 1, OOMKilled: false, Error: '', ...state },
  })

  for (const [given, expected] of [
    [input({}), { kind: 'failed', text: 'Ended with 1' }],
    [input({}, { ExitCode: 127 }), { kind: 'failed', text: 'Ended with 127, its command was not found' }],
    [input({}, { ExitCode: 127, Error: 'no such file: /x' }), { kind: 'failed', text: 'No such file: /x' }],
    [
      input({ condition: 'restarting', restarts: 3 }, { ExitCode: 3 }),
      { kind: 'restarting', text: 'Keeps ending: ended with 3, restarted 3 times' },
    ],
    [
      input({ condition: 'running', restarts: 1, isRestless: true }, { ExitCode: 139 }),
      { kind: 'restarting', text: 'Keeps ending: ended with 139, a wrong memory access (SIGSEGV), restarted once' },
    ],
    [
      input({ condition: 'stopped', memoryLimit: 64 * 1024 * 1024 }, { ExitCode: 137, OOMKilled: true }),
      { kind: 'memory', text: 'Killed: out of memory (limit 64MiB)' },
    ],
    [input({ condition: 'stopped' }, { ExitCode: 137 }), undefined],
    [input({ condition: 'running' }), undefined],
  ] as const)
    test(`of ${given.condition} ${given.state.ExitCode} is ${expected?.text ?? 'none'}`, () => {
      assert.deepEqual(causeOf(given), expected)
    })

  test('tells what a healthcheck said last', () => {
    const Health = {
      Status: 'unhealthy' as const,
      FailingStreak: 4,
      Log: [{ Start: '', End: '', ExitCode: 1, Output: 'first\nrefused\n' }],
    }
    assert.deepEqual(causeOf(input({ condition: 'unhealthy' }, { Health })), {
      kind: 'unhealthy',
      text: 'Its healthcheck failed 4 times: refused',
    })
  })
})

describe('timelineEntry()', () => {
  const event = (Action: string, more: Readonly<Record<string, string>> = {}) => ({
    Type: 'container',
    Action,
    Actor: { ID: 'abc', Attributes: { name: 'shop-web-1', 'com.docker.compose.service': 'web', ...more } },
    scope: 'local',
    time: 5,
    timeNano: 5_000_000_000,
  })
  for (const [action, more, kind, text] of [
    ['start', {}, 'start', 'started'],
    ['die', { exitCode: '0' }, 'end', 'ended'],
    ['die', { exitCode: '9' }, 'bad', 'ended with 9'],
    ['oom', {}, 'bad', 'ran out of memory'],
    ['health_status: unhealthy', {}, 'bad', 'is unhealthy'],
    ['health_status: healthy', {}, 'health', 'is healthy'],
    ['kill', { signal: '15' }, 'change', 'got signal 15'],
    ['destroy', {}, 'end', 'removed'],
  ] as const)
    test(`says of "${action}": ${text}`, () => {
      assert.deepEqual(timelineEntry(event(action, more)), {
        time: 5000,
        kind,
        service: 'web',
        container: 'shop-web-1',
        text,
      })
    })

  test('passes over what nobody would look for', () => {
    assert.equal(timelineEntry(event('exec_create: true')), undefined)
    assert.equal(timelineEntry({ ...event('create'), Type: 'network' }), undefined)
  })
})
