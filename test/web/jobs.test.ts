import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Failure } from '../../src/lib/failure.ts'
import { Jobs } from '../../src/web/jobs.ts'
import type { JobMessage } from '../../src/web/wire.ts'

const settled = () => new Promise(resolve => setImmediate(resolve))

describe('Jobs', () => {
  test('one at a time on a stack; whoever comes later is told from the beginning', async () => {
    let changes = 0
    const jobs = new Jobs(() => changes++)
    const end = Promise.withResolvers<void>()
    const row = jobs.begin('shop', 'stop shop', async tell => {
      tell({ kind: 'said', text: 'first' })
      await end.promise
    })
    assert.equal(jobs.of('shop'), row.id)
    assert.throws(
      () => jobs.begin('shop', 'start shop', async () => undefined),
      (e: Failure) => e.kind === 'conflict',
    )
    jobs.begin('blog', 'stop blog', async () => undefined)
    const told: JobMessage[] = []
    jobs.follow(row.id, message => told.push(message))
    end.resolve()
    await settled()
    assert.deepEqual(told, [{ kind: 'said', text: 'first' }, { kind: 'ended' }])
    assert.equal(jobs.of('shop'), undefined)
    assert.equal(changes, 4)
    assert.throws(
      () => jobs.follow('none', () => undefined),
      (e: Failure) => e.kind === 'not-found',
    )
  })

  test('tells why it failed, with what can be done', async () => {
    const jobs = new Jobs(() => undefined)
    const row = jobs.begin('shop', 'apply', async () => {
      throw new Failure('conflict', 'Cannot', { hint: 'Look again' })
    })
    await settled()
    const told: JobMessage[] = []
    jobs.follow(row.id, message => told.push(message))
    assert.deepEqual(told, [{ kind: 'ended', error: 'Cannot', hint: 'Look again' }])
  })
})
