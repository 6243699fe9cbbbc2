/** The same build again, told by its receipt: only as long as nothing of it is another. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { BuildRequest } from '../../../src/engine/build/request.ts'
import { isFailure } from '../../../src/lib/failure.ts'
import { at, Box, touch } from './builder-box.ts'

const key = 'a'.repeat(64)
const dockerfile = 'FROM base:1\nWORKDIR /w\nCOPY a.txt /\nRUN ["touch", "x"]\nENV A=1\n'

async function built(t: TestContext, asked: Partial<BuildRequest> = {}, text = dockerfile) {
  const box = await Box.open(t)
  box.run = touch
  box.write('a.txt', 'one')
  const { image, events } = await box.build(text, asked)
  const event = events.find(({ kind }) => kind === 'receipt')
  return { box, image, receipt: event?.kind === 'receipt' ? event.receipt : undefined }
}

const isGone = (error: unknown) => isFailure(error, 'not-found')

describe('a receipt', () => {
  test('gives the image and its steps, in order', async t => {
    const { box, image, receipt } = await built(t)
    box.builder.receipts.note(key, receipt!, 'the words of the client')
    assert.deepEqual(box.builder.receipts.get(key), { id: receipt, note: 'the words of the client' })
    const again = await box.builder.receipts.use(key)
    assert.equal(again.image.id, image.id)
    assert.deepEqual(
      again.steps.map(step => step.replace(/^\[\s*/, '[')),
      ['[1/4] FROM docker.io/library/base:1', '[2/4] WORKDIR /w', '[3/4] COPY a.txt /', '[4/4] RUN ["touch", "x"]'],
    )
  })

  test('brings the names of the image back that it has lost', async t => {
    const { box, image, receipt } = await built(t, { tags: ['made:1', 'made:2'] })
    box.builder.receipts.note(key, receipt!, '')
    await box.images.tag('base:1', 'made:1')
    await box.builder.receipts.use(key)
    assert.equal(box.images.get('made:1').id, image.id)
    assert.equal(box.images.get('made:2').id, image.id)
  })

  test('is of no use once the base image is another', async t => {
    const { box, receipt } = await built(t)
    box.builder.receipts.note(key, receipt!, '')
    await box.images.tag('made:1', 'base:1')
    await assert.rejects(box.builder.receipts.use(key), isGone)
    assert.throws(() => box.builder.receipts.get(key), isGone)
  })

  test('is of no use once the image is gone', async t => {
    const { box, receipt } = await built(t)
    box.builder.receipts.note(key, receipt!, '')
    await box.images.remove('made:1', { usedBy: () => [] })
    await assert.rejects(box.builder.receipts.use(key), isGone)
  })

  test('is of no use once a step is no longer in the cache', async t => {
    const { box, receipt } = await built(t)
    box.builder.receipts.note(key, receipt!, '')
    await box.cache.remove(box.cache.list()[0]!.record.key)
    await assert.rejects(box.builder.receipts.use(key), isGone)
  })

  for (const [why, asked] of Object.entries<Partial<BuildRequest>>({
    'runs its steps anew': { noCache: true },
    'runs those of one stage anew': { noCache: ['x'] },
    'takes from another cache': { cacheFrom: at('local', { src: '/none' }) },
    'keeps nothing of what it made': { loose: true, tags: [] },
  }))
    test(`is not given for a build that ${why}`, async t => {
      assert.equal((await built(t, asked)).receipt, undefined)
    })

  test('that nobody has is not noted', async t => {
    const { box } = await built(t)
    assert.throws(() => box.builder.receipts.note(key, 'none', ''), isGone)
  })
})
