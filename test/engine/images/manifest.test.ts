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
  for (const text of ['', 'a/b/c/d', '../x', 'linux/'])
    assert.throws(() => parsePlatform(text), { kind: 'invalid' }, text)
})
