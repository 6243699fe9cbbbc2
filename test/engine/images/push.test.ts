import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { describe, type TestContext, test } from 'node:test'
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { Events } from '../../../src/engine/base/events.ts'
import { Images } from '../../../src/engine/images/images.ts'
import type { ProgressLine } from '../../../src/engine/images/progress.ts'
import type { RegistrySettings } from '../../../src/engine/images/registry/settings.ts'
import { lacking, root } from '../../support/needs.ts'
import { hasRegistry, registryUser, startRegistry, type TestRegistry } from '../../support/registry.ts'
import { temporaryPaths } from '../../support/temporary-paths.ts'
import { sha256, type TinyImage, tinyImageTar, tinyManifest, tinyParts, tinyTar } from '../../support/tiny-image.ts'
import { threads } from '../../support/unpack-threads.ts'

async function store(t: TestContext, settings: Partial<RegistrySettings> = {}) {
  const paths = temporaryPaths(t)
  return { paths, images: await Images.open(paths, new Events(), { threads, registries: { backoff: 1, ...settings } }) }
}

async function loaded(t: TestContext, image: TinyImage, settings?: Partial<RegistrySettings>) {
  const found = await store(t, settings)
  await found.images.load(Readable.from([await tinyImageTar(image)]))
  return found
}

async function pushed(images: Images, name: string, tag?: string, auth?: { username: string; password: string }) {
  const lines: ProgressLine[] = []
  await images.push(name, tag, { auth, onProgress: line => lines.push(line) })
  return lines
}

const statuses = (lines: readonly ProgressLine[]) => lines.map(line => line.status).filter(text => text !== undefined)

/** The manifest under a tag, its bytes and what they say. */
async function manifestOf(registry: TestRegistry, repository: string, tag: string) {
  const headers = {
    Accept: 'application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json',
  }
  const response = await fetch(`http://${registry.host}/v2/${repository}/manifests/${tag}`, { headers })
  assert.equal(response.status, 200)
  const data = Buffer.from(await response.arrayBuffer())
  return { data, digest: sha256(data), document: JSON.parse(data.toString()) }
}

describe('push', { skip: lacking(root(), !hasRegistry && 'the program "docker-registry"') }, () => {
  test('sends a loaded image as gzip layers under a Docker manifest, in Docker’s words, and nothing the second time', async t => {
    await using registry = await startRegistry()
    const name = `${registry.host}/am/app`
    const { images, paths } = await loaded(t, { tag: `${name}:1`, layers: [{ a: 'x' }, { b: 'y' }] })
    const [lower, upper] = images.get(`${name}:1`).diffIds.map(id => id.slice(7, 19))
    const lines = await pushed(images, name, '1')
    const { data, digest, document } = await manifestOf(registry, 'am/app', '1')
    assert.deepEqual(lines.slice(0, 3), [
      { status: `The push refers to repository [${name}]` },
      { status: 'Preparing', progressDetail: {}, id: upper },
      { status: 'Preparing', progressDetail: {}, id: lower },
    ])
    assert.equal(statuses(lines).filter(status => status === 'Pushed').length, 2)
    assert.deepEqual(lines.slice(-2), [
      { status: `1: digest: ${digest} size: ${data.length}` },
      { progressDetail: {}, aux: { Tag: '1', Digest: digest, Size: data.length } },
    ])
    assert.equal(document.mediaType, 'application/vnd.docker.distribution.manifest.v2+json')
    assert.deepEqual(images.get(`${name}:1`).digests, [`${name}@${digest}`])
    for (const layer of document.layers) {
      const bytes = Buffer.from(
        await (await fetch(`http://${registry.host}/v2/am/app/blobs/${layer.digest}`)).arrayBuffer(),
      )
      assert.equal(sha256(bytes), layer.digest)
      assert.ok(images.get(`${name}:1`).diffIds.includes(sha256(gunzipSync(bytes))))
    }
    assert.deepEqual(readdirSync(paths.imageTemp), [])
    const again = await pushed(images, name, '1')
    assert.equal(statuses(again).filter(status => status === 'Layer already exists').length, 2)
    assert.equal((await manifestOf(registry, 'am/app', '1')).digest, digest)

    const other = await store(t)
    assert.equal((await other.images.pull(`${name}:1`)).id, images.get(`${name}:1`).id)
  })

  for (const [what, compress, type] of [
    ['gzip', gzipSync, 'application/vnd.oci.image.layer.v1.tar+gzip'],
    ['zstd', zstdCompressSync, 'application/vnd.oci.image.layer.v1.tar+zstd'],
    ['plain', (data: Buffer) => data, 'application/vnd.oci.image.layer.v1.tar'],
  ] as const)
    test(`sends a pulled image with ${what} layers as it came: the same manifest, byte for byte`, async t => {
      await using registry = await startRegistry()
      const { images } = await store(t)
      const parts = await tinyParts({ files: { a: what } })
      const blob = compress(parts.layers[0]!)
      for (const each of [blob, parts.config]) await registry.pushBlob('from', each)
      const digest = await registry.pushManifest('from', '1', tinyManifest({ ...parts, layers: [blob] }, type))
      await images.pull(`${registry.host}/from:1`)
      await images.tag(`${registry.host}/from:1`, `${registry.host}/to`, '2')
      const lines = await pushed(images, `${registry.host}/to`, '2')
      assert.ok(statuses(lines).includes('Mounted from from'), statuses(lines).join())
      assert.equal((await manifestOf(registry, 'to', '2')).digest, digest)
    })

  test('without a tag sends all that the repository has here', async t => {
    await using registry = await startRegistry()
    const name = `${registry.host}/app`
    const { images } = await loaded(t, { tag: `${name}:1`, files: { a: 'x' } })
    await images.tag(`${name}:1`, name, '2')
    const lines = await pushed(images, name)
    assert.deepEqual(
      lines.flatMap(({ aux }) => aux?.['Tag'] ?? []),
      ['1', '2'],
    )
    await manifestOf(registry, 'app', '1')
    await manifestOf(registry, 'app', '2')
    assert.equal((await pushed(images, `${name}:2`)).filter(({ aux }) => aux).length, 1)
  })

  test('makes the same gzip of an imported root each time, also for a second registry', async t => {
    await using one = await startRegistry()
    await using two = await startRegistry()
    const { images } = await store(t)
    const tar = await tinyTar({ 'etc/': '', 'etc/x': 'x'.repeat(100_000) })
    await images.importRoot(Readable.from([zstdCompressSync(tar)]), { repo: `${one.host}/app`, tag: '1' })
    await images.tag(`${one.host}/app:1`, `${two.host}/app`, '1')
    await pushed(images, `${one.host}/app`, '1')
    await pushed(images, `${two.host}/app`, '1')
    assert.equal((await manifestOf(one, 'app', '1')).digest, (await manifestOf(two, 'app', '1')).digest)
  })

  test('keeps the manifest of what it pulled, also when the layers were here already and only a push makes their bytes', async t => {
    await using registry = await startRegistry()
    const { images } = await store(t)
    const tar = await tinyTar({ 'etc/': '', 'etc/x': 'x'.repeat(100_000) })
    await images.importRoot(Readable.from([zstdCompressSync(tar)]), { repo: `${registry.host}/app`, tag: '1' })
    await pushed(images, `${registry.host}/app`, '1')
    const { config, layers } = (await manifestOf(registry, 'app', '1')).document
    const ociManifest = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { ...config, mediaType: 'application/vnd.oci.image.config.v1+json' },
      layers: layers.map((layer: object) => ({ ...layer, mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip' })),
    }
    const digest = await registry.pushManifest('app', 'oci', Buffer.from(JSON.stringify(ociManifest)))
    await images.pull(`${registry.host}/app:oci`)
    await images.tag(`${registry.host}/app:oci`, `${registry.host}/app`, 'again')
    await pushed(images, `${registry.host}/app`, 'again')
    assert.equal((await manifestOf(registry, 'app', 'again')).digest, digest)
  })

  test('says what is not here, and who refused, in Docker’s words', async t => {
    await using registry = await startRegistry({ auth: true })
    const name = `${registry.host}/app`
    const { images } = await loaded(t, { tag: `${name}:1`, files: { a: 'x' } })
    await assert.rejects(pushed(images, `${registry.host}/no`, '1'), {
      message: `An image does not exist locally with the tag: ${registry.host}/no`,
    })
    await assert.rejects(pushed(images, name, '9'), { message: `tag does not exist: ${name}:9` })
    await assert.rejects(pushed(images, `${name}@${sha256('')}`), { message: 'cannot push a digest reference' })
    await assert.rejects(pushed(images, name, '1'), { kind: 'denied', message: /no basic auth credentials$/ })
    const wrong = { username: 'alice', password: 'x' }
    await assert.rejects(pushed(images, name, '1', wrong), { message: 'unauthorized: authentication required' })
    const lines = await pushed(images, name, '1', registryUser)
    assert.ok(statuses(lines).includes('Pushed'))
  })

  for (const [what, settings] of [
    ['one go', {}],
    ['pieces', { piece: 130_000 }],
  ] as const)
    test(`goes on when connections break in the middle of what it sends in ${what}`, async t => {
      await using registry = await startRegistry()
      const breaking = await breakingProxy(t, registry.host)
      const name = `${breaking.host}/app`
      const noise = randomBytes(300000)
      const { images } = await loaded(t, { tag: `${name}:1`, files: { noise } }, settings)
      const lines = await pushed(images, name, '1')
      assert.ok(statuses(lines).includes('Pushed'))
      assert.equal(breaking.broken(), 2)
      const { images: others } = await store(t)
      assert.equal((await others.pull(`${registry.host}/app:1`)).id, images.get(`${name}:1`).id)
    })
})

/** Passes requests on to a registry; the first two that bring more than 100,000 bytes are cut off after these. */
async function breakingProxy(t: TestContext, target: string) {
  let broken = 0
  const server = createServer((request, response) => {
    const onward = httpRequest(`http://${target}${request.url}`, {
      method: request.method,
      headers: { ...request.headers, host: request.headers.host },
    })
    onward.on('error', () => response.destroy())
    onward.on('response', answer => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    })
    let seen = 0
    request.on('data', chunk => {
      seen += chunk.length
      if (seen <= 100_000 || broken >= 2) return void onward.write(chunk)
      broken++
      request.socket.destroy()
      onward.destroy()
    })
    request.on('end', () => onward.end())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, broken: () => broken }
}
