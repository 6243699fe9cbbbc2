import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OutputChunk } from '../../src/api/frames.ts'
import { Channel } from '../../src/apply/channel.ts'
import { follow } from '../../src/apply/follow.ts'
import { splitLines } from '../../src/apply/log-lines.ts'
import { tarOf } from '../../src/apply/tar.ts'
import { FakeClient, inspect, settled } from './fake-client.ts'

async function* chunks(...pieces: readonly (readonly ['stdout' | 'stderr', string | Uint8Array])[]) {
  for (const [stream, data] of pieces) yield { stream, data: Buffer.from(data) } satisfies OutputChunk
}

function item(id: string, state = 'running'): object {
  const labels = { 'com.docker.compose.service': id, 'com.docker.compose.container-number': '1' }
  return { Id: id, Names: [`/shop-${id}-1`], Labels: labels, State: state, Status: '', HostConfig: {}, Mounts: [] }
}

function attributes(id: string, more: object = {}): Record<string, string> {
  return { name: `shop-${id}-1`, 'com.docker.compose.service': id, 'com.docker.compose.container-number': '1', ...more }
}

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

test('follow() without `follow` merges the containers by time', async () => {
  const logs: Readonly<Record<string, readonly string[]>> = {
    db: ['2026-01-01T00:00:01.0Z one', '2026-01-01T00:00:03.0Z three'],
    web: ['2026-01-01T00:00:02.0Z two', '2026-01-01T00:00:04.0Z four'],
  }
  const client = new FakeClient({
    containerList: () => [item('web'), item('db', 'exited')],
    containerLogs: ({ params }) => chunks(['stdout', `${logs[params!['id']!]!.join('\n')}\n`]),
  })
  const events = await Array.fromAsync(follow(client, 'shop'))
  assert.deepEqual(
    events.map(e => e.kind === 'line' && `${e.service} ${e.text} ${e.time}`),
    ['db one undefined', 'web two undefined', 'db three undefined', 'web four undefined'],
  )
})

test('follow() with `untilExited` follows what is started later and ends when all have ended, last lines first', async () => {
  const more = Promise.withResolvers<void>()
  const client: FakeClient = new FakeClient({
    containerList: () => [item('db')],
    containerLogs: ({ params }) => chunks(['stdout', `hello from ${params!['id']}`]),
    containerInspect: ({ params }) => inspect(params!['id']!, { Status: 'exited' }),
  })
  const stream = follow(client, 'shop', { follow: true, untilExited: true, notBefore: more.promise })
  const all = Array.fromAsync(stream)
  await settled()
  client.emit('db', 'die', attributes('db', { exitCode: '0' }))
  await settled()
  client.emit('web', 'start', attributes('web'))
  await settled()
  more.resolve()
  await settled()
  client.emit('web', 'die', attributes('web', { exitCode: '3' }))
  assert.deepEqual(
    (await all).map(e => (e.kind === 'line' ? `${e.container}: ${e.text}` : `${e.container} exited ${e.exitCode}`)),
    ['shop-db-1: hello from db', 'shop-db-1 exited 0', 'shop-web-1: hello from web', 'shop-web-1 exited 3'],
  )
  assert.equal(client.listeners, 0)
})

test('follow() goes on over a container that its engine restarts', async () => {
  let runs = 0
  const client: FakeClient = new FakeClient({
    containerList: () => [item('web')],
    containerLogs: () => chunks(['stdout', `run ${++runs}\n`]),
    containerInspect: () =>
      inspect('web', runs < 2 ? { Status: 'restarting', Restarting: true } : { Status: 'exited' }),
  })
  const all = Array.fromAsync(follow(client, 'shop', { follow: true, untilExited: true }))
  await settled()
  client.emit('web', 'die', attributes('web', { exitCode: '1' }))
  await settled()
  client.emit('web', 'start', attributes('web'))
  await settled()
  client.emit('web', 'die', attributes('web', { exitCode: '1' }))
  assert.deepEqual(
    (await all).map(e => (e.kind === 'line' ? e.text : `exited, restarts: ${e.restarts}`)),
    ['run 1', 'exited, restarts: true', 'run 2', 'exited, restarts: false'],
  )
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
  const events = await Array.fromAsync(follow(client, 'shop', { follow: true, untilExited: true, since }))
  assert.deepEqual(
    events.map(e => (e.kind === 'line' ? e.text : `exited ${e.exitCode}`)),
    ['hello from quick', 'exited 4'],
  )
})

test('follow() ends quietly when its signal fires', async () => {
  const stop = new AbortController()
  const client = new FakeClient({ containerList: () => [] })
  const all = Array.fromAsync(follow(client, 'shop', { follow: true, signal: stop.signal }))
  await settled()
  stop.abort()
  assert.deepEqual(await all, [])
})

test('follow() fails when the engine cannot tell what is there', async () => {
  const client = new FakeClient({})
  await assert.rejects(Array.fromAsync(follow(client, 'shop', { follow: true })), /No handler for containerList/)
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

test('tarOf() writes absolute names, owner, mode and a right checksum', () => {
  const file = { target: '/run/secrets/s', content: 'hello', uid: 7, gid: 8, mode: 0o440 }
  const tar = Buffer.from(tarOf([file]))
  assert.equal(tar.length, 4 * 512)
  assert.equal(tar.toString('latin1', 0, 14), '/run/secrets/s')
  assert.equal(tar.toString('latin1', 100, 107), '0000440')
  assert.equal(tar.toString('latin1', 108, 115), '0000007')
  const sum = tar.subarray(0, 512).reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0)
  assert.equal(Number.parseInt(tar.toString('latin1', 148, 154), 8), sum)
  assert.equal(tar.toString('latin1', 512, 517), 'hello')
})

test('tarOf() splits a long path and refuses one that fits nowhere', () => {
  const file = (target: string) => ({ target, content: '', uid: 0, gid: 0, mode: 0o444 })
  const long = `/${'d'.repeat(120)}/${'f'.repeat(80)}`
  const tar = Buffer.from(tarOf([file(long)]))
  assert.equal(tar.toString('latin1', 0, 80), 'f'.repeat(80))
  assert.equal(tar.toString('latin1', 345, 466), `/${'d'.repeat(120)}`)
  assert.throws(() => tarOf([file(`/${'x'.repeat(101)}`)]), { kind: 'invalid' })
})
