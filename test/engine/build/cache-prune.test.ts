import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type CacheItem, type CacheSpace, chooseItems, keptBytes } from '../../../src/engine/build/cache-prune.ts'

const item = (id: string, more: Partial<CacheItem> = {}): CacheItem => ({
  id,
  type: 'regular',
  description: `RUN ${id}`,
  parents: [],
  size: 10,
  created: 0,
  lastUsed: 0,
  uses: 1,
  inUse: false,
  shared: false,
  ...more,
})

const old = item('old', { lastUsed: 1000 })
const fresh = item('fresh', { lastUsed: Date.now() })
const shared = item('shared', { shared: true, lastUsed: 500, size: 1000 })
const used = item('used', { inUse: true })
const folder = item('folder', { type: 'exec.cachemount', lastUsed: 2000 })
const all = [fresh, old, shared, used, folder]

describe('what goes of the build cache', () => {
  const cases: readonly (readonly [string, Partial<Parameters<typeof chooseItems>[1]>, readonly string[]])[] = [
    ['everything that no image has and nobody uses', {}, ['old', 'folder', 'fresh']],
    ['with all, what images have too', { all: true }, ['shared', 'old', 'folder', 'fresh']],
    ['what was not used for a time', { filters: { until: ['1h'] } }, ['old', 'folder']],
    ['one kind', { filters: { type: ['exec.cachemount'] } }, ['folder']],
    ['by description or id', { filters: { description: ['RUN o'] } }, ['old']],
    ['several values of one filter are alternatives', { filters: { id: ['old', 'fre'] } }, ['old', 'fresh']],
    ['what changes', { filters: { mutable: ['true'] } }, ['folder']],
    ['what does not change', { filters: { immutable: ['1'] } }, ['old', 'fresh']],
    ['what was used longest ago, until the rest is small enough', { keep: 30 }, ['old']],
    ['nothing when all is small enough', { keep: 40 }, []],
  ]
  for (const [name, request, expected] of cases)
    test(name, () => {
      const chosen = chooseItems(all, { all: false, filters: {}, keep: 0, ...request })
      assert.deepEqual(
        chosen.map(({ id }) => id),
        expected,
      )
    })

  test('nothing of it has a label', () => {
    const of = (filters: Record<string, string[]>) => chooseItems(all, { all: true, filters, keep: 0 }).length
    assert.equal(of({ label: ['a=b'] }), 0)
    assert.equal(of({ 'label!': ['a=b'] }), of({}))
  })

  test('a filter that is none is refused by name', () => {
    assert.throws(
      () => chooseItems(all, { all: false, filters: { colour: ['red'] }, keep: 0 }),
      /invalid filter 'colour'/,
    )
  })
})

describe('bytes that are kept', () => {
  const cases: readonly (readonly [string, CacheSpace, number])[] = [
    ['none where nothing is said', {}, 0],
    ['at most so many', { most: 40 }, 40],
    ['so many, also where less was asked to be free', { most: 40, minFree: 20 }, 40],
    ['fewer, to have so much free', { most: 90, minFree: 70 }, 60],
    ['all, where as much is free as was asked for', { minFree: 30 }, Infinity],
    ['all but what is missing of it', { minFree: 31 }, 99],
    ['none, where even that would not do', { minFree: 1000 }, 0],
    ['never less than what is reserved', { minFree: 1000, reserved: 10 }, 10],
    ['what is reserved, even above the most', { most: 5, reserved: 10 }, 10],
    ['what is reserved, where nothing else is said', { reserved: 10 }, 10],
  ]
  for (const [what, space, kept] of cases) test(what, () => assert.equal(keptBytes(space, 100, 30), kept))
})
