import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Filters } from '../../../src/api/filters.ts'
import type { Image } from '../../../src/engine/images/image.ts'
import { listImages, pathPattern } from '../../../src/engine/server/image-list.ts'

function image(letter: string, tags: readonly string[], hour: number, more: Partial<Image> = {}): Image {
  const created = new Date(Date.UTC(2026, 0, 1, hour))
  return { id: `sha256:${letter}`, tags, digests: [], created, config: {}, ...more } as unknown as Image
}

const images = [
  image('a', ['app:1', 'app:2', 'other:1'], 1, { config: { Labels: { tier: 'web' } } }),
  image('b', [], 2, { parent: 'sha256:a' }),
  image('c', ['127.0.0.1:5000/team/app:1'], 3, { parent: 'sha256:b' }),
  image('d', [], 4),
]

function list(filters: Filters, all = false) {
  const get = (reference: string) => images.find(({ tags }) => tags.includes(reference))!
  return listImages(images, { all, filters, get }).map(({ image: { id }, tags }) => [id.slice(7), ...tags].join(' '))
}

const named = ['a app:1 app:2 other:1', 'c 127.0.0.1:5000/team/app:1']

describe('listImages()', () => {
  for (const [what, filters, expected] of [
    ['those with a name, and those without that nothing was made from', {}, [...named, 'd']],
    ['dangling ones', { dangling: ['true'] }, ['d']],
    ['those that are not dangling', { dangling: ['false'] }, named],
    ['only the names that match a reference', { reference: ['app'] }, ['a app:1 app:2']],
    ['several patterns', { reference: ['app:2', 'o*'] }, ['a app:2 other:1']],
    ['a pattern with a registry', { reference: ['127.0.0.1:5000/*/app'] }, ['c 127.0.0.1:5000/team/app:1']],
    ['a star that crosses no slash', { reference: ['*:1'] }, ['a app:1 other:1']],
    ['a label', { label: ['tier=web'] }, ['a app:1 app:2 other:1']],
    ['before another', { before: ['127.0.0.1:5000/team/app:1'] }, ['a app:1 app:2 other:1']],
    ['since another', { since: ['app:1'] }, ['c 127.0.0.1:5000/team/app:1', 'd']],
    ['until a time', { until: ['2026-01-01T02:30:00Z'] }, ['a app:1 app:2 other:1']],
  ] as const) {
    test(`shows ${what}`, () => assert.deepEqual(list(filters), expected))
  }
  test('shows what others were made from when all are asked for', () => {
    assert.deepEqual(list({}, true), [named[0], 'b', named[1], 'd'])
  })
  test('refuses an unknown filter and a broken pattern, in Docker’s words', () => {
    assert.throws(() => list({ name: ['x'] }), /^Failure: invalid filter 'name'$/)
    assert.throws(() => list({ reference: ['['] }), /^Failure: syntax error in pattern$/)
    assert.throws(() => list({ until: ['soon'] }), /failed to parse value as time or duration: "soon"/)
  })
})

for (const [glob, text, expected] of [
  ['a[bc]d', 'acd', true],
  ['a[^b]d', 'abd', false],
  ['a[a-c]?', 'abz', true],
  ['a\\*', 'a*', true],
  ['a\\*', 'ab', false],
  ['a.c', 'abc', false],
] as const) {
  test(`pathPattern() takes ${glob} as Go's path.Match: ${text} is ${expected}`, () => {
    assert.equal(pathPattern(glob).test(text), expected)
  })
}
