import assert from 'node:assert/strict'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, type TestContext, test } from 'node:test'
import { Events } from '../../../src/engine/base/events.ts'
import { Images } from '../../../src/engine/images/images.ts'
import { Volumes } from '../../../src/engine/volumes/volumes.ts'
import { getXattr, setXattr } from '../../../src/runtime/native.ts'
import { lacking, root } from '../../support/needs.ts'
import { temporaryPaths } from '../../support/temporary-paths.ts'
import { type TinyFiles, tinyImageTar } from '../../support/tiny-image.ts'
import { threads } from '../../support/unpack-threads.ts'

const skip = lacking(root())
const unused = { usedBy: () => [] }

async function open(t: TestContext) {
  const paths = temporaryPaths(t)
  const events = new Events()
  return { paths, events, volumes: await Volumes.open(paths, events), again: () => Volumes.open(paths, events) }
}

describe('create()', () => {
  test('makes a volume once and returns it the next time; the next engine has it', async t => {
    const { volumes, again, events } = await open(t)
    const volume = await volumes.create({ name: 'shop_data', labels: { a: 'b' } })
    assert.equal((await volumes.create({ name: 'shop_data', labels: { other: 'x' } })).labels['a'], 'b')
    const [first, second] = await Promise.all([volumes.create({ name: 'both' }), volumes.create({ name: 'both' })])
    assert.equal(first, second)
    assert.deepEqual((await again()).list(), volumes.list())
    assert.deepEqual((await again()).get('shop_data'), volume)
    assert.equal(statSync(volume.mountpoint).mode & 0o777, 0o755)
    assert.equal(statSync(dirname(volume.mountpoint)).mode & 0o777, 0o700)
    assert.deepEqual(
      events.history.map(event => `${event.action} ${event.id}`),
      ['create shop_data', 'create both'],
    )
  })

  test('names an anonymous volume by 64 hex digits and labels it', async t => {
    const { volumes } = await open(t)
    const volume = await volumes.create({ name: '' })
    assert.match(volume.name, /^[0-9a-f]{64}$/)
    assert.deepEqual(volume.labels, { 'com.docker.volume.anonymous': '' })
  })

  test('refuses names that are paths, in Docker’s words', async t => {
    const { volumes, paths } = await open(t)
    await assert.rejects(volumes.create({ name: 'am/v3' }), {
      kind: 'invalid',
      message:
        'create am/v3: "am/v3" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path',
    })
    for (const name of ['..', '.', '../x', '.hidden', 'a\0b', 'a b', 'é', 'a\n', '-a', 'x'.repeat(300)])
      await assert.rejects(volumes.create({ name }), { kind: 'invalid' }, JSON.stringify(name))
    assert.deepEqual(readdirSync(paths.volumes), [])
  })

  test('refuses another driver, and options it cannot honour, by name', async t => {
    const { volumes } = await open(t)
    await assert.rejects(volumes.create({ name: 'v3', driver: 'nosuch' }), {
      kind: 'not-found',
      message: 'create v3: error looking up volume plugin nosuch: plugin "nosuch" not found',
    })
    for (const [driverOpts, text] of [
      [{ foo: 'x' }, /invalid option: "foo"/],
      [{ size: '1g' }, /quota size requested but no quota support/],
      [{ type: 'nfs', o: 'addr=h', device: ':/x' }, /volumes of type "nfs" are not supported yet/],
      [{ type: 'none', o: 'bind' }, /missing required option: "device"/],
      [{ type: 'none', o: 'bind', device: 'a/b' }, /should be an absolute path/],
      [{ type: 'none', o: 'bind', device: '/a/../b' }, /should be an absolute path/],
      [{ type: 'none', o: 'bind,lowerdir=/etc', device: '/a' }, /mount option "lowerdir=\/etc" is not known/],
      [{ type: 'tmpfs', o: 'size=1m,evil=1', device: 'tmpfs' }, /mount option "evil=1" is not known/],
    ] as const)
      await assert.rejects(volumes.create({ name: 'vol', driverOpts }), text)
    assert.deepEqual(volumes.list(), [])
  })
})

test('source() turns the local driver’s options into what is mounted', async t => {
  const { volumes } = await open(t)
  const plain = await volumes.create({ name: 'plain' })
  await volumes.create({ name: 'bound', driverOpts: { type: 'none', o: 'bind,ro,nosuid', device: '/srv/data' } })
  await volumes.create({ name: 'memory', driverOpts: { type: 'tmpfs', o: 'size=1m,noexec,uid=5', device: 'tmpfs' } })
  assert.deepEqual(volumes.source('plain'), { kind: 'bind', source: plain.mountpoint, flags: [], readonly: false })
  assert.deepEqual(volumes.source('bound'), { kind: 'bind', source: '/srv/data', flags: ['nosuid'], readonly: true })
  assert.deepEqual(volumes.source('memory'), { kind: 'tmpfs', data: 'size=1m,uid=5', flags: ['noexec'] })
})

describe('remove()', () => {
  test('takes the volume and its data away', async t => {
    const { volumes, paths, again } = await open(t)
    const { mountpoint } = await volumes.create({ name: 'data' })
    writeFileSync(join(mountpoint, 'x'), '')
    await volumes.remove('data', unused)
    assert.deepEqual(readdirSync(paths.volumes), [])
    assert.deepEqual((await again()).list(), [])
  })

  test('refuses one in use or missing, in Docker’s words', async t => {
    const { volumes } = await open(t)
    await volumes.create({ name: 'data' })
    await assert.rejects(volumes.remove('data', { usedBy: () => ['abc', 'def'] }), {
      kind: 'conflict',
      message: 'remove data: volume is in use - [abc, def]',
    })
    await assert.rejects(volumes.remove('nosuch', unused), { kind: 'not-found', message: 'get nosuch: no such volume' })
    await volumes.remove('nosuch', { ...unused, force: true })
    assert.throws(() => volumes.get('nosuch'), { kind: 'not-found', message: 'get nosuch: no such volume' })
  })

  test('that a killed engine did not finish is finished by the next', async t => {
    const { volumes, paths, again } = await open(t)
    await volumes.create({ name: 'data' })
    mkdirSync(join(paths.volumes, '.0123', '_data'), { recursive: true })
    assert.deepEqual(
      (await again()).list().map(volume => volume.name),
      ['data'],
    )
    assert.deepEqual(readdirSync(paths.volumes), ['data'])
  })
})

describe('populate()', { skip }, () => {
  async function filled(t: TestContext, layers: readonly TinyFiles[], path = '/data') {
    const { paths, volumes } = await open(t)
    const images = await Images.open(paths, new Events(), { threads })
    await images.load(Readable.from([await tinyImageTar({ tag: 'app:1', layers })]))
    const { mountpoint } = await volumes.create({ name: 'vol' })
    const found = images.layers(images.get('app:1'))
    return {
      paths,
      volumes,
      mountpoint,
      layers: found,
      fill: (subpath?: string) => volumes.populate({ name: 'vol', subpath }, found, path),
    }
  }

  test('copies content with owner, mode, times and links, and gives the volume the folder’s own', async t => {
    const mtime = new Date('2020-02-02T02:02:02Z')
    const { mountpoint, fill, paths } = await filled(t, [
      {
        'data/': { uid: 5, gid: 6, mode: 0o2770, mtime },
        'data/su': { content: 'x', uid: 7, gid: 8, mode: 0o4755, mtime },
        'data/same': { type: 'link', linkname: 'data/su' },
        'data/link': { type: 'symlink', linkname: '/etc/shadow' },
        'data/d/': { mode: 0o700, mtime },
        'data/d/pipe': { type: 'fifo', mode: 0o640 },
        'data/null': { type: 'character-device', devmajor: 1, devminor: 300 },
        'data/large': Buffer.alloc(2_000_000, 'l'),
      },
    ])
    await fill()
    const stat = (name: string) => lstatSync(join(mountpoint, name))
    assert.deepEqual([stat('.').uid, stat('.').gid, stat('.').mode & 0o7777], [5, 6, 0o2770])
    assert.deepEqual([stat('su').uid, stat('su').mode & 0o7777, stat('su').mtimeMs], [7, 0o4755, mtime.getTime()])
    assert.equal(stat('same').ino, stat('su').ino)
    assert.equal(readlinkSync(join(mountpoint, 'link')), '/etc/shadow')
    assert.deepEqual([stat('d').mode & 0o777, stat('d').mtimeMs], [0o700, mtime.getTime()])
    assert.ok(stat('d/pipe').isFIFO() && stat('null').isCharacterDevice())
    assert.equal(stat('large').size, 2_000_000)
    assert.deepEqual(readdirSync(paths.volume('vol')).sort(), ['_data', 'volume.json'])
  })

  test('sees all layers at once: whiteouts, opaque folders, replaced files', async t => {
    const { mountpoint, fill } = await filled(t, [
      { 'data/a': '1', 'data/b': '1', 'data/o/low': '' },
      { 'data/a': '2', 'data/.wh.b': '', 'data/o/.wh..wh..opq': '', 'data/o/high': '' },
    ])
    await fill()
    assert.deepEqual(readdirSync(mountpoint).sort(), ['a', 'o'])
    assert.deepEqual(readdirSync(join(mountpoint, 'o')), ['high'])
    assert.equal(readFileSync(join(mountpoint, 'a'), 'utf8'), '2')
  })

  test('keeps attributes of the content, not those of overlay', async t => {
    const { mountpoint, fill, layers } = await filled(t, [{ 'data/x': '', 'data/d/y': '' }])
    setXattr(join(layers[0]!, 'data/x'), 'user.note', Buffer.from('n'))
    setXattr(join(layers[0]!, 'data/d'), 'trusted.overlay.opaque', Buffer.from('y'))
    await fill()
    assert.equal(getXattr(join(mountpoint, 'x'), 'user.note')?.toString(), 'n')
    assert.equal(getXattr(join(mountpoint, 'd'), 'trusted.overlay.opaque'), undefined)
  })

  test('follows a link on the way to the folder inside the image only', async t => {
    const inside = await filled(t, [{ 'srv/x': 'own', data: { type: 'symlink', linkname: '/srv' } }])
    await inside.fill()
    assert.deepEqual(readdirSync(inside.mountpoint), ['x'])
    for (const [linkname, path] of [
      ['../../../../../../../../../etc', '/data'],
      ['/etc', '/data'],
      ['/', '/data/etc'],
    ] as const) {
      const outside = await filled(t, [{ data: { type: 'symlink', linkname } }], path)
      await outside.fill()
      assert.deepEqual(readdirSync(outside.mountpoint), [])
    }
    const dots = await filled(t, [{ a: '' }], '/../../../../../../../etc')
    await dots.fill()
    assert.deepEqual(readdirSync(dots.mountpoint), [])
  })

  test('fills a part of a volume that is there and empty, wherever its links lead inside the volume', async t => {
    const { mountpoint, fill, paths } = await filled(t, [{ 'data/': { mode: 0o2770 }, 'data/x': 'image' }])
    for (const folder of ['empty', 'full', 'deep/er']) mkdirSync(join(mountpoint, folder), { recursive: true })
    writeFileSync(join(mountpoint, 'full/mine'), '')
    symlinkSync('/deep/er', join(mountpoint, 'link'))
    const outside = join(paths.roots.data, 'outside')
    mkdirSync(outside)
    symlinkSync(outside, join(mountpoint, 'out'))
    for (const subpath of ['empty', 'full', 'link', 'out', 'none', 'full/mine']) await fill(subpath)
    assert.deepEqual(readdirSync(mountpoint).sort(), ['deep', 'empty', 'full', 'link', 'out'])
    assert.deepEqual(readdirSync(join(mountpoint, 'empty')), ['x'])
    assert.equal(lstatSync(join(mountpoint, 'empty')).mode & 0o7777, 0o2770)
    assert.deepEqual(readdirSync(join(mountpoint, 'full')), ['mine'])
    assert.deepEqual(readdirSync(join(mountpoint, 'deep/er')), ['x'])
    assert.deepEqual(readdirSync(outside), [])
    assert.deepEqual(readdirSync(paths.volume('vol')).sort(), ['_data', 'volume.json'])
  })

  test('leaves a volume with content alone', async t => {
    const { mountpoint, fill } = await filled(t, [{ 'data/x': 'image' }])
    writeFileSync(join(mountpoint, 'mine'), '')
    await fill()
    assert.deepEqual(readdirSync(mountpoint), ['mine'])
  })

  test('goes on with the moving that a killed engine had begun, and follows no link a container made meanwhile', async t => {
    const { mountpoint, fill, paths } = await filled(t, [{ 'data/x': 'image' }])
    const copied = join(paths.volume('vol'), 'copied')
    mkdirSync(join(copied, 'd'), { recursive: true })
    writeFileSync(join(copied, 'd', 'f'), 'rest')
    writeFileSync(join(copied, 'e'), 'rest')
    const outside = join(paths.roots.data, 'outside')
    mkdirSync(outside)
    symlinkSync(outside, join(mountpoint, 'd'))
    await fill()
    assert.equal(readFileSync(join(mountpoint, 'e'), 'utf8'), 'rest')
    assert.ok(lstatSync(join(mountpoint, 'd')).isSymbolicLink())
    assert.deepEqual(readdirSync(outside), [])
    assert.ok(!existsSync(copied))
  })

  test('when it fails leaves the volume empty', async t => {
    const { mountpoint, fill, layers, paths } = await filled(t, [{ 'data/x': '' }])
    rmSync(join(layers[0]!, '..'), { recursive: true })
    await assert.rejects(fill(), { code: 'ENOENT' })
    assert.deepEqual(readdirSync(mountpoint), [])
    assert.deepEqual(readdirSync(paths.volume('vol')).sort(), ['_data', 'volume.json'])
  })
})

test('a volume whose folder somebody has removed is removed like any other', async t => {
  const { volumes, paths } = await open(t)
  await volumes.create({ name: 'gone' })
  rmSync(paths.volume('gone'), { recursive: true })
  await volumes.remove('gone', unused)
  assert.equal(volumes.find('gone'), undefined)
})
