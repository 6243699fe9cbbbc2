import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpoints } from '../../src/api/endpoints.ts'
import type { Filters } from '../../src/api/filters.ts'
import { Events } from '../../src/engine/base/events.ts'
import { eventStream } from '../../src/engine/server/event-stream.ts'
import { serving } from './serving.ts'

test('events: history since a time, then live ones, by filter, headers at once', async () => {
  const events = new Events()
  await using on = await serving({ events: ({ query }, { signal }) => eventStream(events, { ...query, signal }) })
  events.emit('container', 'create', 'c1', { name: 'web', project: 'p', image: 'busybox' })
  events.emit('network', 'create', 'n1', { name: 'net' })
  const query = { since: 0n, filters: { type: ['container'], label: ['project=p'] } }
  const stream = await on.client.stream(endpoints.events, { query })
  events.emit('container', 'start', 'c1', { name: 'web', project: 'p' })
  events.emit('container', 'start', 'c2', { name: 'other' })
  events.emit('container', 'exec_create: sh', 'c1', { project: 'p' })
  const found: string[] = []
  for await (const { Action, status, from, id, Actor } of stream) {
    assert.equal(status, Action)
    assert.equal(id, Actor.ID)
    if (found.push(`${Action} ${id} ${from}`) === 3) break
  }
  assert.deepEqual(found, ['create c1 busybox', 'start c1 ', 'exec_create: sh c1 '])
  const past = await on.client.stream(endpoints.events, { query: { until: 1_000_000_000n } })
  assert.deepEqual(await Array.fromAsync(past), [])
})

test('events: containers by a beginning of their names, also by image with a tag and without; of networks only what is asked of them', async () => {
  const events = new Events()
  await using on = await serving({ events: ({ query }, { signal }) => eventStream(events, { ...query, signal }) })
  events.emit('network', 'connect', 'n1', { container: 'c1', name: 'net' })
  events.emit('container', 'start', 'c1', { name: 'web', image: 'busybox:1.36' })
  events.emit('container', 'rename', 'c1', { name: 'web2', oldName: '/web', image: 'busybox:1.36' })
  events.emit('container', 'start', 'd2', { name: 'db', image: 'registry.test:5000/db' })
  events.emit('image', 'pull', 'busybox:1.36', { name: 'busybox' })
  const found = async (filters: Filters) => {
    const until = BigInt(Date.now() + 1) * 1_000_000n
    const past = await on.client.stream(endpoints.events, { query: { since: 0n, until, filters } })
    return (await Array.fromAsync(past)).map(({ Action, Actor }) => `${Action} ${Actor.ID}`)
  }
  const web = ['start c1', 'rename c1']
  for (const [filters, wanted] of [
    [{ container: ['web'] }, web],
    [{ container: ['c1'] }, web],
    [{ network: ['ne'] }, ['connect n1']],
    [{ image: ['busybox'] }, [...web, 'pull busybox:1.36']],
    [{ image: ['busybox:1.36'], type: ['container'] }, web],
    [{ image: ['registry.test:5000/db'] }, ['start d2']],
    [{ image: ['busy'] }, []],
    // what this engine has none of; a filter that nobody knows, as a newer client may send
    [{ service: ['web'] }, []],
    [{ nosuch: ['x'], container: ['web'] }, web],
  ] as const)
    assert.deepEqual(await found(filters), wanted, JSON.stringify(filters))
  await assert.rejects(
    on.client.stream(endpoints.events, { query: { since: 5_500_000_000n, until: 3_000_000_000n } }),
    /`since` time \(5\.5\) cannot be after `until` time \(3\)/,
  )
})
