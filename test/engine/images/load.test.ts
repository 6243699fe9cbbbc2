import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { Failure } from '../../../src/lib/failure.ts'
import { sha256, tinyImageTar, tinyOciTar, tinyParts, tinyTar } from '../../support/tiny-image.ts'
import { inventory, nothing, of, skip, store } from './images-box.ts'

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

  test('names a layer that is there twice only where it lies highest, since overlay takes no folder twice', async t => {
    const { images } = await store(t)
    await images.load(
      of(await tinyImageTar({ tag: 'app:1', layers: [{ a: '1' }, { '.wh.a': '', b: '' }, { a: '1' }] })),
    )
    const image = images.get('app:1')
    assert.equal(image.diffIds.length, 3)
    assert.deepEqual(
      images.layers(image).map(layer => readdirSync(layer).sort()),
      [['a', 'b'], ['a']],
    )
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

test('loads an image without a layer, whose list of them Go has written as null', { skip }, async t => {
  const { images } = await store(t)
  const config = '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":null}}'
  const manifest = JSON.stringify([{ Config: 'c.json', RepoTags: ['empty:1'], Layers: null }])
  await images.load(of(await tinyTar({ 'c.json': config, 'manifest.json': manifest })))
  const image = images.get('empty:1')
  assert.equal(image.id, sha256(config))
  assert.deepEqual(image.diffIds, [])
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
