import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { choose, type Index } from '../../../src/engine/images/manifest.ts'
import { machine, parsePlatform } from '../../../src/engine/images/platform.ts'

const digest = (n: number) => `sha256:${String(n).repeat(64)}` as const

function index(...platforms: readonly (string | undefined)[]): Index {
  return {
    kind: 'index',
    manifests: platforms.map((text, i) => {
      const [os, architecture, variant] = text?.split('/') ?? []
      const platform =
        text === undefined ? undefined : { os: os!, architecture: architecture!, ...(variant && { variant }) }
      return { mediaType: '', digest: digest(i), size: 1, platform }
    }),
  }
}

describe('choose()', () => {
  const cases: ReadonlyArray<readonly [string, readonly (string | undefined)[], number]> = [
    ['linux/amd64', ['linux/arm64', 'linux/amd64'], 1],
    ['linux/arm64/v8', ['windows/arm64', 'linux/arm64'], 1],
    ['linux/arm64/v8', ['linux/arm64', 'linux/arm64/v8'], 1],
    ['linux/arm/v7', ['linux/arm/v5', 'linux/arm/v6', 'linux/arm64'], 1],
    ['linux/arm/v7', ['linux/arm/v6', 'linux/arm/v6'], 0],
    ['linux/amd64', [undefined], 0],
  ]
  for (const [wanted, platforms, chosen] of cases)
    test(`takes ${platforms[chosen] ?? 'the only one'} for ${wanted} out of ${platforms.join(', ')}`, () => {
      assert.equal(choose(index(...platforms), parsePlatform(wanted)).digest, digest(chosen))
    })

  test('says in Docker’s words that there is none', () => {
    for (const platforms of [['linux/arm/v7'], ['windows/amd64'], [], [undefined, undefined]])
      assert.throws(() => choose(index(...platforms), parsePlatform('linux/arm/v6')), {
        kind: 'not-found',
        message: 'no matching manifest for linux/arm/v6 in the manifest list entries',
      })
  })
})

test('parsePlatform() completes what is left out and knows other names', () => {
  assert.deepEqual(parsePlatform('linux'), machine())
  assert.deepEqual(parsePlatform('aarch64'), { os: 'linux', architecture: 'arm64', variant: 'v8' })
  assert.deepEqual(parsePlatform('linux/x86_64'), { os: 'linux', architecture: 'amd64', variant: undefined })
  assert.deepEqual(parsePlatform('Linux/ARM/v6'), { os: 'linux', architecture: 'arm', variant: 'v6' })
  assert.deepEqual(parsePlatform('macos'), { ...machine(), os: 'darwin' })
  assert.deepEqual(parsePlatform('windows(10.0.17763)/amd64'), {
    os: 'windows',
    architecture: 'amd64',
    variant: undefined,
  })
  // a pair is taken as it is, a word alone is looked up
  assert.deepEqual(parsePlatform('linux/nintendo64'), { os: 'linux', architecture: 'nintendo64', variant: undefined })
})

test('parsePlatform() refuses what is none, in the words of containerd', () => {
  for (const [text, message] of [
    ['', '"" is an invalid OS component of ""'],
    ['linux*', '"linux*": wildcards not yet supported'],
    ['../x', '".." is an invalid OS component of "../x"'],
    ['linux/', '"" is an invalid component of "linux/"'],
    ['a/b/c/d', '"a/b/c/d": cannot parse platform specifier'],
    ['nintendo64', '"nintendo64": unknown operating system or architecture'],
  ] as const)
    assert.throws(() => parsePlatform(text), { kind: 'invalid', message: `${message}: invalid argument` })
})
