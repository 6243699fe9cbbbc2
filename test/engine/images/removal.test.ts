import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Image } from '../../../src/engine/images/image.ts'
import { decideRemoval } from '../../../src/engine/images/removal.ts'
import { isFailure } from '../../../src/lib/failure.ts'

const id = (letter: string) => `sha256:${letter.repeat(64)}` as const
const digest = `app@${id('d')}`

function image(letter: string, tags: readonly string[], more: Partial<Image> = {}): Image {
  return { id: id(letter), tags, digests: [], ...more } as Image
}

/** base ← middle (no name) ← top */
function family(tags: readonly string[], more: Partial<Image> = {}) {
  const base = image('a', ['base:1'])
  const middle = image('b', [], { parent: base.id })
  const top = image('c', tags, { parent: middle.id, ...more })
  return { base, middle, top, all: [base, middle, top] }
}

function around(all: readonly Image[], users: Readonly<Record<string, 'running' | 'stopped'>> = {}) {
  return {
    childrenOf: (of: string) => all.filter(each => each.parent === of),
    parentOf: (child: Image) => all.find(each => each.id === child.parent),
    usersOf: (of: string) => {
      const state = users[of]
      return state ? [{ id: 'f'.repeat(64), name: 'web', running: state === 'running' }] : []
    },
  }
}

const gentle = { force: false, noprune: false }
const short = 'c'.repeat(12)

describe('decideRemoval()', () => {
  test('takes parents without a name along, up to one that has one', () => {
    const { top, middle, all } = family(['app:1'])
    assert.deepEqual(decideRemoval('app:1', top, around(all), gentle), { untag: ['app:1'], remove: [top, middle] })
    assert.deepEqual(decideRemoval('app:1', top, around(all), { ...gentle, noprune: true }).remove, [top])
  })
  test('leaves a parent that another image was made from, or a container uses', () => {
    const { top, middle, all } = family(['app:1'])
    const other = image('e', ['other:1'], { parent: middle.id })
    assert.deepEqual(decideRemoval('app:1', top, around([...all, other]), gentle).remove, [top])
    assert.deepEqual(decideRemoval('app:1', top, around(all, { [middle.id]: 'stopped' }), gentle).remove, [top])
  })
  test('takes only the name of one that has others, also while it is used', () => {
    const { top, all } = family(['app:1', 'other:1'])
    const used = around(all, { [top.id]: 'running' })
    assert.deepEqual(decideRemoval('app:1', top, used, gentle), { untag: ['app:1'], remove: [] })
  })
  test('takes the digests of a repository with its last tag', () => {
    const { top, all, middle } = family(['app:1'], { digests: [digest] })
    assert.deepEqual(decideRemoval('app', { ...top, tags: ['app:latest'] }, around(all), gentle), {
      untag: ['app:latest', digest],
      remove: [{ ...top, tags: ['app:latest'] }, middle],
    })
  })
  test('takes the name and leaves the image that others were made from', () => {
    const base = image('a', ['base:1'])
    const child = image('b', ['app:1'], { parent: base.id })
    assert.deepEqual(decideRemoval('base:1', base, around([base, child]), gentle), { untag: ['base:1'], remove: [] })
  })
  test('takes the name of a used image when it is forced, and leaves the image while a container runs', () => {
    const { top, all } = family(['app:1'])
    const forced = { force: true, noprune: true }
    assert.deepEqual(decideRemoval('app:1', top, around(all, { [top.id]: 'running' }), forced), {
      untag: ['app:1'],
      remove: [],
    })
    assert.deepEqual(decideRemoval('app:1', top, around(all, { [top.id]: 'stopped' }), forced).remove, [top])
  })

  const { top, base, all } = family(['app:1'])
  const several = family(['app:1', 'other:1'])
  for (const [what, act, text] of [
    [
      'a name that a container uses',
      () => decideRemoval('app:1', top, around(all, { [top.id]: 'stopped' }), gentle),
      `conflict: unable to remove repository reference "app:1" (must force) - container ffffffffffff is using its referenced image ${short}`,
    ],
    [
      'an id that a running container uses, also by force',
      () => decideRemoval(short, top, around(all, { [top.id]: 'running' }), { force: true, noprune: false }),
      `conflict: unable to delete ${short} (cannot be forced) - image is being used by running container ffffffffffff`,
    ],
    [
      'an id that a stopped container uses',
      () => decideRemoval(short, top, around(all, { [top.id]: 'stopped' }), gentle),
      `conflict: unable to delete ${short} (must be forced) - image is being used by stopped container ffffffffffff`,
    ],
    [
      'an id that others were made from, also by force',
      () => decideRemoval(base.id, base, around(all), { force: true, noprune: false }),
      'conflict: unable to delete aaaaaaaaaaaa (cannot be forced) - image has dependent child images',
    ],
    [
      'an id with several names',
      () => decideRemoval(short, several.top, around(several.all), gentle),
      `conflict: unable to delete ${short} (must be forced) - image is referenced in multiple repositories`,
    ],
  ] as const) {
    test(`refuses ${what}`, () => {
      assert.throws(act, error => isFailure(error, 'conflict') && error.message === text)
    })
  }
})
