import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { MergedTree, readTreeFile } from '../../../src/engine/base/merged-tree.ts'
import { makeNode, setXattr } from '../../../src/runtime/native.ts'
import { lacking, root } from '../../support/needs.ts'
import { temporaryFolder } from '../../support/temporary-paths.ts'

/** Content, `{ to }` for a link, null for a whiteout; "d/!" marks d opaque, "d/" makes it. */
type Layer = Readonly<Record<string, string | { readonly to: string } | null>>

function layersOf(t: TestContext, ...layers: readonly Layer[]): string[] {
  const place = temporaryFolder(t)
  writeFileSync(join(place, 'secret'), 'of the host')
  return layers.map((layer, i) => {
    const folder = join(place, String(i))
    mkdirSync(folder)
    for (const [name, content] of Object.entries(layer)) {
      const path = join(folder, name)
      if (name.endsWith('!')) {
        mkdirSync(dirname(path), { recursive: true })
        setXattr(dirname(path), 'trusted.overlay.opaque', Buffer.from('y'))
        continue
      }
      mkdirSync(name.endsWith('/') ? path : dirname(path), { recursive: true })
      if (content === null) makeNode(path, 'character-device', 0, 0)
      else if (typeof content === 'object') symlinkSync(content.to, path)
      else if (!name.endsWith('/')) writeFileSync(path, content)
    }
    return folder
  })
}

describe('readTreeFile()', { skip: lacking(root()) }, () => {
  const read = (layers: readonly string[], path: string) => readTreeFile(layers, path, 1000)?.toString()

  test('finds the highest layer’s file, past whiteouts and opaque folders', t => {
    const layers = layersOf(
      t,
      { 'etc/passwd': 'low', 'etc/group': 'low', 'etc/gone': 'low', 'd/x': 'low', 'f/x': 'low', only: 'low' },
      { 'etc/passwd': 'high', 'etc/gone': null, 'd/y': 'high', 'd/!': '', f: 'a file now' },
    )
    assert.equal(read(layers, '/etc/passwd'), 'high')
    assert.equal(read(layers, 'etc/group'), 'low')
    assert.equal(read(layers, '/only'), 'low')
    for (const path of ['/etc/gone', '/d/x', '/f/x', '/nosuch', '/etc', '/only/x', '/'])
      assert.equal(read(layers, path), undefined, path)
    assert.equal(read(layers, '/d/y'), 'high')
  })

  test('follows links inside the tree, through all layers, and never out of it', t => {
    const layers = layersOf(
      t,
      { 'usr/etc/passwd': 'inside', 'etc/shadow': 'own' },
      {
        conf: { to: '/usr/etc' },
        up: { to: '../../../..' },
        absolute: { to: '/etc/shadow' },
        out: { to: '../secret' },
        loop: { to: 'loop' },
        'deep/link': { to: '../conf/passwd' },
      },
    )
    assert.equal(read(layers, '/conf/passwd'), 'inside')
    assert.equal(read(layers, '/deep/link'), 'inside')
    assert.equal(read(layers, '/up/etc/shadow'), 'own')
    assert.equal(read(layers, '/absolute'), 'own')
    assert.equal(read(layers, '/../../etc/shadow'), 'own')
    for (const path of ['/out', '/loop', '/up/secret']) assert.equal(read(layers, path), undefined, path)
  })

  test('reads no fifo, no device and nothing larger than the limit', t => {
    const layers = layersOf(t, { 'etc/large': 'x'.repeat(1001) })
    makeNode(join(layers[0]!, 'etc/fifo'), 'fifo')
    makeNode(join(layers[0]!, 'etc/zero'), 'character-device', 1, 5)
    assert.equal(read(layers, '/etc/fifo'), undefined)
    assert.equal(read(layers, '/etc/zero'), undefined)
    assert.throws(() => read(layers, '/etc/large'), /it has 1001 bytes, at most 1000 are read/)
  })
})

test('MergedTree closes every folder it opened', { skip: lacking(root()) }, t => {
  const layers = layersOf(t, { 'a/b/c/d': 'x' }, { 'a/b/e': 'y' })
  const open = () => readdirSync('/proc/self/fd').length
  const before = open()
  {
    using tree = new MergedTree(layers)
    const found = tree.resolve('/a/b')
    assert.ok(found?.kind === 'folder')
    assert.deepEqual(tree.names(found), ['c', 'e'])
    assert.equal(tree.resolve(`/a/${'b'.repeat(300)}/c`), undefined)
    assert.ok(open() > before)
  }
  assert.throws(() => new MergedTree([...layers, '/nosuch']), { code: 'ENOENT' })
  assert.equal(open(), before)
})

test('MergedTree shows what overlay shows', { skip: lacking(root()) }, t => {
  const layers = layersOf(
    t,
    { 'a/1': '', 'a/2': '', 'b/1': '', c: '', 'd/e/f': '', l: { to: 'a' } },
    { 'a/1': null, 'a/3': '', 'b/!': '', 'b/2': '', 'c/now/folder': '', 'd/e': null },
    { 'a/1': 'back', 'd/e/g': '', 'd/e/!': '', l: 'file' },
  )
  linkSync(join(layers[2]!, 'a/1'), join(layers[2]!, 'a/same'))
  const script = `mount -t tmpfs none /mnt && mkdir /mnt/m && mount -t overlay none -o lowerdir=${[...layers].reverse().join(':')} /mnt/m && cd /mnt/m && find . -mindepth 1 | sort`
  const seen = execFileSync('unshare', ['-m', 'sh', '-c', script], { encoding: 'utf8' }).trim().split('\n')
  using tree = new MergedTree(layers)
  const walk = (folder: MergedTree['root'], path: string): string[] =>
    tree.names(folder).flatMap(name => {
      const child = tree.child(folder, name)!
      const at = `${path}/${name}`
      return child.kind === 'folder' ? [at, ...walk(child, at)] : [at]
    })
  assert.deepEqual(walk(tree.root, '.').sort(), seen.sort())
})
