import assert from 'node:assert/strict'
import { existsSync, lstatSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { TarReader } from '../../../src/engine/base/tar-reader.ts'
import { isFailure } from '../../../src/lib/failure.ts'
import { type TinyFiles, tinyImageTar, tinyTar } from '../../support/tiny-image.ts'
import { EngineBox } from './engine-box.ts'

async function put(box: EngineBox, path: string, files: TinyFiles, more: object = {}): Promise<void> {
  const content = Readable.from([await tinyTar(files)])
  await box.containers.writeArchive('web', { path, content, ...more })
}

async function get(box: EngineBox, path: string): Promise<Record<string, string>> {
  const { content } = await box.containers.readArchive('web', path)
  const reader = new TarReader(Readable.from([await buffer(Readable.from(content))]))
  const found: Record<string, string> = {}
  for (let entry = await reader.next(); entry; entry = await reader.next())
    found[entry.name] = entry.type === 'file' ? (await reader.content(1000, 'it')).toString() : entry.type
  return found
}

const upper = (box: EngineBox) => join(box.folder, 'data/containers', box.containers.get('web').id, 'upper')

test('a file is put before the start, below folders that are made, and those of the image keep their mode', async () => {
  await using box = await EngineBox.open()
  await box.create('web')
  await put(box, '/', { '/run/secrets/s': { content: 'shh', mode: 0o400, uid: 7 }, '/etc/own': 'x' })
  const { mode, uid } = lstatSync(join(upper(box), 'run/secrets/s'))
  assert.deepEqual([mode & 0o7777, uid], [0o400, 7])
  assert.equal(lstatSync(join(upper(box), 'etc')).mode & 0o7777, 0o755)
  assert.deepEqual(await get(box, '/run/secrets'), { 'secrets/': 'directory', 'secrets/s': 'shh' })
  const etc = await get(box, '/etc')
  // as with Docker, what is mounted over is there before the first start
  const points = ['etc/hostname', 'etc/hosts', 'etc/resolv.conf']
  assert.deepEqual(Object.keys(etc).sort(), ['etc/', 'etc/group', 'etc/own', 'etc/passwd', ...points].sort())
  assert.deepEqual(readdirSync(join(upper(box), 'etc')), ['own'])
})

test('the root of a container is open to all its users, whatever its image says of its own', async () => {
  await using box = await EngineBox.open()
  const closed = await tinyImageTar({
    tag: 'closed:1',
    config: { Cmd: ['x'] },
    files: { './': { mode: 0o700, uid: 5 }, 'a/': '' },
  })
  await box.engine.images.load(Readable.from([closed]))
  await box.run('web', { Image: 'closed:1' })
  const { mode, uid } = lstatSync(upper(box))
  assert.deepEqual([mode & 0o7777, uid], [0o755, 0])
})

test('empty files, links and folders come out whole', async () => {
  await using box = await EngineBox.open()
  await box.create('web')
  await put(box, '/', { 'mixed/a': '', 'mixed/b': { type: 'symlink', linkname: 'a' }, 'mixed/c/': '', 'mixed/d': '' })
  const all = { 'mixed/': 'directory', 'mixed/a': '', 'mixed/b': 'symlink', 'mixed/c/': 'directory', 'mixed/d': '' }
  assert.deepEqual(await get(box, '/mixed'), all)
  assert.deepEqual(await get(box, '/mixed/a'), { a: '' })
})

test('what is put is owned by the user of the container when asked', async () => {
  await using box = await EngineBox.open()
  await box.create('web', { User: 'app' })
  await put(box, '/data', { f: { content: 'x', uid: 5 } }, { copyUIDGID: true })
  assert.equal(lstatSync(join(upper(box), 'data/f')).uid, 1000)
})

test('a link in a container never leads a write out of it', async () => {
  await using box = await EngineBox.open()
  await box.create('web')
  await put(box, '/', {
    etc2: { type: 'symlink', linkname: '/etc' },
    out: { type: 'symlink', linkname: '../../../../tmp' },
  })
  await put(box, '/', { 'etc2/inside': 'x' })
  assert.equal(readFileSync(join(upper(box), 'etc/inside'), 'utf8'), 'x')
  symlinkSync(box.folder, join(upper(box), 'host'))
  await put(box, '/', { 'host/stolen': 'x', 'out/stolen': 'x' })
  assert.equal(existsSync(join(box.folder, 'stolen')), false)
  assert.equal(readFileSync(join(upper(box), box.folder, 'stolen'), 'utf8'), 'x')
  assert.equal(readFileSync(join(upper(box), 'tmp/stolen'), 'utf8'), 'x')
  await assert.rejects(put(box, '/', { '../up': 'x' }), error => isFailure(error, 'internal'))
})

test('a path is told with the mode bits of Go, and a link with its target', async () => {
  await using box = await EngineBox.open()
  await box.create('web')
  await put(box, '/', { l: { type: 'symlink', linkname: 'data/seed' } })
  const folder = await box.containers.statPath('web', '/data')
  assert.deepEqual([folder.name, folder.mode, folder.linkTarget], ['data', 2 ** 31 + 0o755, ''])
  const link = await box.containers.statPath('web', '/l')
  assert.deepEqual([link.mode - (link.mode % 2 ** 27), link.linkTarget], [2 ** 27, '/data/seed'])
  const file = await box.containers.statPath('web', '/data/seed')
  assert.deepEqual([file.size, file.mode], [4, 0o644])
})

test('entries are named by the last word of the path, or by a dot, slash behind it or not', async () => {
  await using box = await EngineBox.open()
  await box.create('web')
  await put(box, '/', { l: { type: 'symlink', linkname: 'data' } })
  for (const [path, ...names] of [
    ['/data', 'data/', 'data/seed'],
    ['data/', 'data/', 'data/seed'],
    ['data/.', './', './seed'],
    ['/data/./', './', './seed'],
    ['l', 'l'],
    ['l/', 'l/', 'l/seed'],
    ['l/.', './', './seed'],
    ['l/.//', './', './seed'],
  ] as const)
    assert.deepEqual(Object.keys(await get(box, path)), names, path)
  const { data: _, ...rest } = await get(box, '/')
  assert.ok('/data/seed' in rest)
  for (const path of ['.', '/.', './', '/./']) assert.ok('./data/seed' in (await get(box, path)), path)
})

test('a path that is not there is not-found, in the words of Docker', async () => {
  await using box = await EngineBox.open()
  await box.create('web')
  const missing = { kind: 'not-found', message: 'Could not find the file /no/such in container web' }
  await assert.rejects(box.containers.statPath('web', '/no/such'), missing)
  await assert.rejects(box.containers.readArchive('web', '/no/such'), missing)
  await assert.rejects(put(box, '/no/such', { f: 'x' }), missing)
})

test('a folder is not replaced by a file when that is forbidden', async () => {
  await using box = await EngineBox.open()
  await box.create('web')
  await put(box, '/', { 'data/': '' })
  await assert.rejects(put(box, '/', { data: 'x' }, { noOverwriteDirNonDir: true }), error =>
    isFailure(error, 'internal'),
  )
  assert.equal((await get(box, '/data'))['data/seed'], 'seed')
})

test('files of a volume are reached while the container does not run', async () => {
  await using box = await EngineBox.open()
  await box.create('web', { HostConfig: { Binds: ['named:/data'] } })
  await put(box, '/data', { f: 'in the volume' })
  assert.equal(readFileSync(join(box.engine.volumes.mountpoint('named'), 'f'), 'utf8'), 'in the volume')
  assert.deepEqual(await get(box, '/data/f'), { f: 'in the volume' })
})

test('changes tells what was added, modified and deleted', async () => {
  await using box = await EngineBox.open()
  await box.create('web')
  await put(box, '/', { 'data/new': 'x', 'etc/passwd': 'changed' })
  const changes = await box.containers.changes('web')
  assert.deepEqual(
    changes.map(({ Path, Kind }) => `${Kind} ${Path}`),
    ['0 /data', '1 /data/new', '0 /etc', '0 /etc/passwd'],
  )
})
