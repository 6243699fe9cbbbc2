import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { changedSince, pinned, previous } from '../../src/history/back.ts'
import type { Entry, Outcome } from '../../src/history/entry.ts'
import { isFailure } from '../../src/lib/failure.ts'
import { freeze } from '../../src/model/frozen.ts'
import { project, service } from '../targets/engine/plan/project.ts'

const model = freeze(project([service('web')]))

function entry(number: number, outcome: Outcome['kind'] = 'done', more: Partial<Entry> = {}): Entry {
  return {
    version: 1,
    number,
    command: 'up',
    user: 'ada',
    process: { pid: 1, start: 'another boot/1' },
    begun: '2026-11-28T00:00:00.000Z',
    outcome: outcome === 'failed' ? { kind: outcome, failures: [] } : { kind: outcome },
    changes: [],
    steps: [],
    images: {},
    files: {},
    variables: {},
    model,
    ...more,
  }
}

describe('previous()', () => {
  for (const [what, entries, number] of [
    ['the one before the newest', [entry(1), entry(2), entry(3)], 2],
    ['the last before one that failed', [entry(1), entry(2, 'failed')], 1],
    ['over those that failed or were cut off', [entry(1), entry(2, 'failed'), entry(3, 'begun'), entry(4)], 1],
    ['what a down took away', [entry(1), entry(2, 'done', { command: 'down', model: undefined })], 1],
    ['no repair of what came after', [entry(1), entry(2), entry(3, 'done', { command: 'repair' })], 1],
    ['over a down', [entry(1), entry(2, 'done', { model: undefined }), entry(3)], 1],
  ] as const)
    test(`previous() is ${what}`, () => assert.equal(previous('shop', entries).number, number))

  for (const [what, entries] of [
    ['an empty history', []],
    ['one apply', [entry(1)]],
    ['nothing but failures before', [entry(1, 'failed'), entry(2)]],
  ] as const)
    test(`previous() finds none in ${what}`, () => {
      assert.throws(
        () => previous('shop', entries),
        error => isFailure(error, 'not-found'),
      )
    })
})

describe('pinned()', () => {
  const shop = project([service('web', { image: 'nginx:1' })])
  const pin = (then: { id: string; digest?: string } | undefined, now: string | undefined, here: readonly string[]) =>
    pinned(shop, {
      what: '3',
      images: then ? { 'nginx:1': then } : {},
      now: new Map(now === undefined ? [] : [['nginx:1', now]]),
      here: new Set(here),
    }).services['web']!.image

  for (const [what, then, now, here, expected] of [
    ['a name that still means the same', { id: 'a', digest: 'sha256:d' }, 'a', ['a'], 'nginx:1'],
    ['a name that means another image now', { id: 'a', digest: 'sha256:d' }, 'b', ['a'], 'nginx:1@sha256:d'],
    ['an image that is gone, and in a registry', { id: 'a', digest: 'sha256:d' }, 'b', [], 'nginx:1@sha256:d'],
    ['an image that was built here', { id: 'a' }, 'b', ['a'], 'a'],
    ['one of which nothing was known', undefined, undefined, [], 'nginx:1'],
  ] as const)
    test(`pinned() takes ${what} as ${expected}`, () => assert.equal(pin(then, now, here), expected))

  test('pinned() refuses when what was built here is gone, and names image and service', () => {
    assert.throws(
      () => pin({ id: 'a' }, 'b', []),
      error =>
        isFailure(error, 'not-found') && /Cannot go back to 3: the image "nginx:1" of web is gone/.test(error.message),
    )
  })

  test('pinned() takes the images of pre_start containers as they were, and names one that is gone', () => {
    const hook = { command: ['true'], privileged: false, environment: {}, perReplica: false } as const
    const hooked = project([service('web', { image: 'nginx:1', preStart: [{ ...hook, image: 'tool' }, hook] })])
    const pinning = { what: '3', now: new Map([['tool', 'b']]), here: new Set<string>() }
    const { services } = pinned(hooked, { ...pinning, images: { tool: { id: 'a', digest: 'sha256:d' } } })
    assert.deepEqual(
      services['web']!.preStart.map(({ image }) => image),
      ['tool@sha256:d', undefined],
    )
    assert.throws(
      () => pinned(hooked, { ...pinning, images: { tool: { id: 'a' } } }),
      /"tool" of pre_start of web is gone/,
    )
  })

  test('pinned() builds nothing and pulls nothing that is here', () => {
    const build = { context: '/src' } as never
    const built = project([service('web', { image: undefined, build, pullPolicy: { kind: 'always' } })])
    const { services } = pinned(built, { what: '1', images: {}, now: new Map(), here: new Set() })
    assert.deepEqual(
      [services['web']!.image, services['web']!.build, services['web']!.pullPolicy],
      ['shop-web', undefined, { kind: 'missing' }],
    )
  })
})

test('changedSince() names files and variables that are no longer as they were', () => {
  const then = { files: { '/a': '1', '/b': '2', '/c': '3' }, variables: { 'secrets.x': 'p', 'secrets.y': 'q' } }
  const now = {
    files: new Map([
      ['/a', '1'],
      ['/b', '9'],
    ]),
    variables: { 'secrets.x': 'p' },
  }
  assert.deepEqual(changedSince(then, now), ['file /b', 'file /c', 'the variable behind secrets.y'])
})
