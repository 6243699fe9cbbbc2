/** The layer beneath all images: what is mounted over in a container is not made in its own layer. */
import assert from 'node:assert/strict'
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Aside } from '../../../src/engine/base/aside.ts'
import { makeMountPoints, mountPoints } from '../../../src/engine/containers/files/mount-points.ts'
import { EngineBox } from './engine-box.ts'

const mode = (path: string) => statSync(path).mode & 0o7777

test('it lies beneath the layers of an overlay, readable by every user of a container', async () => {
  await using box = await EngineBox.open()
  const { paths } = box.engine
  await box.create('web')
  await box.containers.start('web')
  const { root } = box.containers.get('web').spec!
  assert.equal(root.mountPoints, paths.mountPoints)
  for (const name of ['', 'proc', 'dev', 'sys', 'etc']) assert.equal(mode(join(paths.mountPoints, name)), 0o755, name)
  for (const name of ['hosts', 'hostname', 'resolv.conf'])
    assert.equal(mode(join(paths.mountPoints, 'etc', name)), 0o644, name)
})

test('one that somebody has taken away is done without, and made again with the next engine', async () => {
  await using box = await EngineBox.open()
  const { paths } = box.engine
  rmSync(join(paths.mountPoints, 'etc/hosts'))
  await box.create('web')
  await box.containers.start('web')
  assert.equal(box.containers.get('web').spec!.root.mountPoints, undefined)
  await box.reboot()
  assert.equal(mountPoints(paths), paths.mountPoints)
})

test('what stands in the place of a file or folder is kept aside', async () => {
  await using box = await EngineBox.open()
  const { paths } = box.engine
  const lines: string[] = []
  rmSync(paths.mountPoints, { recursive: true })
  mkdirSync(join(paths.mountPoints, 'etc/hosts'), { recursive: true })
  writeFileSync(join(paths.mountPoints, 'proc'), '')
  await makeMountPoints(paths, new Aside(paths, line => lines.push(line)))
  assert.equal(mountPoints(paths), paths.mountPoints)
  assert.ok(statSync(join(paths.mountPoints, 'etc/hosts')).isFile())
  assert.ok(statSync(join(paths.mountPoints, 'proc')).isDirectory())
  assert.deepEqual(
    lines.map(line => line.includes('kept as')),
    [true, true],
  )
})
