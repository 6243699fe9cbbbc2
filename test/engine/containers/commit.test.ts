import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { TarReader } from '../../../src/engine/base/tar-reader.ts'
import { makeNode, setXattr } from '../../../src/runtime/native.ts'
import { EngineBox } from './engine-box.ts'

async function box(): Promise<EngineBox & { readonly upper: string }> {
  const opened = await EngineBox.open()
  const id = await opened.create('web', { Env: ['OWN=1'], Labels: { own: 'yes' }, ExposedPorts: { '80/tcp': {} } })
  await opened.containers.changes('web')
  return Object.assign(opened, { upper: join(opened.folder, 'data/containers', id, 'upper') })
}

/** As overlay leaves them: a folder copied up with a new file, a removed file, a folder removed and made again. */
function write(upper: string): void {
  mkdirSync(join(upper, 'etc'))
  writeFileSync(join(upper, 'etc/new'), 'new')
  makeNode(join(upper, 'etc/passwd'), 'character-device')
  mkdirSync(join(upper, 'data'))
  setXattr(join(upper, 'data'), 'trusted.overlay.opaque', Buffer.from('y'))
  writeFileSync(join(upper, 'data/other'), 'other')
}

const asWritten = ['C /data', 'A /data/other', 'D /data/seed', 'C /etc', 'A /etc/new', 'D /etc/passwd']

async function changesOf(opened: EngineBox): Promise<string[]> {
  return (await opened.containers.changes('web')).map(({ Kind, Path }) => `${'CAD'[Kind]} ${Path}`)
}

test('the folder that a program begins in is there before it has begun', async () => {
  await using opened = await EngineBox.open()
  const changed = async (name: string, WorkingDir: string) => {
    await opened.create(name, { WorkingDir })
    const changes = await opened.containers.changes(name)
    const { mode, name: last } = await opened.containers.statPath(name, WorkingDir)
    return [changes.map(({ Kind, Path }) => `${'CAD'[Kind]} ${Path}`), last, (mode & 0o777).toString(8)]
  }
  assert.deepEqual(await changed('new', '/made/here'), [['A /made', 'A /made/here'], 'here', '755'])
  assert.deepEqual(await changed('below', '/data/here'), [['C /data', 'A /data/here'], 'here', '755'])
  assert.deepEqual(await changed('there', '/data'), [[], 'data', '755'])
  // its start will say what is wrong
  await opened.create('file', { WorkingDir: '/etc/passwd' })
  assert.deepEqual(await opened.containers.changes('file'), [])
})

test('changes tell what was written, and nothing of what was only copied up', async () => {
  await using opened = await box()
  assert.deepEqual(await changesOf(opened), [])
  mkdirSync(join(opened.upper, 'etc'))
  for (const name of ['hosts', 'hostname']) writeFileSync(join(opened.upper, 'etc', name), '')
  assert.deepEqual(await changesOf(opened), [])
  chmodSync(join(opened.upper, 'etc'), 0o700)
  assert.deepEqual(await changesOf(opened), ['C /etc'])
  rmSync(join(opened.upper, 'etc'), { recursive: true })
  write(opened.upper)
  assert.deepEqual(await changesOf(opened), asWritten)
})

test('a commit hides what was removed, and its image runs as the container did but for the changes', async () => {
  await using opened = await box()
  write(opened.upper)
  const image = await opened.containers.commit('web', {
    repo: 'made',
    author: 'me',
    comment: 'why',
    pause: true,
    changes: ['ENV MORE=2', 'ENTRYPOINT ["/other"]'],
  })
  assert.deepEqual(image.tags, ['made:latest'])
  assert.equal(image.parent, opened.engine.images.get('tiny:1').id)
  const { Env, Labels, Cmd, Entrypoint, ExposedPorts } = image.config
  assert.deepEqual(Env, ['OWN=1', 'PATH=/bin', 'MODE=image', 'MORE=2'])
  assert.deepEqual([Labels, Cmd, Entrypoint], [{ from: 'image', own: 'yes' }, null, ['/other']])
  assert.deepEqual(ExposedPorts, { '80/tcp': {} })
  const history = await opened.engine.images.history('made')
  assert.deepEqual(
    history.map(({ Id, CreatedBy, Comment, Size }) => [Id, CreatedBy, Comment, Size]),
    [
      [image.id, 'serve', 'why', 8],
      [image.parent, 'tiny image', '', opened.engine.images.get('tiny:1').size],
    ],
  )
  await opened.containers.create({ name: 'again', body: { Image: 'made', HostConfig: { NetworkMode: 'none' } } })
  const paths = async (path: string) => {
    const { content } = await opened.containers.readArchive('again', path)
    const reader = new TarReader(Readable.from([await buffer(Readable.from(content))]))
    const found: string[] = []
    for (let entry = await reader.next(); entry; entry = await reader.next()) found.push(entry.name)
    return found
  }
  assert.deepEqual(await paths('/data'), ['data/', 'data/other'])
  const points = ['etc/hostname', 'etc/hosts', 'etc/resolv.conf']
  assert.deepEqual(await paths('/etc'), ['etc/', 'etc/group', 'etc/new', ...points].sort())
})

test('a commit of a container that wrote nothing has its image’s layers and a step without one', async () => {
  await using opened = await box()
  const image = await opened.containers.commit('web', { pause: true, changes: [] })
  assert.deepEqual(image.diffIds, opened.engine.images.get('tiny:1').diffIds)
  assert.equal(image.history.at(-1)?.empty_layer, true)
  assert.deepEqual(image.tags, [])
})

test('a commit tells of the image, and then of its name', async () => {
  await using opened = await box()
  const told: string[] = []
  opened.engine.events.listen(({ type, action, attributes }) => {
    if (type === 'image') told.push(`${action} ${attributes['name']}`)
  })
  const { id } = await opened.containers.commit('web', { repo: 'made', pause: true, changes: [] })
  assert.deepEqual(told, [`create ${id}`, 'tag made:latest'])
})

test('an export has the container’s own files and nothing that is mounted', async () => {
  await using opened = await EngineBox.open()
  await opened.create('web', { HostConfig: { Binds: ['named:/data'] } })
  writeFileSync(join(opened.engine.volumes.mountpoint('named'), 'hidden'), '')
  const { content } = await opened.containers.exportRoot('web')
  const image = await opened.engine.images.importRoot(Readable.from(content), { repo: 'flat' })
  await opened.containers.create({
    name: 'flat',
    body: { Image: 'flat', Cmd: ['x'], HostConfig: { NetworkMode: 'none' } },
  })
  assert.equal((await opened.containers.statPath('flat', '/data/seed')).size, 4)
  await assert.rejects(opened.containers.statPath('flat', '/data/hidden'), /Could not find the file/)
  assert.equal(image.diffIds.length, 1)
})

test('a copy reaches a volume, a part of one and a bind where they are mounted, links in them followed inside', async () => {
  await using opened = await EngineBox.open()
  const folder = join(opened.folder, 'bound')
  mkdirSync(folder)
  writeFileSync(join(folder, 'f'), 'bound')
  const Mounts = [
    { Type: 'volume', Source: 'named', Target: '/data/vol' },
    { Type: 'bind', Source: folder, Target: '/data/bind' },
  ]
  await opened.create('web', { HostConfig: { Mounts } })
  writeFileSync(join(opened.engine.volumes.mountpoint('named'), 'v'), 'in the volume')
  for (const [path, size] of [
    ['/data/vol/v', 13],
    ['/data/bind/f', 5],
    ['/data/seed', 4],
  ] as const) {
    assert.equal((await opened.containers.statPath('web', path)).size, size, path)
  }
})
