/** The history of builds, as `docker buildx history` asks for it. */
import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { control } from '../../../src/api/buildkit/control.ts'
import { isFailure } from '../../../src/lib/failure.ts'
import { type Bench, type Build, bench, folderForEach, image, step } from './bench.ts'

const folder = folderForEach()

const made: Build = async (_, tell) => {
  tell({ kind: 'step', id: step, name: '[1/1] RUN make', inputs: [], lines: undefined })
  tell({ kind: 'output', id: step, stream: 'stdout', data: Buffer.from('made\n'), at: 1 })
  tell({ kind: 'cached', id: step, at: 2 })
  return image
}
const fails: Build = async () => {
  throw new Error('no room')
}

const listed = (on: Bench, request: { ref?: string; limit?: number; filter?: string[]; activeOnly?: boolean } = {}) =>
  Array.fromAsync(on.grpc.responses(control.listenBuildHistory, { ...request, earlyExit: true }))
const refs = async (on: Bench, request = {}) => (await listed(on, request)).map(({ record }) => record?.ref)

describe('the history of builds', () => {
  test('has those that are over with their steps and their end, the oldest first', async () => {
    await using on = await bench(async (...given) => (on.requests.length === 1 ? made(...given) : fails(...given)))
    await on.buildx({ ref: 'good', request: { frontendAttributes: new Map([['filename', 'Dockerfile']]) } })
    await assert.rejects(on.buildx({ ref: 'bad' }))
    const [good, bad] = await listed(on)
    assert.partialDeepStrictEqual(good, {
      type: 1,
      record: { ref: 'good', totalSteps: 1, completedSteps: 1, cachedSteps: 1, error: undefined },
    })
    assert.equal(good!.record!.frontendAttributes.get('filename'), 'Dockerfile')
    assert.ok(good!.record!.completedAt)
    assert.partialDeepStrictEqual(bad, { type: 1, record: { ref: 'bad', error: { message: 'no room' } } })
    assert.deepEqual(await refs(on, { ref: 'bad' }), ['bad'])
    assert.deepEqual(await refs(on, { limit: 1 }), ['bad'])
    assert.deepEqual(await refs(on, { activeOnly: true }), [])
    await assert.rejects(listed(on, { filter: ['status==error'] }), error => isFailure(error, 'unsupported'))
  })

  test('tells what begins, ends and is removed to who listens', async () => {
    const go = Promise.withResolvers<void>()
    await using on = await bench(async (...given) => {
      await go.promise
      return await made(...given)
    })
    const heard: string[] = []
    const listening = (async () => {
      for await (const { type, record } of on.grpc.responses(control.listenBuildHistory, {})) {
        heard.push(`${type} ${record?.ref}`)
        go.resolve()
        if (type === 1) await on.grpc.call(control.updateBuildHistory, { ref: 'build-1', delete: true })
        if (type === 2) return
      }
    })()
    await on.buildx()
    await listening
    assert.deepEqual(heard, ['0 build-1', '1 build-1', '2 build-1'])
    assert.deepEqual(readdirSync(join(folder(), 'history')), [])
    const gone = on.grpc.call(control.updateBuildHistory, { ref: 'build-1', delete: true })
    await assert.rejects(gone, error => isFailure(error, 'not-found'))
  })

  test('is there for the next engine with what was told, without what is half written', async () => {
    {
      await using on = await bench(made)
      await on.buildx({ ref: '../odd' })
      await on.buildx({ ref: 'next' })
    }
    const at = join(folder(), 'history')
    for (const name of ['x.record.part', 'y.status', 'z.record']) writeFileSync(join(at, name), '\xff\xff')
    await using on = await bench(made)
    assert.deepEqual(await refs(on), ['../odd', 'next'])
    assert.deepEqual(readdirSync(at).length, 4)
    assert.match(on.problems.join(), /^Cannot read the history of a build, which is removed: /)
    const [status] = await Array.fromAsync(on.grpc.responses(control.status, { ref: '../odd' }))
    assert.deepEqual(
      status!.logs.map(({ data }) => String(Buffer.from(data))),
      ['made\n'],
    )
  })

  test('keeps fifty builds, and beside them those that are pinned', async () => {
    await using on = await bench(made)
    for (let i = 0; i < 52; i++) {
      await on.buildx({ ref: `b${i}` })
      if (i === 0) await on.grpc.call(control.updateBuildHistory, { ref: 'b0', pinned: true })
    }
    const kept = await refs(on)
    assert.deepEqual([kept.length, kept[0], kept[1]], [50, 'b0', 'b3'])
  })
})
