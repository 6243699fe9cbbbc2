import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { TarReader } from '../../../src/engine/base/tar-reader.ts'
import type { Images } from '../../../src/engine/images/images.ts'
import { sha256, tinyImageTar, tinyParts, tinyTar } from '../../support/tiny-image.ts'
import { nobody, of, skip, store } from './images-box.ts'

describe('save()', { skip }, () => {
  async function saved(images: Images, ...references: string[]): Promise<Buffer> {
    return await buffer(Readable.from(await images.save(references)))
  }
  /** Name to seconds. */
  async function times(tar: Buffer): Promise<Record<string, number>> {
    const reader = new TarReader(Readable.from([tar]))
    const found: Record<string, number> = {}
    for (let entry = await reader.next(); entry; entry = await reader.next()) found[entry.name] = entry.mtime
    return found
  }
  async function documents(tar: Buffer): Promise<Record<string, string>> {
    const reader = new TarReader(Readable.from([tar]))
    const found: Record<string, string> = {}
    for (let entry = await reader.next(); entry; entry = await reader.next()) {
      if (entry.type === 'file') found[entry.name] = (await reader.content(1e6, 'it')).toString('latin1')
    }
    return found
  }

  test('writes what load reads, with the same id, names and layers, from compressed and shared ones', async t => {
    const { images } = await store(t)
    const shared = { 'a/': '', 'a/b': 'b' }
    const first = await tinyParts({ layers: [shared, { 'a/.wh.b': '' }] })
    await images.load(of(await tinyImageTar({ tag: 'app:1', layers: [shared, { 'a/.wh.b': '' }] })))
    await images.load(of(await tinyImageTar({ tag: 'app:2', layers: [shared] })))
    const compressed = await images.importRoot(of(gzipSync(await tinyTar({ c: 'c' }))), { repo: 'root' })
    const tar = await saved(images, 'app', 'root')
    const other = await store(t)
    assert.deepEqual((await other.images.load(of(tar))).sort(), ['app:1', 'app:2', 'root:latest'])
    assert.equal(other.images.get('app:1').id, first.id)
    assert.equal(other.images.get('root').id, compressed.id)
    assert.deepEqual(await saved(other.images, 'app', 'root'), tar)
  })

  test('writes a layout that readers of OCI layouts understand, and the documents of Docker', async t => {
    const { images } = await store(t)
    await images.load(of(await tinyImageTar({ tag: 'app:1', files: { f: 'x' } })))
    const { config, layers, id } = await tinyParts({ files: { f: 'x' } })
    const found = await documents(await saved(images, 'app:1'))
    const layer = sha256(layers[0]!)
    assert.equal(found[`blobs/sha256/${id.slice(7)}`], config.toString())
    assert.equal(found[`blobs/sha256/${layer.slice(7)}`], layers[0]!.toString('latin1'))
    const [entry] = JSON.parse(found['manifest.json']!)
    assert.deepEqual([entry.Config, entry.RepoTags], [`blobs/sha256/${id.slice(7)}`, ['app:1']])
    assert.equal(entry.LayerSources[layer].size, layers[0]!.length)
    const [descriptor] = JSON.parse(found['index.json']!).manifests
    assert.deepEqual(descriptor.annotations, {
      'io.containerd.image.name': 'docker.io/library/app:1',
      'org.opencontainers.image.ref.name': '1',
    })
    const manifest = JSON.parse(found[`blobs/sha256/${descriptor.digest.slice(7)}`]!)
    assert.equal(manifest.layers[0].digest, layer)
    assert.equal(found['oci-layout'], '{"imageLayoutVersion": "1.0.0"}')
    const { 'manifest.json': _, ...layout } = found
    const reloaded = await store(t)
    const asOci = Object.fromEntries(Object.entries(layout).map(([name, text]) => [name, Buffer.from(text, 'latin1')]))
    assert.deepEqual(await reloaded.images.load(of(await tinyTar(asOci))), ['app:1'])
  })

  test('its layers and its configuration are as old as the image, what is made for the archive has no time', async t => {
    const { images } = await store(t)
    await images.load(of(await tinyImageTar({ tag: 'app:1', files: { f: 'x' } })))
    const { diffIds, id, created } = images.get('app:1')
    const found = await times(await saved(images, 'app:1'))
    const of2026 = created.getTime() / 1000
    for (const digest of [id, diffIds[0]!]) assert.equal(found[`blobs/sha256/${digest.slice(7)}`], of2026)
    for (const name of ['index.json', 'manifest.json', 'oci-layout']) assert.equal(found[name], 0)
  })

  test('an image by its id has no name in the archive; what an engine before did not note is found', async t => {
    const { images, paths, again } = await store(t)
    const image = await images.importRoot(of(gzipSync(await tinyTar({ c: 'c' }))), { repo: 'root' })
    const record = join(paths.layer(image.diffIds[0]!.slice(7)), 'layer.json')
    const { blob: _, ...older } = JSON.parse(readFileSync(record, 'utf8'))
    writeFileSync(record, JSON.stringify(older))
    const other = await store(t)
    assert.deepEqual(await other.images.load(of(await saved(await again(), image.id))), [image.id])
  })

  test('refuses what is not there before the first byte', async t => {
    const { images } = await store(t)
    await assert.rejects(images.save(['nope']), { message: 'No such image: nope' })
  })

  test('an image that is removed while it is read is read whole', async t => {
    const { images } = await store(t)
    await images.load(of(await tinyImageTar({ tag: 'app:1' })))
    const content = await images.save(['app:1'])
    const pieces = [(await content.next()).value as Uint8Array]
    await images.remove('app:1', nobody)
    for await (const piece of content) pieces.push(piece)
    const other = await store(t)
    assert.deepEqual(await other.images.load(of(Buffer.concat(pieces))), ['app:1'])
  })
})
