import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { choose, type Index, mediaTypes, parseManifest } from '../../../src/engine/images/manifest.ts'
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

describe('parseManifest()', () => {
  const descriptor = { mediaType: 'x', digest: digest(1), size: 1 }
  const manifest = { schemaVersion: 2, config: descriptor, layers: [descriptor, { digest: digest(2), size: 0 }] }
  const list = { schemaVersion: 2, manifests: [{ ...descriptor, platform: null, annotations: null }] }
  const read = (document: unknown, announced?: string) =>
    parseManifest(Buffer.from(JSON.stringify(document)), 'app', announced)

  test('reads a manifest, and an index', () => {
    const read1 = read(manifest)
    assert.ok(read1.kind === 'manifest')
    assert.deepEqual([read1.config, read1.layers[1]], [descriptor, { mediaType: '', digest: digest(2), size: 0 }])
    const read2 = read(list)
    assert.ok(read2.kind === 'index')
    assert.deepEqual(read2.manifests, list.manifests)
  })

  test('takes what is announced when it says the same, or nothing that is known', () => {
    assert.equal(read(manifest, `${mediaTypes.ociManifest}; charset=utf-8`).kind, 'manifest')
    assert.equal(read({ ...list, mediaType: mediaTypes.dockerIndex }, mediaTypes.ociIndex).kind, 'index')
    assert.equal(read(list, 'application/json').kind, 'index')
  })

  const most = (count: number, of: object) => Array.from({ length: count }, () => of)
  for (const [what, document, message, announced] of [
    ['both in one', { ...list, layers: [] }, 'it is both an index and a manifest'],
    ['an index with a config', { ...list, config: descriptor }, 'it is both an index and a manifest'],
    [
      'an index that calls itself a manifest',
      { ...list, mediaType: mediaTypes.ociManifest },
      `its media type "${mediaTypes.ociManifest}" says something else than its content`,
    ],
    [
      'a manifest that comes as an index',
      manifest,
      `its media type "${mediaTypes.dockerIndex}" says something else than its content`,
      ` ${mediaTypes.dockerIndex} ;q=1`,
    ],
    ['no object', 5, 'it is not an object'],
    ['nothing', null, 'it is not an object'],
    [
      'a digest that is a path',
      { ...manifest, config: { ...descriptor, digest: '../../x' } },
      'config.digest: not a sha256 digest',
    ],
    [
      'a digest that is a number',
      { ...manifest, config: { ...descriptor, digest: 5 } },
      'config.digest: not a sha256 digest',
    ],
    [
      'too many layers',
      { ...manifest, layers: most(1271, descriptor) },
      'layers: Too big: expected array to have <=1270 items',
    ],
    [
      'too many manifests',
      { ...list, manifests: most(1001, descriptor) },
      'manifests: Too big: expected array to have <=1000 items',
    ],
  ] as const)
    test(`refuses ${what}`, () =>
      assert.throws(() => read(document, announced), {
        kind: 'invalid',
        message: `Cannot use manifest of app: ${message}`,
      }))

  test('refuses what is no JSON, a size below nothing, and the schema that was withdrawn', () => {
    const noJson = { kind: 'invalid', message: 'Cannot read manifest of app: it is not JSON' }
    assert.throws(() => parseManifest(Buffer.from('{'), 'app'), noJson)
    assert.throws(() => read({ ...manifest, config: { ...descriptor, size: -1 } }), /config\.size/)
    assert.throws(() => read({ schemaVersion: 1 }), {
      kind: 'unsupported',
      hint: 'Push the image again with a current tool',
    })
  })
})

test('choose() takes the newest variant of arm that an older machine runs', () => {
  const chosen = (wanted: string, ...there: readonly string[]) =>
    choose(index(...there), parsePlatform(wanted)).platform?.variant
  assert.equal(chosen('linux/arm/v7', 'linux/arm/v5', 'linux/arm/v6', 'linux/arm/v8'), 'v6')
  assert.throws(() => chosen('linux/arm64/v8', 'linux/arm64/v7'), { kind: 'not-found' })
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
