import assert from 'node:assert/strict'
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { Events } from '../../../src/engine/base/events.ts'
import { Volumes } from '../../../src/engine/volumes/volumes.ts'
import { isFailure } from '../../../src/lib/failure.ts'
import { makeNode } from '../../../src/runtime/native.ts'
import { lacking, root } from '../../support/needs.ts'
import { temporaryPaths } from '../../support/temporary-paths.ts'

const skip = lacking(root())

async function open(t: TestContext) {
  const paths = temporaryPaths(t)
  return { volumes: await Volumes.open(paths, new Events()), again: () => Volumes.open(paths, new Events()) }
}

describe('clone()', { skip }, () => {
  test('makes a volume with the same content, of its own and with labels of its own', async t => {
    const { volumes, again } = await open(t)
    const { mountpoint } = await volumes.create({ name: 'data', labels: { a: 'b' } })
    writeFileSync(join(mountpoint, 'file'), 'first')
    chmodSync(join(mountpoint, 'file'), 0o4711)
    linkSync(join(mountpoint, 'file'), join(mountpoint, 'hard'))
    mkdirSync(join(mountpoint, 'sub'), { mode: 0o750 })
    symlinkSync('../../outside', join(mountpoint, 'sub/link'))
    // what hides a file in a layer is a file like any other in the volume of an engine
    makeNode(join(mountpoint, 'whiteout'), 'character-device', 0, 0)
    // a name that is no UTF-8
    writeFileSync(Buffer.concat([Buffer.from(`${mountpoint}/caf`), Buffer.from([0xe9])]), 'latin')
    utimesSync(join(mountpoint, 'file'), 1, 981_173_106)
    chmodSync(mountpoint, 0o700)

    const clone = await volumes.clone('data', { name: 'copy', labels: { c: 'd' } })
    writeFileSync(join(mountpoint, 'file'), 'second')
    const at = (path: string) => join(clone.mountpoint, path)
    assert.deepEqual(clone.labels, { c: 'd' })
    assert.equal(readFileSync(at('file'), 'utf8'), 'first')
    assert.equal(statSync(at('file')).mode & 0o7777, 0o4711)
    assert.equal(statSync(at('file')).mtimeMs, 981_173_106_000)
    assert.equal(statSync(at('file')).ino, statSync(at('hard')).ino)
    assert.equal(statSync(at('sub')).mode & 0o777, 0o750)
    assert.equal(readlinkSync(at('sub/link')), '../../outside')
    assert.equal(lstatSync(at('whiteout')).isCharacterDevice(), true)
    assert.deepEqual(
      readdirSync(clone.mountpoint, { encoding: 'buffer' }).filter(name => name.includes(0xe9)).length,
      1,
    )
    assert.equal(statSync(clone.mountpoint).mode & 0o777, 0o700)
    assert.deepEqual((await again()).get('copy'), clone)
  })

  test('refuses a name that is taken, a volume that is not there, and one whose data is elsewhere', async t => {
    const { volumes } = await open(t)
    await volumes.create({ name: 'data' })
    await volumes.create({ name: 'bound', driverOpts: { type: 'none', o: 'bind', device: '/tmp' } })
    const kinds = [
      ['data', 'data', 'conflict'],
      ['nope', 'copy', 'not-found'],
      ['bound', 'copy', 'unsupported'],
      ['data', '../x', 'invalid'],
    ] as const
    for (const [from, name, kind] of kinds)
      await assert.rejects(volumes.clone(from, { name }), error => isFailure(error, kind))
    assert.deepEqual(
      volumes.list().map(volume => volume.name),
      ['bound', 'data'],
    )
  })

  test('leaves nothing behind when the copy fails', async t => {
    const { volumes } = await open(t)
    const { mountpoint } = await volumes.create({ name: 'data' })
    chmodSync(dirname(mountpoint), 0o700)
    mkdirSync(join(mountpoint, 'deep'))
    let path = join(mountpoint, 'deep')
    // deeper than any path can name
    const name = 'x'.repeat(200)
    process.chdir(path)
    try {
      for (let i = 0; i < 25; i++) {
        mkdirSync(name)
        process.chdir(name)
      }
    } finally {
      process.chdir('/')
    }
    path = dirname(dirname(mountpoint))
    await assert.rejects(volumes.clone('data', { name: 'copy' }))
    assert.deepEqual(readdirSync(path), ['data'])
  })
})
