import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { isFailure } from '../../src/lib/failure.ts'
import { openFiles, readAll, shownPath, toSource } from '../../src/stack/read.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'read-')))
after(() => rmSync(folder, { recursive: true, force: true }))

const path = (name: string) => join(folder, name)
const nothing = () => undefined
const mebibytes = 16
const fails = (message: string) => (error: unknown) => isFailure(error, 'invalid') && error.message === message

test('a file is read as UTF-8, or as UTF-16 by its mark', () => {
  const files = openFiles(nothing)
  const text = 'services: {ä: €}\n'
  writeFileSync(path('utf-8'), text)
  writeFileSync(path('little'), Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]))
  writeFileSync(path('big'), Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(text, 'utf16le').swap16()]))
  for (const name of ['utf-8', 'little', 'big']) assert.equal(files.read(path(name)), text, name)
  writeFileSync(path('latin'), Buffer.from([0x61, 0xe4, 0x62]))
  writeFileSync(path('half'), Buffer.from([0xff, 0x61]))
  for (const name of ['latin', 'half'])
    assert.throws(() => files.read(path(name)), fails(`Cannot read "${path(name)}": it is not UTF-8 text`))
})

test('what is no file, or too large for a stack, is told', () => {
  const files = openFiles(nothing)
  mkdirSync(path('folder'), { recursive: true })
  writeFileSync(path('large'), '')
  truncateSync(path('large'), mebibytes * 1024 * 1024)
  assert.equal(files.read(path('large'))?.length, mebibytes * 1024 * 1024)
  truncateSync(path('large'), mebibytes * 1024 * 1024 + 1)
  assert.throws(() => files.read(path('large')), fails(`Cannot read "${path('large')}": it is larger than 16 MiB`))
  assert.throws(() => files.read(path('folder')), fails(`Cannot read "${path('folder')}": it is a folder`))
  assert.equal(files.read(path('none')), undefined)
  assert.equal(files.read(path('large/below')), undefined)
  symlinkSync('circle', path('circle'))
  assert.throws(() => files.read(path('circle')), fails(`Cannot read "${path('circle')}": ELOOP`))
})

test('files and folders are told apart, and links followed', () => {
  const files = openFiles(nothing)
  mkdirSync(path('there'), { recursive: true })
  writeFileSync(path('there/file'), '')
  symlinkSync('there', path('link'))
  symlinkSync('round', path('round'))
  assert.deepEqual(
    ['there', 'there/file', 'link', 'none'].map(name => [files.isFile(path(name)), files.isDirectory(path(name))]),
    [
      [false, true],
      [true, false],
      [false, true],
      [false, false],
    ],
  )
  assert.equal(files.real(path('link/file')), path('there/file'))
  // what is not there stays as it is
  for (const name of ['none', 'there/file/below', 'round']) assert.equal(files.real(path(name)), path(name))
})

test('what is not saved yet is read instead of the file, and every look is told of', () => {
  writeFileSync(path('saved'), 'old')
  const seen: string[] = []
  const unsaved = new Map([
    [path('saved'), 'new'],
    [path('only'), ''],
  ])
  const files = openFiles(nothing, { unsaved, onRead: each => void seen.push(each) })
  assert.deepEqual([files.read(path('saved')), files.read(path('only'))], ['new', ''])
  assert.deepEqual([files.isFile(path('only')), files.isFile(path('none'))], [true, false])
  assert.deepEqual(seen, ['saved', 'only', 'only', 'none'].map(path))
})

test('"-" is standard input', async () => {
  const bytes = await readAll([Buffer.from('a'), Buffer.from('bc')].values() as never)
  assert.equal(openFiles(() => bytes).read('-'), 'abc')
  assert.equal(openFiles(nothing).read('-'), '')
  const large = Buffer.alloc(mebibytes * 1024 * 1024)
  assert.equal((await readAll([large].values() as never)).length, large.length)
  await assert.rejects(
    readAll([large, Buffer.from('x')].values() as never),
    fails('Cannot read standard input: it is larger than 16 MiB'),
  )
  assert.throws(
    () => openFiles(() => Buffer.alloc(large.length + 1)).read('-'),
    fails('Cannot read standard input: it is larger than 16 MiB'),
  )
})

test('a path is shown as it is near the working directory, and whole far from it', () => {
  const cases: readonly (readonly [path: string, shown: string])[] = [
    ['/long/way/down/compose.yaml', 'compose.yaml'],
    ['/long/way/down/d/compose.yaml', 'd/compose.yaml'],
    ['/long/way/compose.yaml', '../compose.yaml'],
    ['/long/compose.yaml', '../../compose.yaml'],
    ['/compose.yaml', '/compose.yaml'],
    ['/long/way/down', '/long/way/down'],
    ['/x/y', '/x/y'],
    ['/x', '/x'],
    ['-', '<stdin>'],
  ]
  for (const [path, shown] of cases) assert.equal(shownPath(path, '/long/way/down'), shown)
})

test('a carriage return by itself ends a line', () => {
  const source = toSource('/a/compose.yaml', 'a\rb\r\nc\r\r\n', { cwd: '/a' })
  assert.deepEqual(source, { file: 'compose.yaml', path: '/a/compose.yaml', text: 'a\nb\r\nc\n\r\n', via: [] })
  assert.deepEqual(toSource('-', '', { cwd: '/a', via: ['x'] }).via, ['x'])
})
