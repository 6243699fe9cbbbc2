/** The board of all stacks: what it tells, and when. */
import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { describe, test } from 'node:test'
import type { ContainerSummary } from '../../src/api/containers.ts'
import { Board } from '../../src/web/board.ts'
import { KnownRows } from '../../src/web/known-rows.ts'
import type { BoardMessage } from '../../src/web/wire.ts'
import { fakeClient, summary } from '../cli/fake-client.ts'

function board(containers: () => readonly ContainerSummary[]) {
  const events = new PassThrough({ objectMode: true })
  let looks = 0
  const client = fakeClient({
    containerList: () => {
      looks++
      return containers()
    },
    events: () => events,
  })
  const made = new Board({
    client,
    env: {},
    known: () => [],
    jobOf: () => undefined,
    driftOf: () => undefined,
    heard: () => undefined,
    looked: () => undefined,
  })
  const told: BoardMessage[] = []
  return {
    made,
    told,
    looks: () => looks,
    happen: (Action: string, ID = 'x') =>
      void events.write({ Type: 'container', Action, Actor: { ID, Attributes: {} }, time: 1, timeNano: 1e9 }),
    next: () =>
      new Promise<BoardMessage>(resolve => {
        const stop = made.watch(message => {
          if (message.stacks?.whole) return
          stop()
          resolve(message)
        })
      }),
  }
}

describe('Board', () => {
  test('tells of an event what has changed alone', async t => {
    let state: Partial<ContainerSummary> = {}
    const Created = 1_700_000_000
    const { made, happen, next } = board(() => [
      summary('web', 1, { Created, ...state }),
      summary('db', 1, { Created, Labels: { ...summary('db', 1).Labels, 'com.docker.compose.project': 'blog' } }),
    ])
    t.after(() => made.close())
    await made.start()
    assert.deepEqual(
      made.stacks.map(({ name, condition }) => [name, condition]),
      [
        ['blog', 'running'],
        ['shop', 'running'],
      ],
    )
    state = { State: 'exited', Status: 'Exited (1) 1 second ago' }
    const begin = performance.now()
    happen('die')
    const message = await next()
    t.diagnostic(`after ${(performance.now() - begin).toFixed(1)} ms`)
    assert.deepEqual(
      message.stacks?.set.map(({ name, condition }) => [name, condition]),
      [['shop', 'failed']],
    )
  })

  test('looks once for many events that come together, and not for what changes nothing to see', async t => {
    const { made, happen, looks } = board(() => [summary('web', 1)])
    t.after(() => made.close())
    await made.start()
    const before = looks()
    for (let at = 0; at < 100; at++) happen('start')
    await new Promise(resolve => setTimeout(resolve, 150))
    assert.ok(looks() - before <= 2, `${looks() - before} looks`)
  })

  test('takes 50 stacks of 20 services', async t => {
    const many = Array.from({ length: 1000 }, (_, at) => {
      const one = summary(`service${at % 20}`, 1)
      return {
        ...one,
        Id: String(at).padStart(64, '0'),
        Labels: { ...one.Labels, 'com.docker.compose.project': `stack${Math.floor(at / 20)}` },
      }
    })
    const { made } = board(() => many)
    t.after(() => made.close())
    await made.start()
    const begin = performance.now()
    await made.look()
    t.diagnostic(`${(performance.now() - begin).toFixed(1)} ms`)
    assert.equal(made.stacks.length, 50)
  })
})

test('KnownRows tells what is new, what has changed and what has gone', () => {
  const rows = new KnownRows<{ readonly name: string; readonly value: number }>(({ name }) => name)
  assert.deepEqual(
    rows.update([
      { name: 'a', value: 1 },
      { name: 'b', value: 1 },
    ])?.set.length,
    2,
  )
  assert.equal(
    rows.update([
      { name: 'b', value: 1 },
      { name: 'a', value: 1 },
    ]),
    undefined,
  )
  assert.deepEqual(rows.update([{ name: 'a', value: 2 }]), { set: [{ name: 'a', value: 2 }], gone: ['b'] })
  assert.deepEqual(rows.all, [{ name: 'a', value: 2 }])
})
