import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { SwarmNode, SwarmService, SwarmTask } from '../../../src/api/swarm-objects.ts'
import { isFailure } from '../../../src/lib/failure.ts'
import { readEvents, rowOf } from '../../../src/targets/swarm/events.ts'
import { execIn } from '../../../src/targets/swarm/exec.ts'
import { readLogs } from '../../../src/targets/swarm/logs.ts'
import { partsOf } from '../../../src/targets/swarm/parts.ts'
import { reachedIn } from '../../../src/targets/swarm/reached.ts'
import { fakeClient } from '../../cli/fake-client.ts'
import { nothing } from './there.ts'

const spec = { ContainerSpec: { Image: 'i@sha256:1' } }
const labels = (service: string) => ({ 'com.docker.compose.service': service, 'com.docker.stack.image': 'i' })
const web: SwarmService = {
  ID: 'web-id',
  Version: { Index: 1 },
  Spec: { Name: 'shop_web', Labels: labels('web'), TaskTemplate: spec, Mode: { Replicated: { Replicas: 2 } } },
  Endpoint: { Ports: [{ Protocol: 'tcp', TargetPort: 443, PublishedPort: 8443, PublishMode: 'ingress' }] },
}
const job: SwarmService = {
  ...web,
  ID: 'job-id',
  Endpoint: {},
  Spec: {
    ...web.Spec,
    Name: 'shop_job',
    Labels: labels('job'),
    Mode: { ReplicatedJob: { MaxConcurrent: 2, TotalCompletions: 2 } },
  },
}
const node = (ID: string, State = 'ready'): SwarmNode => ({
  ID,
  Version: { Index: 1 },
  Description: { Hostname: `host-of-${ID}` },
  Spec: { Availability: 'active' },
  Status: { State, Addr: `192.0.2.${ID.length}` },
})
const task = (
  ID: string,
  more: Partial<SwarmTask> & { readonly State?: string; readonly ports?: boolean } = {},
): SwarmTask => {
  const { State = 'running', ports = false, ...rest } = more
  // an engine tells a port once for each family of addresses
  const port = { Protocol: 'tcp' as const, TargetPort: 80, PublishedPort: 8080, PublishMode: 'host' as const }
  return {
    ID,
    Version: { Index: 1 },
    CreatedAt: '2026-01-01T00:00:00Z',
    Spec: spec,
    ServiceID: 'web-id',
    Slot: 1,
    NodeID: 'a',
    Status: {
      State,
      Timestamp: '2026-01-01T00:00:01.5Z',
      ContainerStatus: { ContainerID: `container-of-${ID}`, ExitCode: 0 },
      ...(ports && { PortStatus: { Ports: [port, port] } }),
    },
    DesiredState: 'running',
    ...rest,
  }
}
const nodes = [node('a'), node('bb', 'down')]
const seen = (services: readonly SwarmService[], tasks: readonly SwarmTask[]) =>
  nothing({
    services: new Map(services.map(each => [each.Spec.Name, each])),
    nodes: new Map(nodes.map(each => [each.ID, each])),
    tasks,
  })

describe('tasks of a swarm', () => {
  test("a job's are counted from 0 there, and the first has no number", () => {
    const ended = { ServiceID: 'job-id', State: 'complete', DesiredState: 'complete' }
    const { Slot: _, ...first } = task('one', ended)
    const rows = partsOf(seen([job], [first, task('two', ended)]))
    assert.deepEqual(
      rows.map(({ Name, State }) => `${Name} ${State}`),
      ['shop_job.1 complete', 'shop_job.2 complete'],
    )
  })

  test('say what becomes of them: that they are to end, or that their node does not answer', () => {
    const rows = partsOf(
      seen(
        [web],
        [
          task('one', { DesiredState: 'remove' }),
          task('two', { Slot: 2, NodeID: 'bb' }),
          task('three', { Slot: 3, State: 'failed', NodeID: 'bb' }),
        ],
      ),
    )
    assert.deepEqual(
      rows.map(({ State }) => State),
      ['stopping', 'unreachable', 'failed'],
    )
  })

  test('are reached on their node, once a port; what is routed on a node that answers', () => {
    const own = [
      task('one', { ports: true }),
      task('gone', { ports: true, DesiredState: 'shutdown' }),
      task('lost', { ports: true, NodeID: 'bb' }),
    ]
    assert.deepEqual(reachedIn(seen([web], own)), [
      { service: 'web', name: 'shop_web', port: 443, protocol: 'tcp', host: '192.0.2.1', hostPort: 8443 },
      { service: 'web', name: 'shop_web.1', port: 80, protocol: 'tcp', host: '192.0.2.1', hostPort: 8080 },
    ])
  })
})

describe('events of a swarm', () => {
  test('are those of the stack, by the names of its objects', () => {
    const event = (Type: string, name: string) => ({
      Type,
      Action: 'update',
      Actor: { ID: 'x', Attributes: { name, 'updatestate.new': 'updating' } },
      scope: 'swarm',
      time: 1_767_225_600,
      timeNano: 1_767_225_600_000_000_000,
    })
    assert.deepEqual(rowOf(event('service', 'shop_web'), 'shop'), {
      action: 'update',
      attributes: { name: 'shop_web', 'updatestate.new': 'updating' },
      id: 'x',
      service: 'web',
      time: '2026-01-01T00:00:00.000000000Z',
      type: 'service',
    })
    assert.equal(rowOf(event('secret', 'shop_token_1'), 'shop')?.service, '')
    assert.equal(rowOf(event('service', 'shopping_web'), 'shop'), undefined)
  })

  test('tell of what tasks came to, in order of time, and end where they are to', async () => {
    const later = { State: 'failed', Timestamp: '2026-01-01T00:00:03Z', Err: 'why', ContainerStatus: { ExitCode: 3 } }
    const early = task('old', { State: 'running' })
    const client = fakeClient({
      events: async function* () {},
      nodeList: () => nodes,
      serviceList: () => [web],
      taskList: () => [
        { ...task('new', { Slot: 2 }), Status: later },
        task('one'),
        { ...early, Status: { ...early.Status, Timestamp: '2025-01-01T00:00:00Z' } },
      ],
    })
    const [since, until] = [Date.parse('2026-01-01T00:00:00Z') / 1000, Date.parse('2026-01-02T00:00:00Z') / 1000]
    const rows = await Array.fromAsync(
      readEvents(client, 'shop', { services: ['web'], since, until, signal: new AbortController().signal }),
    )
    assert.deepEqual(
      rows.map(({ time, action, attributes }) => [time, action, attributes]),
      [
        ['2026-01-01T00:00:01.500000000Z', 'running', { name: 'shop_web.1', node: 'host-of-a' }],
        [
          '2026-01-01T00:00:03.000000000Z',
          'failed',
          { name: 'shop_web.2', node: 'host-of-a', message: 'why', exitCode: '3' },
        ],
      ],
    )
  })
})

describe('a command in a task', () => {
  const run = async (tasks: readonly SwarmTask[], index?: number) => {
    const client = fakeClient({
      serviceList: () => [web],
      nodeList: () => nodes,
      taskList: () => tasks,
      info: () => ({ Swarm: { NodeID: 'a' } }),
      execCreate: () => ({ Id: 'e' }),
      execStart: () => ({}),
      execInspect: () => ({ ExitCode: 3 }),
    })
    const signal = new AbortController().signal
    const { ended } = await execIn(client, 'shop', { service: 'web', index, command: ['ls'], tty: false, signal })
    assert.equal(await ended(), 3)
    return (client.asked.find(({ name }) => name === 'execCreate')!.input as { params: { id: string } }).params.id
  }

  test('is run in the one that is on this node, whichever it is', async () => {
    const far = task('far', { NodeID: 'bb' })
    assert.equal(await run([far, task('near', { Slot: 2 })]), 'container-of-near')
    assert.equal(await run([task('other', { Slot: 2 }), task('near')], 1), 'container-of-near')
  })

  test('is refused where none is, with the node and the container', async () => {
    await assert.rejects(run([task('far', { NodeID: 'bb' }), task('near', { Slot: 2 })], 1), (error: Error) => {
      assert.ok(isFailure(error, 'unsupported'))
      assert.match(error.message, /it runs on node "host-of-bb", and a swarm passes no commands on/)
      assert.match(error.hint ?? '', /docker exec -it container-of/)
      return true
    })
    await assert.rejects(run([]), /no task of it runs/)
    await assert.rejects(run([task('one')], 7), /no task 7 of it runs/)
  })
})

describe('logs of a swarm', () => {
  const line = (id: string, text: string) =>
    `2026-01-01T00:00:00.000000000Z com.docker.swarm.node.id=a,com.docker.swarm.task.id=${id} ${text}\n`
  const output = async function* (...lines: readonly string[]) {
    for (const each of lines) yield { stream: 'stdout' as const, data: Buffer.from(each) }
  }

  test('go on with services that come later, and with tasks that were not known', async () => {
    const tasks = [task('known')]
    const services = [web]
    const client = fakeClient({
      serviceList: ({ query }: { query: { filters: { id?: readonly string[] } } }) =>
        query.filters.id ? [job] : services,
      taskList: () => tasks,
      events: async function* () {
        yield { Actor: { ID: 'web-id' } }
        yield { Actor: { ID: 'job-id' } }
      },
      serviceLogs: ({ params }: { params: { id: string } }) => {
        tasks.push(task('fresh', { Slot: 2 }))
        return params.id === 'web-id' ? output(line('known', 'a'), line('fresh', 'b')) : output(line('strange', 'c'))
      },
    })
    const options = { follow: true, tail: undefined, since: undefined, signal: new AbortController().signal }
    const lines = await Array.fromAsync(readLogs(client, 'shop', options))
    assert.deepEqual(lines.map(({ name, text }) => `${name} ${text}`).sort(), [
      'shop_job.strange c',
      'shop_web.1 a',
      'shop_web.2 b',
    ])
  })

  test('warn of what a manager cannot have, which is no line of a task', async () => {
    const client = fakeClient({
      serviceList: () => [web],
      taskList: () => [],
      serviceLogs: () =>
        output(
          line('x', 'a'),
          'logs: rpc error: code = Unknown desc = warning: incomplete log stream: node x is not available\n',
        ),
    })
    const warnings: string[] = []
    const onWarning = (text: string) => warnings.push(text)
    const signal = new AbortController().signal
    const lines = await Array.fromAsync(
      readLogs(client, 'shop', { follow: false, tail: undefined, since: undefined, signal, onWarning }),
    )
    assert.deepEqual(
      lines.map(({ text }) => text),
      ['a'],
    )
    assert.deepEqual(warnings, ['incomplete log stream: node x is not available'])
  })
})
