import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import type { ProgressLine } from '../../../src/engine/images/progress.ts'
import { lacking, root } from '../../support/needs.ts'
import { hasRegistry, registryUser, startRegistry } from '../../support/registry.ts'
import { sha256, tinyManifest, tinyParts } from '../../support/tiny-image.ts'
import { inventory, store } from './pull-box.ts'

describe('pull from docker-registry', {
  skip: lacking(root(), !hasRegistry && 'the program "docker-registry"'),
}, () => {
  test('fetches an image, tells its progress as Docker does, and finds it up to date the next time', async t => {
    await using registry = await startRegistry()
    const { images } = await store(t)
    const name = `${registry.host}/am/app:1`
    const pushed = await registry.pushImage('am/app', '1', { layers: [{ a: 'x' }, { b: 'y' }], config: { Cmd: ['b'] } })
    const lines: ProgressLine[] = []
    const image = await images.pull(name, { onProgress: line => lines.push(line) })
    assert.equal(image.id, pushed.id)
    assert.deepEqual(image.tags, [name])
    assert.deepEqual(image.digests, [`${registry.host}/am/app@${pushed.digest}`])
    assert.deepEqual(
      images.layers(image).map(layer => readdirSync(layer)),
      [['a'], ['b']],
    )
    assert.deepEqual(lines[0], { status: 'Pulling from am/app', id: '1' })
    const statuses = lines.map(line => line.status)
    for (const status of ['Pulling fs layer', 'Verifying Checksum', 'Download complete', 'Pull complete'])
      assert.equal(statuses.filter(each => each === status).length, 2, status)
    assert.deepEqual(statuses.slice(-2), [`Digest: ${pushed.digest}`, `Status: Downloaded newer image for ${name}`])

    const again: ProgressLine[] = []
    await images.pull(name, { onProgress: line => again.push(line) })
    assert.deepEqual(
      again.map(line => line.status),
      ['Pulling from am/app', `Digest: ${pushed.digest}`, `Status: Image is up to date for ${name}`],
    )
    assert.equal(images.get(`${registry.host}/am/app@${pushed.digest}`).id, pushed.id)
  })

  test('skips layers that are here already', async t => {
    await using registry = await startRegistry()
    const { images } = await store(t)
    await registry.pushImage('app', '1', { layers: [{ base: 'x' }] })
    await registry.pushImage('app', '2', { layers: [{ base: 'x' }, { more: 'y' }] })
    await images.pull(`${registry.host}/app:1`)
    const lines: ProgressLine[] = []
    await images.pull(`${registry.host}/app:2`, { onProgress: line => lines.push(line) })
    assert.deepEqual(
      lines.slice(1, 3).map(line => line.status),
      ['Already exists', 'Pulling fs layer'],
    )
  })

  test('says what is missing in Docker’s words', async t => {
    await using registry = await startRegistry()
    const { images } = await store(t)
    await assert.rejects(images.pull(`${registry.host}/no/such:1`), {
      kind: 'not-found',
      message: `manifest for ${registry.host}/no/such:1 not found: manifest unknown: manifest unknown`,
    })
  })

  test('refuses a layer that was corrupted in the registry, names it, and leaves nothing', async t => {
    await using registry = await startRegistry()
    const { images, paths } = await store(t)
    const parts = await tinyParts({ files: { a: 'x'.repeat(1000) } })
    await registry.pushImage('app', '1', { files: { a: 'x'.repeat(1000) } })
    const digest = sha256(parts.layers[0]!)
    const path = registry.blobPath(digest)
    const data = readFileSync(path)
    data[600] = 'y'.charCodeAt(0)
    writeFileSync(path, data)
    await assert.rejects(images.pull(`${registry.host}/app:1`), {
      kind: 'invalid',
      message: `Cannot use blob "${digest}" of registry ${registry.host}: its content has digest ${sha256(data)}`,
    })
    assert.deepEqual(inventory(paths), [0, 0, 0])
    assert.deepEqual(images.list(), [])
  })

  test('logs in with basic auth, and says so when it cannot', async t => {
    await using registry = await startRegistry({ auth: true })
    const { images } = await store(t)
    await registry.pushImage('app', '1', { files: { a: '' } })
    const name = `${registry.host}/app:1`
    await assert.rejects(images.pull(name), /no basic auth credentials/)
    await assert.rejects(images.pull(name, { auth: { username: 'alice', password: 'wrong' } }), {
      message: `pull access denied for ${registry.host}/app, repository does not exist or may require 'docker login': unauthorized: authentication required`,
    })
    assert.deepEqual((await images.pull(name, { auth: registryUser })).tags, [name])
  })

  for (const [type, compress] of [
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ] as const)
    test(`unpacks ${type} layers and picks the manifest for this machine from an index`, async t => {
      await using registry = await startRegistry()
      const { images } = await store(t)
      const parts = await tinyParts({ files: { a: 'x' } })
      const blob = compress(parts.layers[0]!)
      await registry.pushBlob('app', blob)
      await registry.pushBlob('app', parts.config)
      const manifest = tinyManifest({ ...parts, layers: [blob] }, `application/vnd.oci.image.layer.v1.tar+${type}`)
      const digest = await registry.pushManifest('app', 'only', manifest)
      const entry = (architecture: string) => ({
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest,
        size: manifest.length,
        platform: { os: 'linux', architecture },
      })
      const here = process.arch === 'x64' ? 'amd64' : process.arch
      const push = (tag: string, architectures: readonly string[]) => {
        const mediaType = 'application/vnd.oci.image.index.v1+json'
        const index = { schemaVersion: 2, mediaType, manifests: architectures.map(entry) }
        return registry.pushManifest('app', tag, Buffer.from(JSON.stringify(index)), mediaType)
      }
      const indexDigest = await push('1', [here, 's390x'])
      const image = await images.pull(`${registry.host}/app:1`)
      assert.equal(image.id, parts.id)
      assert.deepEqual(image.digests, [`${registry.host}/app@${indexDigest}`])
      await push('2', ['s390x'])
      await assert.rejects(
        images.pull(`${registry.host}/app:2`),
        /no matching manifest for linux\/\w+(\/v8)? in the manifest list entries/,
      )
      await assert.rejects(
        images.pull(`${registry.host}/app:1`, { platform: 'linux/s390x' }),
        /does not match the specified platform \(linux\/s390x\)/,
      )
    })
})
