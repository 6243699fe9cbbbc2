import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { followLogs } from '../../../../src/targets/engine/logs/follow.ts'
import { FakeClient, settled } from '../fake-client.ts'
import { chunks, item, told, World } from './containers.ts'

test('followLogs() shows what is there in order of time over all containers, then what comes, and no line twice', async () => {
  const at = (second: number, text: string) => `2026-01-01T00:00:0${second}.000000000Z ${text}\n`
  const past: Readonly<Record<string, string>> = {
    db: at(1, 'one') + at(3, 'three'),
    web: at(2, 'two') + at(4, 'four'),
  }
  const later: Readonly<Record<string, string>> = { db: at(5, 'five'), web: '' }
  const asked: unknown[] = []
  const client = new FakeClient({
    pastLogList: () => [],
    containerList: () => [item('web'), item('db')],
    containerLogs: ({ params, query }) => {
      const { id } = params as { id: string }
      if (!query!['follow']) return chunks(['stdout', past[id]!])
      asked.push([id, query!['tail'], query!['since']])
      // an engine counts "since" by the second, and so tells the last lines again
      return chunks(['stdout', past[id]! + later[id]!])
    },
  })
  const told: string[] = []
  for await (const event of followLogs(client, 'shop', { tail: 2 })) {
    if (event.kind === 'line') told.push(`${event.service} ${event.text} ${event.time}`)
    if (told.length === 5) break
  }
  const wanted = ['db one', 'web two', 'db three', 'web four', 'db five']
  assert.deepEqual(
    told,
    wanted.map(text => `${text} undefined`),
  )
  const since = (second: number) => BigInt(Date.UTC(2026, 0, 1, 0, 0, second) - 10) * 1_000_000n
  assert.deepEqual(asked.sort(), [
    ['db', 'all', since(3)],
    ['web', 'all', since(4)],
  ])
})

test('followLogs() reads all that is there up to one moment, though it takes longer for one than for another', async () => {
  const logs: Record<'db' | 'web', [time: bigint, text: string][]> = { db: [], web: [] }
  const print = (id: 'db' | 'web', text: string, ago = 0) =>
    logs[id].push([BigInt(Date.now() - ago) * 1_000_000n, text])
  print('db', 'one', 2000)
  print('web', 'two', 1000)
  const client = new FakeClient({
    pastLogList: () => [],
    containerList: () => [item('db'), item('web')],
    containerLogs: async ({ params, query }) => {
      const { id } = params as { id: 'db' | 'web' }
      if (!query!['follow'] && id === 'web') {
        await pause(5)
        print('db', 'three')
        await pause(5)
        print('web', 'four')
      }
      const until = (query!['until'] as bigint | undefined) ?? 2n ** 63n
      const text = ([time, words]: [bigint, string]) =>
        `${new Date(Number(time / 1_000_000n)).toISOString()} ${words}\n`
      return chunks(...logs[id].filter(([time]) => time <= until).map(line => ['stdout', text(line)] as const))
    },
  })
  const told: string[] = []
  for await (const event of followLogs(client, 'shop', {})) {
    if (event.kind === 'line') told.push(event.text)
    if (told.length === 4) break
  }
  assert.deepEqual(told, ['one', 'two', 'three', 'four'])
})

test('followLogs() ends with the last that runs, over restarts', async () => {
  const world = new World()
  world.start('web', false)
  world.start('db', false)
  const all = Array.fromAsync(followLogs(world.client, 'shop', {}))
  await settled()
  world.end('db', 0)
  world.end('web', 1, { restarts: true })
  await settled()
  world.start('web')
  await settled()
  world.end('web', 2)
  const ends = (await all).map(told).filter(line => line.includes('exited'))
  assert.deepEqual(ends, ['shop-db-1 exited 0', 'shop-web-1 exited 1, restarts', 'shop-web-1 exited 2'])
  assert.equal(world.client.listeners, 0)
})

test('followLogs() waits for what has ended before to be started again', async () => {
  const world = new World()
  world.start('web', false)
  world.end('web', 1, { tell: false })
  let over = false
  const all = Array.fromAsync(followLogs(world.client, 'shop', {})).finally(() => (over = true))
  await settled()
  assert.equal(over, false)
  world.start('web')
  await settled()
  world.end('web', 0)
  assert.equal((await all).map(told).at(-1), 'shop-web-1 exited 0')
})

test('followLogs() with `endless` goes on though all have ended, of the services that are asked for alone', async () => {
  const world = new World()
  world.start('web', false)
  world.start('db', false)
  const control = new AbortController()
  const asked = { endless: true, services: ['web'], signal: control.signal }
  const all = Array.fromAsync(followLogs(world.client, 'shop', asked))
  await settled()
  world.end('db', 0)
  world.end('web', 1)
  await settled()
  world.start('web')
  await settled()
  world.end('web', 2)
  await settled()
  control.abort()
  const ends = (await all).map(told).filter(line => line.includes('exited'))
  assert.deepEqual(ends, ['shop-web-1 exited 1', 'shop-web-1 exited 2'])
})

test('followLogs() ends when the last that ran ends while its past is read', async () => {
  const world = new World()
  world.start('web', false)
  let lists = 0
  world.beforeAnswer = () => {
    // the one that looks whether anything runs is made up before
    if (++lists === 1) world.end('web', 0)
  }
  assert.deepEqual((await Array.fromAsync(followLogs(world.client, 'shop', {}))).map(told)[0], 'shop-web-1: hello')
})
