import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Uploads } from '../../../src/engine/buildkit/uploads.ts'
import { isFailure } from '../../../src/lib/failure.ts'

const signal = new AbortController().signal
const body = async function* () {
  yield Buffer.from('tar')
}

for (const first of ['the upload', 'the build'] as const)
  test(`an upload and its build find one another when ${first} comes first, and the upload is answered once it was read`, async () => {
    const uploads = new Uploads()
    let answered = false
    const give = async () => {
      await uploads.give('a', body(), signal)
      answered = true
    }
    const early = first === 'the upload' ? give() : undefined
    const taking = uploads.take('a', signal)
    const giving = early ?? give()
    const upload = await taking
    const pieces: string[] = []
    for await (const piece of upload.body) pieces.push(String(piece))
    await turn()
    assert.deepEqual([pieces, answered], [['tar'], false])
    upload[Symbol.dispose]()
    await giving
    // the same id is free again
    await assert.rejects(uploads.take('a', AbortSignal.abort()), error => isFailure(error, 'cancelled'))
  })

test('of two uploads under one id each has a build of its own, the first the first', async () => {
  const uploads = new Uploads()
  const named = async function* (name: string) {
    yield Buffer.from(name)
  }
  const giving = ['first', 'second'].map(name => uploads.give('a', named(name), signal))
  for (const name of ['first', 'second']) {
    using upload = await uploads.take('a', signal)
    for await (const piece of upload.body) assert.equal(String(piece), name)
  }
  await Promise.all(giving)
})

test('one of two builds under one id that leaves lets the other have the upload', async () => {
  const uploads = new Uploads()
  const left = new AbortController()
  const leaving = uploads.take('a', left.signal)
  const staying = uploads.take('a', signal)
  left.abort()
  await assert.rejects(leaving, error => isFailure(error, 'cancelled'))
  const giving = uploads.give('a', body(), signal)
  const upload = await staying
  upload[Symbol.dispose]()
  await giving
})

test('neither waits for ever, nor for what has no id', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const uploads = new Uploads()
  const waiting = [uploads.take('a', signal), uploads.give('b', body(), signal)]
  const ended = Promise.allSettled(waiting)
  await turn()
  t.mock.timers.tick(5001)
  for (const each of await ended) assert.ok(each.status === 'rejected' && isFailure(each.reason, 'not-found'))
  await assert.rejects(uploads.take('', signal), error => isFailure(error, 'invalid'))
})

test('those that wait are so many and no more', async () => {
  const uploads = new Uploads()
  const left = new AbortController()
  const waiting = Promise.allSettled(Array.from({ length: 100 }, (_, i) => uploads.take(`${i}`, left.signal)))
  await assert.rejects(uploads.take('more', signal), error => isFailure(error, 'conflict'))
  left.abort()
  await waiting
  const [giving, upload] = [uploads.give('more', body(), signal), await uploads.take('more', signal)]
  upload[Symbol.dispose]()
  await giving
})
