import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../../src/lib/failure.ts'
import { Channel } from '../../../../src/targets/engine/logs/channel.ts'
import { Follower, follow } from '../../../../src/targets/engine/logs/follow.ts'
import { splitLines } from '../../../../src/targets/engine/logs/log-lines.ts'
import { readLogs } from '../../../../src/targets/engine/logs/logs.ts'
import { FakeClient, inspect, settled } from '../fake-client.ts'
import { attributes, chunks, item, told, World } from './containers.ts'

test('splitLines() puts lines together per stream, whatever the pieces, and keeps characters whole', async () => {
  const euro = Buffer.from('€\n')
  const source = chunks(
    ['stdout', 'a\nb'],
    ['stderr', 'x'],
    ['stdout', 'c\r\n'],
    ['stderr', euro.subarray(0, 2)],
    ['stderr', euro.subarray(2)],
    ['stdout', 'end'],
  )
  const lines = (await Array.fromAsync(splitLines(source))).map(({ stream, text }) => `${stream} ${text}`)
  assert.deepEqual(lines, ['stdout a', 'stdout bc', 'stderr x€', 'stdout end'])
})

test('readLogs() merges the containers by time', async () => {
  const logs: Readonly<Record<string, readonly string[]>> = {
    db: ['2026-01-01T00:00:01.0Z one', '2026-01-01T00:00:03.0Z three'],
    web: ['2026-01-01T00:00:02.0Z two', '2026-01-01T00:00:04.0Z four'],
  }
  const client = new FakeClient({
    pastLogList: () => [],
    containerList: () => [item('web'), item('db', 'exited')],
    containerLogs: ({ params }) => chunks(['stdout', `${logs[params!['id']!]!.join('\n')}\n`]),
  })
  const events = await Array.fromAsync(readLogs(client, 'shop'))
  assert.deepEqual(
    events.map(e => e.kind === 'line' && `${e.service} ${e.text} ${e.time}`),
    ['db one undefined', 'web two undefined', 'db three undefined', 'web four undefined'],
  )
})

test('readLogs() counts what was printed by containers that are no more to the replica that they were', async () => {
  const time = (second: number) => `2026-01-01T00:00:0${second}.0Z`
  const of = (text: string, ...seconds: readonly number[]) => seconds.map(each => `${time(each)} ${text} ${each}`)
  const logs: Readonly<Record<string, readonly string[]>> = { web: of('new', 4, 6), db: of('db', 5) }
  const past: Readonly<Record<string, readonly string[]>> = { first: of('old', 1, 2, 3), gone: of('one too many', 2) }
  const whose = (service: string, number: string) => ({
    'com.docker.compose.service': service,
    'com.docker.compose.container-number': number,
  })
  const last = (lines: readonly string[], tail: unknown) =>
    chunks(['stdout', (tail === 'all' ? lines : lines.slice(-Number(tail))).map(each => `${each}\n`).join('')])
  const client = new FakeClient({
    containerList: () => [item('web'), item('db')],
    containerLogs: ({ params, query }) => last(logs[params!['id']!]!, query!['tail']),
    pastLogList: () => [
      { Id: 'first', Name: 'shop-web-1', Labels: whose('web', '1') },
      { Id: 'gone', Name: 'shop-web-2', Labels: whose('web', '2') },
    ],
    pastLogRead: ({ params, query }) => last(past[params!['id']!]!, query!['tail']),
  })
  const texts = async (options: Parameters<typeof readLogs>[2]) =>
    (await Array.fromAsync(readLogs(client, 'shop', options))).map(e => e.kind === 'line' && `${e.number} ${e.text}`)
  assert.deepEqual(await texts({}), [
    '1 old 1',
    '1 old 2',
    '2 one too many 2',
    '1 old 3',
    '1 new 4',
    '1 db 5',
    '1 new 6',
  ])
  assert.deepEqual(await texts({ services: ['web'], tail: 3 }), ['2 one too many 2', '1 old 3', '1 new 4', '1 new 6'])
  assert.deepEqual(await texts({ services: ['db'] }), [`1 ${time(5)} db 5`])
})

const attachedUp = { untilExited: true, since: Date.now() / 1000 }

test('follow() with `untilExited` follows what is started later and ends when all have ended, last lines first', async () => {
  const more = Promise.withResolvers<void>()
  const world = new World()
  world.start('db', false)
  const all = Array.fromAsync(follow(world.client, 'shop', { ...attachedUp, notBefore: more.promise }))
  await settled()
  world.end('db', 0)
  await settled()
  world.start('web')
  await settled()
  more.resolve()
  await settled()
  world.end('web', 3)
  assert.deepEqual((await all).map(told), [
    'shop-db-1: hello',
    'shop-db-1 exited 0',
    'shop-web-1: hello',
    'shop-web-1 exited 3',
  ])
  assert.equal(world.client.listeners, 0)
})

test('follow() does not end with what it has seen while the start of another is not told yet', async () => {
  // at each moment of what follows the end of the first
  for (let moment = 0; moment < 40; moment++) {
    const more = Promise.withResolvers<void>()
    const world = new World()
    world.start('db', false)
    const all = Array.fromAsync(follow(world.client, 'shop', { ...attachedUp, notBefore: more.promise }))
    await settled()
    world.end('db', 0)
    world.start('web', false)
    for (let tick = 0; tick < moment; tick++) await undefined
    more.resolve()
    await settled()
    world.end('web', 3)
    const lines = ['shop-db-1: hello', 'shop-db-1 exited 0', 'shop-web-1: hello', 'shop-web-1 exited 3']
    assert.deepEqual((await all).map(told), lines, `after ${moment} ticks`)
  }
})

test('follow() sees the end of a container that ends while the list is on its way', async () => {
  const world = new World()
  world.start('web', false)
  world.beforeAnswer = () => world.end('web', 4)
  const all = Array.fromAsync(follow(world.client, 'shop', attachedUp))
  assert.deepEqual((await all).map(told), ['shop-web-1: hello', 'shop-web-1 exited 4'])
})

test('follow() tells a container that ran and ended before the list once, whatever the events repeat', async () => {
  const more = Promise.withResolvers<void>()
  const world = new World()
  const list = Promise.withResolvers<void>()
  world.beforeAnswer = () => list.promise
  const all = Array.fromAsync(follow(world.client, 'shop', { ...attachedUp, notBefore: more.promise }))
  await settled()
  world.start('web')
  world.end('web', 4)
  list.resolve()
  more.resolve()
  assert.deepEqual((await all).map(told), ['shop-web-1: hello', 'shop-web-1 exited 4'])
})

test('follow() ends although the event of an end was lost', async () => {
  const more = Promise.withResolvers<void>()
  const world = new World()
  world.start('web', false)
  const all = Array.fromAsync(follow(world.client, 'shop', { ...attachedUp, notBefore: more.promise }))
  await settled()
  world.end('web', 5, { tell: false })
  more.resolve()
  assert.deepEqual((await all).map(told), ['shop-web-1: hello', 'shop-web-1 exited 5'])
})

test('follow() goes on over a container that its engine restarts, and shows no line twice', async () => {
  const world = new World()
  world.start('web', false)
  const all = Array.fromAsync(follow(world.client, 'shop', attachedUp))
  await settled()
  world.end('web', 1, { restarts: true })
  await settled()
  world.start('web')
  await settled()
  world.end('web', 1)
  assert.deepEqual((await all).map(told), [
    'shop-web-1: hello',
    'shop-web-1 exited 1, restarts',
    'shop-web-1: hello',
    'shop-web-1 exited 1',
  ])
})

test('Follower.finish("now") ends although a container runs on', async () => {
  const world = new World()
  world.start('web', false)
  const follower = new Follower(world.client, 'shop', { ...attachedUp, notBefore: new Promise(() => {}) })
  const all = Array.fromAsync(follower.events())
  await follower.ready
  await settled()
  await follower.finish('now')
  assert.deepEqual((await all).map(told), ['shop-web-1: hello'])
})

test('what takes the place of another is called as that in what it prints and in its end, before it has the name', async () => {
  const world = new World()
  const startedAt = Date.now()
  world.states.set('web', { status: 'running', startedAt, exitCode: 0 })
  world.print('web', 'hello')
  const follower = new Follower(world.client, 'shop', attachedUp)
  const all = Array.fromAsync(follower.events())
  await follower.ready
  await settled()
  const as = (name: string) => attributes('next', { name })
  world.states.set('next', { status: 'running', startedAt, exitCode: 0 })
  world.print('next', 'hello')
  world.client.emit('next', 'start', as('0123456789ab_one'))
  await settled()
  world.end('web', 0)
  await settled()
  world.states.set('next', { status: 'exited', startedAt, exitCode: 3 })
  world.client.emit('next', 'die', { ...as('two'), exitCode: '3' }, Date.now() + 5000)
  assert.deepEqual((await all).map(told), ['shop-web-1: hello', 'one: hello', 'shop-web-1 exited 0', 'two exited 3'])
})

test('Follower.stay() follows what else comes though all have ended, and ends with what it was begun for once it is over', async () => {
  const world = new World()
  world.start('web', false)
  const follower = new Follower(world.client, 'shop', { ...attachedUp, services: ['web'] })
  const all = Array.fromAsync(follower.events())
  await follower.ready
  await follower.stay(true)
  world.end('web', 3)
  await settled()
  world.start('more')
  await settled()
  world.print('more', 'unread')
  await follower.stay(false)
  assert.deepEqual((await all).map(told), ['shop-web-1: hello', 'shop-web-1 exited 3', 'shop-more-1: hello'])
})

test('Follower.attach() listens once to a container of which nothing is kept, whichever of list and event comes first', async () => {
  const more = Promise.withResolvers<void>()
  const list = Promise.withResolvers<void>()
  let status = 'created'
  let hijacked = 0
  const StartedAt = new Date().toISOString()
  const closed = Promise.withResolvers<void>()
  const client: FakeClient = new FakeClient({
    containerList: async () => {
      await list.promise
      return [item('quiet', status)]
    },
    containerLogs: () => {
      throw new Failure('unsupported', 'configured logging driver does not support reading')
    },
    containerAttach: async function* () {
      hijacked++
      yield { stream: 'stdout', data: Buffer.from('hello\n') }
      await closed.promise
    },
    containerInspect: () => inspect('quiet', { Status: status, Running: status === 'running', StartedAt }),
  })
  const follower = new Follower(client, 'shop', { ...attachedUp, notBefore: more.promise })
  const all = Array.fromAsync(follower.events())
  await follower.ready
  await follower.attach({ id: 'quiet', name: 'shop-quiet-1', service: 'quiet', number: 1 })
  status = 'running'
  client.emit('quiet', 'start', attributes('quiet'))
  list.resolve()
  await settled()
  status = 'exited'
  closed.resolve()
  client.emit('quiet', 'die', attributes('quiet', { exitCode: '0' }))
  more.resolve()
  assert.deepEqual((await all).map(told), ['shop-quiet-1: hello', 'shop-quiet-1 exited 0'])
  assert.equal(hijacked, 1)
})

test('follow() says of which container nothing is kept, and shows the others', async () => {
  const client = new FakeClient({
    pastLogList: () => [],
    containerList: () => [item('quiet', 'exited'), item('web', 'exited')],
    containerLogs: ({ params }) => {
      if (params!['id'] === 'quiet')
        throw new Failure('unsupported', 'configured logging driver does not support reading')
      return chunks(['stdout', 'hello\n'])
    },
  })
  const events = await Array.fromAsync(readLogs(client, 'shop'))
  assert.deepEqual(events.map(told), ['shop-quiet-1 unreadable', 'shop-web-1: hello'])
})

test('follow() with `since` shows what ran since then and has ended already', async () => {
  const client = new FakeClient({
    containerList: () => [item('quick', 'exited'), item('old', 'exited')],
    containerLogs: ({ params }) => chunks(['stdout', `hello from ${params!['id']}`]),
    containerInspect: ({ params }) => {
      const StartedAt = params!['id'] === 'quick' ? '2026-01-01T00:00:10Z' : '2026-01-01T00:00:00Z'
      return inspect(params!['id']!, { Status: 'exited', ExitCode: 4, StartedAt })
    },
  })
  const since = Date.parse('2026-01-01T00:00:05Z') / 1000
  const events = await Array.fromAsync(follow(client, 'shop', { untilExited: true, since }))
  assert.deepEqual(events.map(told), ['shop-quick-1: hello from quick', 'shop-quick-1 exited 4'])
})

test('follow() ends quietly when its signal fires', async () => {
  const stop = new AbortController()
  const client = new FakeClient({ containerList: () => [] })
  const all = Array.fromAsync(follow(client, 'shop', { signal: stop.signal }))
  await settled()
  stop.abort()
  assert.deepEqual(await all, [])
})

test('follow() fails when the engine cannot tell what is there', async () => {
  const client = new FakeClient({})
  await assert.rejects(Array.fromAsync(follow(client, 'shop', {})), /No handler for containerList/)
})

test('Channel holds producers back while nobody reads, and delivers what is queued before the error', async () => {
  const channel = new Channel<number>(2)
  await channel.push(1)
  await channel.push(2)
  let third = false
  const pushing = channel.push(3).then(() => (third = true))
  await settled()
  assert.equal(third, false)
  const seen: number[] = []
  await assert.rejects(async () => {
    for await (const value of channel) {
      seen.push(value)
      if (value === 3) channel.end(new Error('broken'))
    }
  }, /broken/)
  await pushing
  assert.deepEqual(seen, [1, 2, 3])
})
