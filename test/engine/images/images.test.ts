import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, type TestContext, test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { Events } from '../../../src/engine/base/events.ts'
import { TarReader } from '../../../src/engine/base/tar-reader.ts'
import { Images } from '../../../src/engine/images/images.ts'
import type { ImageUser } from '../../../src/engine/images/removal.ts'
import type { UnpackLimits } from '../../../src/engine/images/unpack-limits.ts'
import { Failure } from '../../../src/lib/failure.ts'
import { lacking, root } from '../../support/needs.ts'
import { temporaryPaths } from '../../support/temporary-paths.ts'
import { sha256, tinyImageTar, tinyOciTar, tinyParts, tinyTar } from '../../support/tiny-image.ts'

const skip = lacking(root())
const nobody = { usedBy: () => [] }
const of = (...data: readonly Buffer[]) => Readable.from(data)

async function store(t: TestContext, limits?: Partial<UnpackLimits>) {
  const paths = temporaryPaths(t)
  const events = new Events()
  return {
    paths,
    events,
    images: await Images.open(paths, events, { limits }),
    again: () => Images.open(paths, events),
  }
}

/** Names of everything under layers, blobs and tmp. */
function inventory(paths: { readonly images: string }) {
  const names = (folder: string) => readdirSync(join(paths.images, folder)).sort()
  return { layers: names('layers'), blobs: names('blobs/sha256'), tmp: names('tmp') }
}

const nothing = { layers: [], blobs: [], tmp: [] }

const parts = await tinyParts({ files: { a: 'x' } })
const wrongDiff = Buffer.from(parts.config.toString().replaceAll(sha256(parts.layers[0]!), sha256('other')))
const archive = (config: Buffer, more: object = {}, layers = ['l.tar']) =>
  tinyTar({
    'c.json': config,
    'l.tar': parts.layers[0]!,
    'manifest.json': JSON.stringify([{ Config: 'c.json', RepoTags: ['app:1'], Layers: layers, ...more }]),
  })
const hostile: Readonly<Record<string, readonly [Buffer, RegExp]>> = {
  'a layer that does not match its diff id': [await archive(wrongDiff), /its content has diff id/],
  'more layers than the configuration has': [
    await archive(parts.config, {}, ['l.tar', 'l.tar']),
    /length mismatch: expected 1, got 2/,
  ],
  'a layer that is not there': [await archive(parts.config, {}, ['../../etc/passwd']), /it has no file/],
  'a link out of the archive': [
    await tinyTar({
      'c.json': parts.config,
      'l.tar': { type: 'symlink', linkname: '/etc/passwd' },
      'manifest.json': JSON.stringify([{ Config: 'c.json', Layers: ['l.tar'] }]),
    }),
    /it has no file "l.tar"/,
  ],
  'a link to itself': [
    await tinyTar({
      'c.json': parts.config,
      'l.tar': { type: 'symlink', linkname: 'l.tar' },
      'manifest.json': JSON.stringify([{ Config: 'c.json', Layers: ['l.tar'] }]),
    }),
    /it has no file "l.tar"/,
  ],
  'a diff id that is a path': [
    await archive(Buffer.from(JSON.stringify({ rootfs: { diff_ids: ['sha256:../../../etc'] } }))),
    /Cannot use digest "sha256:\.\.\/\.\.\/\.\.\/etc"/,
  ],
  'a configuration that is no JSON': [await archive(Buffer.from('{')), /it is not JSON/],
  'a configuration of the wrong shape': [await archive(Buffer.from('{"rootfs":5}')), /rootfs/],
  'a tag that is no reference': [await archive(parts.config, { RepoTags: ['../x:1'] }), /invalid reference format/],
  'no manifest': [await tinyTar({ a: '' }), /does not contain a manifest.json/],
  'nothing but noise': [Buffer.alloc(2000, 'x'), /checksum/],
  'the start of an archive': [(await archive(parts.config)).subarray(0, 700), /unexpected EOF/],
  'damaged gzip': [gzipSync(await archive(parts.config)).fill(0, 100, 140), /Cannot decompress gzip data/],
  'damaged xz': [Buffer.from('fd377a585a0000000000', 'hex'), /Cannot decompress xz data/],
}

describe('load', { skip }, () => {
  for (const [what, compress] of [
    ['plain', (data: Buffer) => data],
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ] as const)
    test(`reads a ${what} docker archive, and the next engine has its image`, async t => {
      const { images, again, paths } = await store(t)
      const config = { Cmd: ['sh'], Env: ['A=b'], Unheard: 'kept' }
      const tar = await tinyImageTar({ tag: 'app:1', files: { 'etc/': '', 'etc/name': 'me' }, config })
      const lines: string[] = []
      const loaded = await images.load(of(compress(tar)), { onProgress: line => lines.push(line.stream ?? '') })
      assert.deepEqual(loaded, ['app:1'])
      assert.equal(lines.at(-1), 'Loaded image: app:1\n')
      for (const one of [images, await again()]) {
        const image = one.get('app:1')
        assert.deepEqual([image.tags, image.size, image.config], [['app:1'], 2, config])
        assert.equal(readFileSync(join(one.layers(image)[0]!, 'etc/name'), 'utf8'), 'me')
      }
      assert.deepEqual(inventory(paths).tmp, [])
    })

  test('reads an OCI layout of several layers, lowest first', async t => {
    const { images } = await store(t)
    const tar = await tinyOciTar({ tag: 'app:2', layers: [{ a: '1' }, { b: '2' }] })
    assert.deepEqual(await images.load(of(tar)), ['app:2'])
    const layers = images.layers(images.get('app:2'))
    assert.deepEqual(
      layers.map(layer => readdirSync(layer)),
      [['a'], ['b']],
    )
  })

  test('leaves out what an opaque mark on a layer root hides', async t => {
    const { images, again } = await store(t)
    await images.load(
      of(await tinyImageTar({ tag: 'app:1', layers: [{ a: '' }, { '.wh..wh..opq': '', b: '' }, { c: '' }] })),
    )
    for (const one of [images, await again()]) {
      const layers = one.layers(one.get('app:1'))
      assert.deepEqual(
        layers.map(layer => readdirSync(layer)),
        [['b'], ['c']],
      )
    }
  })

  test('keeps layers from everybody but root', async t => {
    const { images, paths } = await store(t)
    await images.load(of(await tinyImageTar({ tag: 'app:1' })))
    const layer = images.layers(images.get('app:1'))[0]!
    assert.equal(statSync(join(layer, '..')).mode & 0o777, 0o700)
    assert.equal(statSync(layer).mode & 0o777, 0o755)
    assert.equal(statSync(paths.images).mode & 0o077, 0)
  })

  test('moves a tag to the newer image and leaves the older without a name', async t => {
    const { images } = await store(t)
    await images.load(of(await tinyImageTar({ tag: 'app:1', files: { a: '1' } })))
    const old = images.get('app:1')
    await images.load(of(await tinyImageTar({ tag: 'app:1', files: { a: '2' } })))
    assert.notEqual(images.get('app:1').id, old.id)
    assert.deepEqual(images.get(old.id).tags, [])
  })

  test('reads the layer of a docker archive through a link to another of its files', async t => {
    const { images } = await store(t)
    const { config, layers } = await tinyParts({ files: { a: 'x' } })
    const manifest = [{ Config: 'c.json', RepoTags: ['app:1'], Layers: ['two/layer.tar'] }]
    const tar = await tinyTar({
      'c.json': config,
      'one/layer.tar': layers[0]!,
      'two/layer.tar': { type: 'symlink', linkname: '../one/layer.tar' },
      'manifest.json': JSON.stringify(manifest),
    })
    assert.deepEqual(await images.load(of(tar)), ['app:1'])
  })

  for (const [what, [tar, text]] of Object.entries(hostile))
    test(`refuses ${what} and leaves nothing`, async t => {
      const { images, paths } = await store(t)
      await assert.rejects(images.load(of(tar)), (error: Error) => {
        assert.ok(error instanceof Failure, String(error.stack))
        assert.match(error.message, text)
        return true
      })
      assert.deepEqual(inventory(paths), nothing)
      assert.deepEqual(images.list(), [])
    })

  test('refuses a gzip bomb at the limit, long before its end', async t => {
    const { images, paths } = await store(t, { bytes: 1024 * 1024 })
    const layer = await tinyTar({ bomb: Buffer.alloc(64 * 1024 * 1024) })
    const config = { rootfs: { type: 'layers', diff_ids: [sha256(layer)] } }
    const manifest = [{ Config: 'c.json', Layers: ['l'] }]
    const tar = await tinyTar({
      'c.json': JSON.stringify(config),
      l: gzipSync(layer),
      'manifest.json': JSON.stringify(manifest),
    })
    await assert.rejects(images.load(of(tar)), /more than 1048576 bytes/)
    assert.deepEqual(inventory(paths), nothing)
  })
})

describe('import', { skip }, () => {
  test('makes an image of one layer with the changes asked for', async t => {
    const { images } = await store(t)
    const image = await images.importRoot(of(gzipSync(await tinyTar({ 'bin/': '', 'bin/sh': '#!' }))), {
      repo: 'root',
      changes: [
        'CMD ["sh", "-c", "true"]',
        'ENV A=b C="d e"',
        'ENTRYPOINT exec me',
        'EXPOSE 80 53/udp',
        'USER 1000',
        'WORKDIR /srv',
        'LABEL a=b',
        'VOLUME /data',
        'STOPSIGNAL SIGINT',
        'HEALTHCHECK --interval=5s --retries=2 CMD true',
      ],
    })
    assert.deepEqual(image.tags, ['root:latest'])
    assert.deepEqual(image.config, {
      Cmd: ['sh', '-c', 'true'],
      Env: ['A=b', 'C=d e'],
      Entrypoint: ['/bin/sh', '-c', 'exec me'],
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      User: '1000',
      WorkingDir: '/srv',
      Labels: { a: 'b' },
      Volumes: { '/data': {} },
      StopSignal: 'SIGINT',
      Healthcheck: { Test: ['CMD-SHELL', 'true'], Interval: 5e9, Retries: 2 },
    })
    assert.equal(readFileSync(join(images.layers(image)[0]!, 'bin/sh'), 'utf8'), '#!')
  })

  test('refuses an instruction it does not know before it reads the root', async t => {
    const { images, paths } = await store(t)
    await assert.rejects(images.importRoot(of(), { changes: ['RUN true'] }), {
      message: 'RUN is not a valid change command',
    })
    assert.deepEqual(inventory(paths), nothing)
  })

  test('leaves nothing of a root that reaches out', async t => {
    const { images, paths } = await store(t)
    await assert.rejects(images.importRoot(of(await tinyTar({ '../x': '' }))), /holds "\.\."/)
    assert.deepEqual(inventory(paths), nothing)
  })
})

describe('get()', { skip }, () => {
  test('finds by id, by name and by unique prefix, in that order', async t => {
    const { images } = await store(t)
    await images.load(of(await tinyImageTar({ tag: 'app:latest' })))
    const image = images.get('app')
    for (const reference of [
      image.id,
      image.id.slice(7),
      image.id.slice(7, 19),
      image.id.slice(0, 20),
      'docker.io/library/app:latest',
    ])
      assert.equal(images.get(reference).id, image.id, reference)
    await images.tag('app', image.id.slice(7, 10))
    assert.equal(images.get(image.id.slice(7, 10)).id, image.id)
  })

  test('says what is missing in Docker’s words', async t => {
    const { images } = await store(t)
    assert.throws(() => images.get('nosuch'), { kind: 'not-found', message: 'No such image: nosuch:latest' })
    assert.throws(() => images.get('127.0.0.1:5000/a:b'), { message: 'No such image: 127.0.0.1:5000/a:b' })
  })
})

describe('remove()', { skip }, () => {
  const user = (running: boolean): ImageUser => ({ id: 'f'.repeat(64), name: 'web', running })

  test('takes one of two names, and the image with its layers when the last one goes', async t => {
    const { images, paths } = await store(t)
    await images.load(of(await tinyImageTar({ tag: 'app:1', layers: [{ a: '' }, { b: '' }] })))
    await images.tag('app:1', 'other')
    const { id } = images.get('app:1')
    assert.deepEqual(await images.remove('app:1', nobody), [{ Untagged: 'app:1' }])
    const removed = await images.remove('other', nobody)
    assert.deepEqual(removed.slice(0, 2), [{ Untagged: 'other:latest' }, { Deleted: id }])
    assert.equal(removed.length, 4)
    assert.deepEqual(inventory(paths), nothing)
  })

  test('keeps layers that another image has', async t => {
    const { images, again } = await store(t)
    await images.load(of(await tinyImageTar({ tag: 'a:1', layers: [{ base: '' }, { a: '' }] })))
    await images.load(of(await tinyImageTar({ tag: 'b:1', layers: [{ base: '' }, { b: '' }] })))
    await images.remove('a:1', nobody)
    for (const one of [images, await again()])
      for (const layer of one.layers(one.get('b:1'))) assert.ok(existsSync(layer))
  })

  test('refuses what a container uses, in Docker’s words', async t => {
    const { images } = await store(t)
    await images.load(of(await tinyImageTar({ tag: 'app:1' })))
    const id = images.get('app:1').id
    const short = id.slice(7, 19)
    const refused = (reference: string, running: boolean, force: boolean, message: string) =>
      assert.rejects(images.remove(reference, { force, usedBy: () => [user(running)] }), { kind: 'conflict', message })
    await refused(
      'app:1',
      false,
      false,
      `conflict: unable to remove repository reference "app:1" (must force) - container ffffffffffff is using its referenced image ${short}`,
    )
    await refused(
      id,
      false,
      false,
      `conflict: unable to delete ${short} (must be forced) - image is being used by stopped container ffffffffffff`,
    )
    await refused(
      id,
      true,
      true,
      `conflict: unable to delete ${short} (cannot be forced) - image is being used by running container ffffffffffff`,
    )
    assert.ok(images.find('app:1'))
    await images.remove('app:1', { force: true, usedBy: () => [user(true)] })
    assert.deepEqual(images.get(id).tags, [])
  })

  test('by id refuses an image of several repositories unless forced', async t => {
    const { images } = await store(t)
    await images.load(of(await tinyImageTar({ tag: 'app:1' })))
    await images.tag('app:1', 'other:1')
    const { id } = images.get('app:1')
    await assert.rejects(images.remove(id, nobody), /must be forced\) - image is referenced in multiple repositories/)
    await images.remove(id, { ...nobody, force: true })
    assert.deepEqual(images.list(), [])
  })
})

test('open() throws away what a killed engine had begun', { skip }, async t => {
  const { images, paths, again } = await store(t)
  await images.load(of(await tinyImageTar({ tag: 'app:1' })))
  const before = inventory(paths)
  mkdirSync(join(paths.imageTemp, 'half', 'root'), { recursive: true })
  mkdirSync(join(paths.layer('e'.repeat(64)), 'root'), { recursive: true })
  writeFileSync(paths.blob('e'.repeat(64)), 'orphan')
  await again()
  assert.deepEqual(inventory(paths), before)
})

test('a kernel mounts the layers of an image as overlay', { skip }, async t => {
  const { images } = await store(t)
  await images.load(
    of(
      await tinyImageTar({
        tag: 'app:1',
        layers: [
          { 'd/': '', 'd/old': '', gone: '', kept: '' },
          { '.wh.gone': '', 'd/.wh..wh..opq': '', 'd/new': '' },
        ],
      }),
    ),
  )
  const lower = [...images.layers(images.get('app:1'))].reverse().join(':')
  const script = `mount -t tmpfs none /mnt && mkdir /mnt/m && mount -t overlay none -o lowerdir=${lower} /mnt/m && cd /mnt/m && find . | sort`
  const seen = execFileSync('unshare', ['-m', 'sh', '-c', script], { encoding: 'utf8' })
  assert.deepEqual(seen.trim().split('\n'), ['.', './d', './d/new', './kept'])
})

describe('save()', { skip }, () => {
  async function saved(images: Images, ...references: string[]): Promise<Buffer> {
    return await buffer(Readable.from(await images.save(references)))
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

test('prune() counts the layers that went, and leaves what is used', { skip }, async t => {
  const { images } = await store(t)
  await images.load(of(await tinyImageTar({ tag: 'app:1', layers: [{ a: 'shared' }, { b: 'own content' }] })))
  await images.load(of(await tinyImageTar({ tag: 'app:1', layers: [{ a: 'shared' }] })))
  const dangling = { dangling: true, until: Infinity }
  const used = () => [{ id: 'c', name: 'c', running: false }]
  assert.deepEqual(await images.prune(dangling, used), { removed: [], reclaimed: 0 })
  const { removed, reclaimed } = await images.prune(dangling, () => [])
  assert.deepEqual([removed.length, reclaimed], [2, 'own content'.length])
  assert.equal((await images.prune({ dangling: false, until: 0 }, () => [])).removed.length, 0)
  assert.equal((await images.prune({ dangling: false, until: Infinity }, () => [])).removed.length, 3)
})

test('load() says which image loses its name', { skip }, async t => {
  const { images } = await store(t)
  const lines: string[] = []
  await images.load(of(await tinyImageTar({ tag: 'app:1', files: { a: '1' } })))
  const { id } = images.get('app:1')
  await images.load(of(await tinyImageTar({ tag: 'app:1', files: { a: '2' } })), {
    onProgress: ({ stream }) => stream && lines.push(stream),
  })
  assert.deepEqual(lines, [
    `The image app:1 already exists, renaming the old one with ID ${id} to empty string\n`,
    'Loaded image: app:1\n',
  ])
})
