/** No more is worked on at a time than the engine can do: who comes beyond is told to come back, and our client does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RequestContext } from '../../src/api/endpoint.ts'
import { endpoints } from '../../src/api/endpoints.ts'
import { Events } from '../../src/engine/base/events.ts'
import { eventStream } from '../../src/engine/server/event-stream.ts'
import { Turns } from '../../src/engine/server/turns.ts'
import { Failure, isFailure } from '../../src/lib/failure.ts'
import { eventually } from '../support/eventually.ts'
import { serving } from './serving.ts'
import { echo } from './session.ts'

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`

/** A handler that works until it is let go. */
function work() {
  const going = new Set<() => void>()
  return {
    going,
    handle: () => new Promise<never>(resolve => going.add(() => resolve({ Warnings: null } as never))),
    finish() {
      for (const go of going) go()
      going.clear()
    },
  }
}

test('Turns: as many as there are, each given back once', () => {
  const turns = new Turns(2)
  const [first] = [turns.take(), turns.take()]
  assert.throws(() => turns.take(), {
    kind: 'unavailable',
    message: 'The engine is busy with 2 operations',
    retryAfter: 1,
  })
  first()
  first()
  assert.equal(turns.taken, 1)
  turns.take()
  assert.throws(() => turns.take())
})

test('beyond the most operations an engine answers 503 with Retry-After, and ping all the same', async () => {
  const { going, handle, finish } = work()
  await using on = await serving({ containerUpdate: handle, containerInspect: handle }, { mostOperations: 2 })
  const update = () => on.client.call(endpoints.containerUpdate, { params: { id: 'x' }, body: {} })
  const both = [update(), update()]
  await eventually('two operations', () => going.size === 2)
  const refused = await on.exchange(get('/v1.47/containers/x/json'))
  assert.match(refused, /^HTTP\/1\.1 503 Service Unavailable\r\n/)
  assert.match(refused, /\r\nRetry-After: 1\r\n/)
  assert.match(refused, /"message":"The engine is busy with 2 operations"/)
  const upgrade = 'POST /v1.47/containers/x/attach HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n'
  assert.match(await on.exchange(upgrade), /^HTTP\/1\.1 503 Service Unavailable\r\nRetry-After: 1\r\n/)
  assert.match(await on.exchange(get('/_ping')), /^HTTP\/1\.1 200 OK\r\n/)
  finish()
  await Promise.all(both)
})

test('our client comes back until there is a turn, also for a connection of its own', async () => {
  const { going, handle, finish } = work()
  const process = echo()
  await using on = await serving(
    {
      containerUpdate: handle,
      containerTop: () => ({ Titles: [], Processes: [] }),
      containerAttach: () => process.session,
    },
    { mostOperations: 1 },
  )
  const update = on.client.call(endpoints.containerUpdate, { params: { id: 'x' }, body: {} })
  await eventually('one operation', () => going.size === 1)
  const top = on.client.call(endpoints.containerTop, { params: { id: 'x' } })
  const attached = on.client.hijack(endpoints.containerAttach, { params: { id: 'x' } })
  const cancelled = new AbortController()
  const other = on.client.call(endpoints.containerTop, { params: { id: 'x' } }, { signal: cancelled.signal })
  setTimeout(() => cancelled.abort(), 100)
  await assert.rejects(other, error => isFailure(error, 'cancelled'))
  finish()
  await update
  assert.deepEqual(await top, { Titles: [], Processes: [] })
  const { socket } = await attached
  socket.destroy()
})

test('who only listens takes no turn, and what a client that leaves asked for gives its back when it has ended', async () => {
  const going = new Set<AbortSignal>()
  const handle = (_: unknown, { signal }: RequestContext) => {
    going.add(signal)
    return new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => reject(new Failure('cancelled', 'the client has left'))),
    )
  }
  let open = true
  const listening = async function* () {
    while (open) {
      yield { Type: 'container' } as never
      await new Promise(resolve => setTimeout(resolve, 5))
    }
  }
  await using on = await serving(
    { events: listening, containerUpdate: handle, containerTop: () => ({ Titles: [], Processes: [] }) },
    { mostOperations: 1 },
  )
  const streams = await Promise.all(Array.from({ length: 5 }, () => on.client.stream(endpoints.events, { query: {} })))
  const iterators = streams.map(stream => stream[Symbol.asyncIterator]())
  for (const iterator of iterators) assert.equal((await iterator.next()).done, false)
  const leaving = on.dial()
  leaving.write(
    'POST /v1.47/containers/x/update HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}',
  )
  await eventually('an operation', () => going.size === 1)
  leaving.destroy()
  assert.deepEqual(await on.client.call(endpoints.containerTop, { params: { id: 'x' } }), { Titles: [], Processes: [] })
  open = false
  for (const iterator of iterators) await iterator.return?.()
})

test('a reader of events that falls far behind is cut off, and the log says why', async () => {
  const events = new Events()
  let reads = false
  await using on = await serving({
    events: (_, { signal }) => {
      reads = true
      return eventStream(events, { signal })
    },
  })
  const socket = on.dial()
  socket.pause()
  socket.write('GET /v1.47/events HTTP/1.1\r\nHost: x\r\n\r\n')
  const tell = () => events.emit('container', 'start', 'x'.repeat(64), { text: 'y'.repeat(1000) })
  await eventually('a reader', () => reads)
  for (let i = 0; i < 12_000; i++) tell()
  const text = Buffer.concat(await Array.fromAsync(socket as AsyncIterable<Buffer>)).toString('latin1')
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n/)
  // broken off, and not ended: no part passes for the whole
  assert.doesNotMatch(text, /\r\n0\r\n\r\n$/)
  assert.deepEqual(on.problems, [
    'GET /v1.47/events: the client is cut off: Cannot go on with events: the reader is 10000 behind',
  ])
})
