import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { describe, type TestContext, test } from 'node:test'
import { OverlayWriter } from '../../../src/engine/base/overlay-writer.ts'
import { lacking, root } from '../../support/needs.ts'
import { folderOf, marks, shown, type Tree } from '../build/files/support.ts'

function stack(t: TestContext, below: Tree, above: Tree = {}) {
  const layers = [folderOf(t, below), folderOf(t, above)]
  return { layers, upper: layers[1]!, writer: new OverlayWriter(layers.slice(0, 1), layers[1]!) }
}

describe('OverlayWriter', { skip: lacking(root()) }, () => {
  test('hides what it takes away, and what was there does not come back with a folder of the same name', t => {
    const { layers, upper, writer } = stack(t, { 'd/old': 'old', 'd/e/x': 'x' })
    writer.remove(writer.root, 'd')
    assert.deepEqual(marks(upper), { '/d': 'whiteout' })
    const folder = writer.makeFolder(writer.root, 'd', { mode: 0o755, owner: { uid: 0, gid: 0 } })
    writeFileSync(writer.clear(folder, 'new'), 'new')
    writer[Symbol.dispose]()
    assert.deepEqual(shown(layers), { '/d/': '755', '/d/new': '644 new' })
    assert.deepEqual(marks(upper), { '/d': 'opaque' })
  })

  test('does not show again what a file of the upper hid, when a folder takes its place', t => {
    const { layers, writer } = stack(t, { 'd/old': 'old' }, { d: 'a file' })
    writer.remove(writer.root, 'd')
    writer.makeFolder(writer.root, 'd', { mode: 0o700, owner: { uid: 5, gid: 6 } })
    writer[Symbol.dispose]()
    assert.deepEqual(shown(layers), { '/d/': '700 5:6' })
  })

  test('copies a file up for another name of it', async t => {
    const { layers, writer } = stack(t, { 'd/f': ['f', '4755', '5:6'], g: '' })
    const place = writer.resolve('/d')
    const folder = place.entries[0]
    assert.ok(folder?.kind === 'folder')
    assert.equal(await writer.link({ folder, name: 'f' }, { folder: writer.root, name: 'g' }), true)
    assert.equal(await writer.link({ folder, name: 'none' }, { folder: writer.root, name: 'h' }), false)
    writer[Symbol.dispose]()
    assert.deepEqual(shown(layers), { '/d/': '755', '/d/f': '4755 5:6 f', '/g': '4755 5:6 f' })
  })

  test('refuses a name that no file can have, by that name', t => {
    const { writer } = stack(t, { 'd/f': 'f' })
    const name = 'é'.repeat(128)
    assert.throws(() => writer.makeFolders(writer.resolve(`/d/${name}`), { mode: 0o755, owner: undefined }), {
      kind: 'invalid',
      message: `Cannot make "${name}": a name has 255 bytes at most`,
    })
  })

  test('writes into what is mounted, and not beside it', t => {
    const volume = folderOf(t, { v: 'v' })
    const [below, upper] = [folderOf(t, { 'data/hidden': 'h' }), folderOf(t, {})]
    const mounts = { below: new Map([['data', { source: volume, below: new Map() }]]) }
    using writer = new OverlayWriter([below], upper, { mounts })
    const place = writer.resolve('/data/new')
    assert.equal(writer.child(place.entries[0] as never, 'hidden'), undefined)
    const folder = writer.makeFolders(place, { mode: 0o755, owner: undefined })
    writeFileSync(writer.clear(folder, 'x'), 'x')
    assert.deepEqual(shown([volume]), { '/new/': '755', '/new/x': '644 x', '/v': '644 v' })
    assert.deepEqual(shown([upper]), {})
  })

  test('follows links inside the tree alone, and says when they go round', t => {
    const { writer } = stack(t, { 'a/out': '-> ../../../../b', 'a/abs': '-> /b/c', 'b/f': 'f', round: '-> round' })
    assert.deepEqual(writer.resolve('/a/out/f').names, ['b', 'f'])
    assert.deepEqual(writer.resolve('/a/abs/d').names, ['b', 'c', 'd'])
    assert.throws(() => writer.resolve('/round/x'), { kind: 'invalid' })
    const within = writer.child(writer.root, 'a')
    assert.ok(within?.kind === 'folder')
    assert.deepEqual(writer.resolve('abs', within).names, ['b', 'c'])
    assert.throws(() => writer.resolve('out', within), { message: /path escapes/ })
    writer[Symbol.dispose]()
  })
})
