import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { seatName } from '../../src/state/seat.ts'
import { findWatch, type TurnWord, takeWatchSeat, turnAtWatch } from '../../src/state/watch-seat.ts'

const host = `unix:///run/test-${process.pid}.sock`
const holder = { pid: process.pid, user: 'ada', command: 'tscompose watch' }

/** A watch that tells what it was asked for, and by whom it is kept back. */
async function watching(project: string, refusal?: Error) {
  const words: TurnWord[] = []
  const failures: unknown[] = []
  const told = { back: 0, over: Promise.withResolvers<void>() }
  const seat = await takeWatchSeat({
    ...{ host, project, holder },
    failed: error => failures.push(error),
    turn: async word => {
      words.push(word)
      if (refusal) throw refusal
      told.back++
      return () => {
        told.back--
        told.over.resolve()
      }
    },
  })
  return { words, failures, told, [Symbol.asyncDispose]: () => seat[Symbol.asyncDispose]() }
}

describe('the place of a watch', () => {
  test('is one person’s, whom a second is told of, and free when that has ended', async () => {
    {
      await using _first = await watching('one')
      const second = takeWatchSeat({
        host,
        project: 'one',
        holder,
        turn: () => assert.fail('nobody asked'),
        failed: () => undefined,
      })
      await assert.rejects(second, {
        kind: 'conflict',
        message: new RegExp(`ada \\(process ${process.pid}\\) watches`),
      })
      await using _other = await watching('another')
    }
    await using _next = await watching('one')
  })

  test('stands back for a command as long as that goes on, and is told what it asks for', async () => {
    await using watch = await watching('two')
    {
      await using _turn = await turnAtWatch({ host, project: 'two' }, { making: true, scale: { web: 3 } })
      assert.equal(watch.told.back, 1)
      assert.deepEqual(watch.words, [{ making: true, scale: { web: 3 } }])
    }
    await watch.told.over.promise
    assert.equal(watch.told.back, 0)
  })

  test('that cannot stand back says why, and the command goes on at once', async () => {
    const refusal = new Error('no room')
    await using watch = await watching('six', refusal)
    const begun = performance.now()
    await using _turn = await turnAtWatch({ host, project: 'six' }, { making: true })
    assert.ok(performance.now() - begun < 4000, 'nobody waited for its patience to end')
    assert.deepEqual(watch.failures, [refusal])
  })

  test('costs a command nothing when nobody watches', async () => {
    await using _turn = await turnAtWatch({ host, project: 'three' }, { making: false })
    assert.equal(await findWatch({ host, project: 'three' }), undefined)
  })

  test('tells whoever waits of its end', async () => {
    const watch = await watching('four')
    const found = await findWatch({ host, project: 'four' })
    assert.deepEqual(found?.holder, holder)
    let ended = false
    void found?.ended.then(() => (ended = true))
    await new Promise(resolve => setImmediate(resolve))
    assert.equal(ended, false)
    await watch[Symbol.asyncDispose]()
    await found?.ended
  })

  test('hears nothing of what is no word', async () => {
    await using watch = await watching('five')
    for (const word of ['no word\n', '{"making": 1}\n', '{"making": true, "scale": 3}\n']) {
      const socket = connect(seatName('watch', { host, project: 'five' }))
      const closed = new Promise(resolve => socket.once('close', resolve))
      socket.resume().write(word)
      await closed
    }
    assert.deepEqual(watch.words, [])
  })
})
