import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { goMode } from '../../../src/api/go-mode.ts'
import type { EntryLimits } from '../../../src/engine/buildkit/file-entry.ts'
import { Mirrors } from '../../../src/engine/buildkit/mirrors.ts'
import { receiveFiles } from '../../../src/engine/buildkit/receive-files.ts'
import { isFailure } from '../../../src/lib/failure.ts'
import { memory } from '../../support/memory.ts'
import { folderOf, type ServedFolder, type Stat, serveFolders, sessionWith } from './session-client.ts'

let root: string
let source: string
beforeEach(() => {
  root = mkdtempSync(join(memory, 'tscompose-mirrors-'))
  source = join(root, 'source')
  mkdirSync(source)
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

interface Synced {
  readonly asked: readonly string[]
  readonly files: string
}

const mirrorsOf = (keep?: number) => new Mirrors({ folder: join(root, 'mirrors'), boot: 'boot-1', keep })

interface SyncOptions {
  readonly mirrors?: Mirrors
  readonly stop?: number
  readonly limits?: EntryLimits
}

async function sync(folder: ServedFolder, { mirrors = mirrorsOf(), stop, limits }: SyncOptions = {}): Promise<Synced> {
  const served = serveFolders({ context: folder }, { stop })
  await using client = await sessionWith([served.service])
  const mirror = await mirrors.acquire('app', 'context')
  try {
    const signal = AbortSignal.timeout(20_000)
    await receiveFiles(client.session, { name: 'context' }, { mirror, signal, limits })
    return { asked: served.asked, files: mirror.root }
  } finally {
    await mirror.release()
  }
}

/** Everything that a mirror should keep, as text. */
function look(folder: string): string {
  return execFileSync('find', ['.', '-mindepth', '1', '-printf', '%p %y %m %s %T@ %l\n'], {
    cwd: folder,
    encoding: 'utf8',
  })
    .split('\n')
    .map(line => line.replace(/^(\S+ d \S+) \d+/, '$1').replace(/(\.\d{6})\d*/, '$1'))
    .sort()
    .join('\n')
}

function fill(): void {
  mkdirSync(join(source, 'src/deep'), { recursive: true })
  writeFileSync(join(source, 'Dockerfile'), 'FROM scratch\n')
  writeFileSync(join(source, 'src/a.txt'), 'a')
  writeFileSync(join(source, 'src/deep/large'), Buffer.alloc(300_000, 7))
  writeFileSync(join(source, 'src/empty'), '')
  writeFileSync(join(source, 'src-file'), 'sorts before src/')
  chmodSync(join(source, 'src/a.txt'), 0o640)
  chmodSync(join(source, 'src/deep/large'), 0o4755)
  symlinkSync('../../etc/passwd', join(source, 'src/link'))
  linkSync(join(source, 'src/a.txt'), join(source, 'src/z-hard'))
  execFileSync('mkfifo', ['-m', '644', join(source, 'pipe')])
  utimesSync(join(source, 'src/a.txt'), 1_600_000_000.25, 1_600_000_000.25)
  utimesSync(join(source, 'src/deep'), 1_500_000_000, 1_500_000_000)
}

describe('a mirror of a client’s folder', () => {
  test('holds what the client has: kinds, modes, times, links; owners are root', async () => {
    fill()
    const { files } = await sync(folderOf(source))
    assert.equal(look(files), look(source))
    assert.equal(readFileSync(join(files, 'src/deep/large')).compare(Buffer.alloc(300_000, 7)), 0)
    assert.equal(statSync(join(files, 'src/a.txt')).ino, statSync(join(files, 'src/z-hard')).ino)
    assert.equal(readlinkSync(join(files, 'src/link')), '../../etc/passwd')
  })

  test('asks for nothing that has not changed', async () => {
    fill()
    const first = await sync(folderOf(source))
    assert.deepEqual([...first.asked].sort(), ['Dockerfile', 'src-file', 'src/a.txt', 'src/deep/large', 'src/empty'])
    assert.deepEqual((await sync(folderOf(source))).asked, [])
    writeFileSync(join(source, 'Dockerfile'), 'FROM base\n')
    const { asked, files } = await sync(folderOf(source))
    assert.deepEqual(asked, ['Dockerfile'])
    assert.equal(look(files), look(source))
    assert.equal(readFileSync(join(files, 'Dockerfile'), 'utf8'), 'FROM base\n')
  })

  test('follows what goes, what becomes another kind, and what only changes its mode', async () => {
    fill()
    await sync(folderOf(source))
    rmSync(join(source, 'src/deep'), { recursive: true })
    writeFileSync(join(source, 'src/deep'), 'a file now')
    unlinkSync(join(source, 'src/link'))
    mkdirSync(join(source, 'src/link'))
    writeFileSync(join(source, 'src/link/inside'), 'x')
    chmodSync(join(source, 'src/empty'), 0o600)
    unlinkSync(join(source, 'pipe'))
    rmSync(join(source, 'src-file'))
    const { asked, files } = await sync(folderOf(source))
    assert.deepEqual([...asked].sort(), ['src/deep', 'src/link/inside'])
    assert.equal(look(files), look(source))
  })

  test('links again what linked to a file that is another', async () => {
    fill()
    await sync(folderOf(source))
    unlinkSync(join(source, 'src/a.txt'))
    writeFileSync(join(source, 'src/a.txt'), 'another')
    unlinkSync(join(source, 'src/z-hard'))
    linkSync(join(source, 'src/a.txt'), join(source, 'src/z-hard'))
    const { files } = await sync(folderOf(source))
    assert.equal(readFileSync(join(files, 'src/z-hard'), 'utf8'), 'another')
    assert.equal(look(files), look(source))
  })

  test('is right after it was cut short anywhere, and after its record was lost', async () => {
    fill()
    for (const stop of [0, 1, 2, 5, 9]) {
      await assert.rejects(sync(folderOf(source), { stop }))
      utimesSync(join(source, 'src/empty'), stop, stop)
    }
    const whole = await sync(folderOf(source))
    assert.equal(look(whole.files), look(source))
    rmSync(join(whole.files, '../mirror.json'))
    const again = await sync(folderOf(source))
    assert.deepEqual(again.asked, [])
    assert.equal(look(again.files), look(source))
    writeFileSync(join(whole.files, '../mirror.json'), '{"version":1,"files":[[')
    assert.deepEqual((await sync(folderOf(source))).asked, [])
  })

  test('takes a half-written file of an engine that was killed for another', async () => {
    fill()
    const { files } = await sync(folderOf(source))
    // as SIGKILL leaves it: the record is gone, the file is there without its time
    rmSync(join(files, '../mirror.json'))
    writeFileSync(join(files, 'src/deep/large'), Buffer.alloc(300_000, 1))
    assert.deepEqual((await sync(folderOf(source))).asked, ['src/deep/large'])
    assert.equal(look(files), look(source))
  })

  test('a file that is shorter than told is asked for again', async () => {
    fill()
    const folder = folderOf(source)
    const short: ServedFolder = {
      ...folder,
      content: path => (path === 'Dockerfile' ? Buffer.from('FROM') : folder.content(path)),
    }
    await sync(short)
    const { asked, files } = await sync(folder)
    assert.deepEqual(asked, ['Dockerfile'])
    assert.equal(look(files), look(source))
  })

  test('of a folder in use is another, and the first is taken again', async () => {
    fill()
    const mirrors = mirrorsOf()
    const held = await mirrors.acquire('app', 'context')
    const { files } = await sync(folderOf(source), { mirrors })
    assert.notEqual(files, held.root)
    await held.release()
    assert.equal((await sync(folderOf(source), { mirrors })).files, held.root)
  })

  test('those used longest ago go first, all of another boot at once, and those that nobody uses when they are removed', async () => {
    const mirrors = mirrorsOf(2)
    for (const key of ['a', 'b', 'c', 'a']) await (await mirrors.acquire(key, 'context')).release()
    assert.equal((await mirrors.list()).length, 2)
    assert.equal(readdirSync(join(root, 'mirrors/boot-1')).length, 2)
    const next = new Mirrors({ folder: join(root, 'mirrors'), boot: 'boot-2' })
    assert.deepEqual(await next.list(), [])
    assert.deepEqual(readdirSync(join(root, 'mirrors')), ['boot-2'])
    const held = await next.acquire('a', 'x')
    await (await next.acquire('b', 'x')).release()
    for (const { id } of await next.list()) assert.equal(await next.remove(id), true)
    assert.equal(await next.remove(basename(dirname(held.root))), false)
    assert.equal(readdirSync(join(root, 'mirrors/boot-2')).length, 1)
    await held.release()
  })

  test('2,000 files in twenty folders are told each time and sent once', async t => {
    for (let folder = 0; folder < 20; folder++) {
      mkdirSync(join(source, `f${folder}`))
      for (let file = 0; file < 100; file++) writeFileSync(join(source, `f${folder}/${file}`), `${folder} ${file}`)
    }
    const folder = folderOf(source)
    const stats = folder.stats()
    const served: ServedFolder = { ...folder, stats: () => stats }
    let since = performance.now()
    const first = await sync(served)
    t.diagnostic(`first: ${Math.round(performance.now() - since)} ms`)
    assert.equal(first.asked.length, 2000)
    since = performance.now()
    assert.deepEqual((await sync(served)).asked, [])
    t.diagnostic(`again: ${Math.round(performance.now() - since)} ms`)
    assert.equal(look(first.files), look(source))
  })
})

describe('a hostile client', () => {
  const file = (path: string, more: Partial<Stat> = {}): Stat => ({
    path,
    mode: goMode(0o100644),
    size: 1,
    modified: 1n,
    ...more,
  })
  const folder = (path: string): Stat => ({ path, mode: goMode(0o040755), modified: 1n })
  const serve = (...stats: readonly Stat[]): ServedFolder => ({ stats: () => stats, content: () => Buffer.from('x') })
  const refuses = async (served: ServedFolder, message: RegExp, limits?: EntryLimits) => {
    writeFileSync(join(root, 'witness'), 'untouched')
    await assert.rejects(sync(served, { limits }), error => isFailure(error, 'invalid') && message.test(error.message))
    assert.equal(readFileSync(join(root, 'witness'), 'utf8'), 'untouched')
    const inside = readdirSync(join(root, 'mirrors/boot-1'))
    for (const name of inside) assert.deepEqual(readdirSync(join(root, 'mirrors/boot-1', name, 'files')), [])
  }

  test('cannot name what is outside', async () => {
    for (const path of [
      '../witness',
      '/etc/x',
      'a/../../witness',
      '..',
      '.',
      './a',
      'a//b',
      'a/',
      '',
      'nul\0',
      'x'.repeat(256),
    ])
      if (path !== '') await refuses(serve(folder('a'), file(path)), /no path inside the folder|before it/)
  })

  test('cannot write through a link, its own or one that was there', async () => {
    const link: Stat = { path: 'a', mode: goMode(0o120777), linkName: root, modified: 1n }
    await refuses(serve(link, file('a/witness')), /its folder was not told before it/)
    const { files } = await sync(serve(link))
    assert.equal(readlinkSync(join(files, 'a')), root)
    await sync(serve(folder('a'), file('a/witness')))
    assert.ok(lstatSync(join(files, 'a')).isDirectory())
    assert.ok(!existsSync(join(root, 'witness')) || readFileSync(join(root, 'witness'), 'utf8') === 'untouched')
  })

  test('cannot link to what is outside, or is no file before it', async () => {
    for (const linkName of ['../../witness', '/etc/passwd', 'later', 'a'])
      await refuses(serve(folder('a'), file('b', { linkName }), file('later')), /is no file before it/)
  })

  test('cannot send a device, a path twice, or what it was not asked for', async () => {
    await refuses(serve({ path: 'sda', mode: goMode(0o060600), modified: 1n }), /a device has no place/)
    await refuses(serve(file('a'), file('a')), /comes twice/)
    await refuses(serve(file('a', { size: -1 })), /its size is -1/)
  })

  test('cannot flood: entries, bytes, and a file larger than told', async () => {
    const limits = { entries: 3, bytes: 10, names: 1000 }
    await refuses(serve(...['a', 'b', 'c', 'd'].map(path => file(path))), /more than 3 entries/, limits)
    await refuses(serve(file('a', { size: 11 })), /more than 10 bytes/, limits)
    await refuses(serve(...Array.from({ length: 3 }, (_, i) => file(`${i}${'n'.repeat(200)}`))), /entries/, {
      ...limits,
      names: 300,
    })
    const grows: ServedFolder = { stats: () => [file('a')], content: () => Buffer.alloc(4_000_000) }
    await assert.rejects(sync(grows), { kind: 'invalid', message: /it grows while it is sent/ })
  })

  test('a mirror that it spoiled is right for the next', async () => {
    writeFileSync(join(source, 'a'), 'right')
    const grows: ServedFolder = { stats: () => [file('a')], content: () => Buffer.alloc(4_000_000) }
    await assert.rejects(sync(grows))
    const { files } = await sync(folderOf(source))
    assert.equal(look(files), look(source))
    renameSync(join(source, 'a'), join(source, 'b'))
    assert.equal(look((await sync(folderOf(source))).files), look(source))
  })
})
