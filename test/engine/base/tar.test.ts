/** Our tar writer and reader against each other and against the system's tar. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, type TestContext, test } from 'node:test'
import { MergedTree } from '../../../src/engine/base/merged-tree.ts'
import { type TarEntry, TarReader } from '../../../src/engine/base/tar-reader.ts'
import { type TarHeader, tarEnd, tarHeader } from '../../../src/engine/base/tar-writer.ts'
import { treeTar, walkTree } from '../../../src/engine/base/tree-tar.ts'
import { unpack } from '../../../src/engine/images/unpack.ts'
import { bytesOfName, fsPath } from '../../../src/lib/file-name.ts'
import { getXattr, setXattr } from '../../../src/runtime/native.ts'
import { lacking, program, root } from '../../support/needs.ts'

const limits = { bytes: 1e12, entries: 1e6, depth: 256 }
const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex')

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'tsc-tar-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

async function entries(tar: Buffer): Promise<(TarEntry & { content: Buffer })[]> {
  const reader = new TarReader(Readable.from([tar]))
  const found: (TarEntry & { content: Buffer })[] = []
  for (let entry = await reader.next(); entry; entry = await reader.next()) {
    found.push({ ...entry, content: Buffer.concat(await Array.fromAsync(reader.body(), piece => Buffer.from(piece))) })
  }
  return found
}

const plain: TarHeader = { name: 'f', type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 0, size: 0 }

describe('tarHeader() is read back as it was written:', () => {
  for (const [what, more] of Object.entries<Partial<TarHeader>>({
    'a name of a hundred bytes': { name: 'a'.repeat(100) },
    'a name that is split at a slash': { name: `${'a'.repeat(120)}/${'b'.repeat(90)}` },
    'a name that no slash splits': { name: 'a'.repeat(200) },
    'a name that is not UTF-8': { name: 'caf\udce9' },
    'a long target': { type: 'symlink', linkname: 'x/'.repeat(120) },
    'a target that is not UTF-8': { type: 'symlink', linkname: '\udcff' },
    'large owners': { uid: 4_000_000_000, gid: 3_000_000 },
    'a time before 1970': { mtime: -5 },
    'a device': { type: 'character-device', major: 300, minor: 70_000 },
    attributes: {
      xattrs: new Map([
        ['user.a', Buffer.from([0, 10, 255])],
        ['security.capability', capability],
      ]),
    },
  })) {
    test(what, async () => {
      const header = { ...plain, ...more }
      const [entry] = await entries(Buffer.concat([tarHeader(header), tarEnd]))
      for (const [key, value] of Object.entries(header)) assert.deepEqual(entry?.[key as keyof TarEntry], value, key)
    })
  }
})

describe('treeTar() and unpack()', { skip: lacking(root()) }, () => {
  test('keep links between files, modes, capabilities, names of any bytes and holes', async t => {
    const [from, to] = [folder(t), folder(t)]
    writeFileSync(join(from, 'a'), 'content')
    linkSync(join(from, 'a'), join(from, 'b'))
    mkdirSync(fsPath(join(from, 'd\udcff')))
    writeFileSync(fsPath(join(from, 'd\udcff', 'f\udcfe')), 'x')
    symlinkSync(bytesOfName('t\udcfd'), join(from, 'l'))
    chmodSync(join(from, 'a'), 0o4755)
    setXattr(join(from, 'a'), 'security.capability', capability)
    writeFileSync(join(from, 'holes'), 'start')
    truncateSync(join(from, 'holes'), 50_000_000)
    using tree = new MergedTree([from])
    await unpack(treeTar(walkTree(tree, tree.root, '')), to, limits)
    assert.equal(statSync(join(to, 'a')).ino, statSync(join(to, 'b')).ino)
    assert.equal(statSync(join(to, 'a')).mode & 0o7777, 0o4755)
    assert.deepEqual(getXattr(join(to, 'b'), 'security.capability'), capability)
    const names = execFileSync('find', ['.', '-printf', '%p %l\\n'], { cwd: to, encoding: 'latin1' })
    assert.deepEqual(names.split('\n').sort().slice(1), [
      '. ',
      './a ',
      './b ',
      './d\xff ',
      './d\xff/f\xfe ',
      './holes ',
      './l t\xfd',
    ])
    const { size, blocks } = statSync(join(to, 'holes'))
    assert.equal(size, 50_000_000)
    assert.ok(blocks * 512 < 1_000_000, `${blocks} blocks are in use`)
  })

  test("is read by the system's tar", { skip: lacking(program('tar')) }, async t => {
    const from = folder(t)
    mkdirSync(join(from, 'd'.repeat(120)))
    writeFileSync(join(from, 'd'.repeat(120), 'é'), 'x')
    using tree = new MergedTree([from])
    const input = await buffer(Readable.from(treeTar(walkTree(tree, tree.root, '.'))))
    const listed = execFileSync('tar', ['t', '--quoting-style=literal'], { input, encoding: 'utf8' })
    assert.deepEqual(listed.trim().split('\n'), ['./', `./${'d'.repeat(120)}/`, `./${'d'.repeat(120)}/é`])
  })
})

describe('TarReader reads files with holes as GNU tar writes them:', { skip: lacking(program('tar')) }, () => {
  for (const form of [
    'gnu',
    'posix --sparse-version=0.0',
    'posix --sparse-version=0.1',
    'posix --sparse-version=1.0',
  ]) {
    test(form, async t => {
      const from = folder(t)
      const whole = Buffer.alloc(1_000_000)
      const path = join(from, 'holes')
      writeFileSync(path, '')
      for (let i = 0; i < 30; i++) whole.write(`piece ${i}`, i * 32_768)
      // written piece by piece, so that the file system keeps the holes
      for (let i = 0; i < 30; i++)
        execFileSync('dd', [`of=${path}`, 'bs=1', `seek=${i * 32_768}`, 'conv=notrunc', 'status=none'], {
          input: `piece ${i}`,
        })
      truncateSync(path, whole.length)
      const tar = execFileSync('tar', ['cS', `--format=${form.split(' ')[0]}`, ...form.split(' ').slice(1), 'holes'], {
        cwd: from,
        maxBuffer: 1e7,
      })
      assert.ok(tar.length < 500_000, 'tar found no holes')
      const [entry] = await entries(tar)
      assert.deepEqual([entry?.name, entry?.size], ['holes', whole.length])
      assert.ok(entry?.content.equals(whole))
    })
  }
})
