import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { compressRotated } from '../../../src/engine/logs/compress.ts'
import { Compressor } from '../../../src/engine/logs/compressor.ts'
import { type ReadOptions, readLog } from '../../../src/engine/logs/read.ts'
import { lockFile } from '../../../src/runtime/native.ts'
import { eventually } from '../../support/eventually.ts'
import { temporaryFolder } from '../../support/temporary-paths.ts'

const line = (log: string) => `${JSON.stringify({ log: `${log}\n`, stream: 'stdout', time: '2026-01-01T00:00:00Z' })}\n`

class Log {
  readonly path: string

  constructor(t: TestContext, files: readonly string[] = []) {
    this.path = join(temporaryFolder(t), 'x-json.log')
    for (const [i, text] of files.toReversed().entries()) writeFileSync(this.#name(i), line(text))
  }

  #name(age: number): string {
    return age === 0 ? this.path : `${this.path}.${age}`
  }

  /** As the monitor does it, plain and compressed. */
  rotate(text: string): void {
    for (let i = 4; i > 0; i--)
      for (const suffix of ['.gz', '']) {
        const [from, to] = [`${this.#name(i - 1)}${suffix}`, `${this.#name(i)}${suffix}`]
        if (existsSync(from)) renameSync(from, to)
        else rmSync(to, { force: true })
      }
    writeFileSync(this.path, line(text))
  }

  compress(readers: readonly number[] = []): Promise<void> {
    return compressRotated(this.path, { readers: () => readers, signal: new AbortController().signal })
  }

  /** ".2.gz", ".1", "", and whatever else lies there. */
  get names(): string[] {
    return readdirSync(dirname(this.path))
      .map(name => name.replace(basename(this.path), ''))
      .sort()
  }

  inode(age: number): number {
    return statSync(this.#name(age)).ino
  }

  async text(options: Partial<ReadOptions> = {}): Promise<string> {
    const { signal } = new AbortController()
    const all = await Array.fromAsync(readLog(this.path, { stdout: true, stderr: true, signal, ...options }))
    return all.map(({ data }) => data.toString().trim()).join(' ')
  }
}

test('rotated files are compressed, the current one is not, and logs read through them', async t => {
  const log = new Log(t, ['a', 'b', 'c'])
  await log.compress()
  assert.deepEqual(log.names, ['', '.1.gz', '.2.gz'])
  assert.equal(gunzipSync(readFileSync(`${log.path}.2.gz`)).toString(), line('a'))
  assert.equal(statSync(`${log.path}.2.gz`).mode & 0o777, 0o600)
  assert.equal(await log.text(), 'a b c')
  assert.equal(await log.text({ follow: Promise.resolve() }), 'a b c')
  for (const [tail, text] of [
    [0, ''],
    [1, 'c'],
    [2, 'b c'],
    [3, 'a b c'],
    [9, 'a b c'],
  ] as const)
    assert.equal(await log.text({ tail }), text, `tail ${tail}`)
})

test('a tail begins in the middle of a compressed file', async t => {
  const log = new Log(t, ['z'])
  const many = Array.from({ length: 5000 }, (_, i) => line(`line ${i}`))
  writeFileSync(`${log.path}.1.gz`, gzipSync(many.join('')))
  assert.equal(await log.text({ tail: 3 }), 'line 4998 line 4999 z')
  assert.equal((await log.text({ tail: 4500 })).split(' line ').length, 4499)
})

test('a log without rotated files, without a current one, or that is not there is left alone', async t => {
  const log = new Log(t)
  await log.compress()
  assert.deepEqual(log.names, [])
  // between two files the monitor may still write to the last one
  writeFileSync(`${log.path}.1`, line('a'))
  await log.compress()
  assert.deepEqual(log.names, ['.1'])
})

test('a file that is rotated while it is compressed takes its place where it is by then', async t => {
  const log = new Log(t, ['a', 'b'])
  const lock = lockFile(log.path, { existing: true })!
  const compressing = log.compress()
  const temporary = join(dirname(log.path), `.${basename(log.path)}.gz`)
  await eventually('the compressed bytes', () => existsSync(temporary) && statSync(temporary).size > 0)
  log.rotate('c')
  lock.release()
  await compressing
  assert.deepEqual(log.names, ['', '.1.gz', '.2.gz'])
  assert.equal(await log.text(), 'a b c')
})

test('a file that is rotated away while it is compressed is gone, and nothing is left of it', async t => {
  const log = new Log(t, ['a', 'b'])
  const lock = lockFile(log.path, { existing: true })!
  const compressing = log.compress()
  const temporary = join(dirname(log.path), `.${basename(log.path)}.gz`)
  await eventually('the compressed bytes', () => existsSync(temporary) && statSync(temporary).size > 0)
  rmSync(`${log.path}.1`)
  lock.release()
  await compressing
  assert.deepEqual(log.names, [''])
})

test('what an engine that was killed left is cleared away: half a compressed file, and a plain one beside its compressed one', async t => {
  const log = new Log(t, ['a', 'b', 'c'])
  writeFileSync(join(dirname(log.path), `.${basename(log.path)}.gz`), 'half')
  writeFileSync(`${log.path}.2.gz`, gzipSync(line('a')))
  assert.equal(await log.text(), 'a b c')
  await log.compress()
  assert.deepEqual(log.names, ['', '.1.gz', '.2.gz'])
  assert.equal(await log.text(), 'a b c')
})

test('a damaged compressed file ends where the damage begins, and keeps no other from being read', async t => {
  const log = new Log(t, ['b', 'c'])
  writeFileSync(`${log.path}.2.gz`, gzipSync(line('a')).subarray(0, 20))
  assert.equal(await log.text(), 'b c')
  writeFileSync(`${log.path}.2.gz`, 'no gzip')
  assert.equal(await log.text(), 'b c')
  assert.equal(await log.text({ tail: 9 }), 'b c')
})

test('what somebody reads on from stays plain, and what is newer too', async t => {
  const log = new Log(t, ['a', 'b', 'c', 'd'])
  await log.compress([log.inode(2)])
  assert.deepEqual(log.names, ['', '.1', '.2', '.3.gz'])
  await log.compress([Number.NaN])
  assert.deepEqual(log.names, ['', '.1', '.2', '.3.gz'])
  await log.compress([log.inode(0), log.inode(1)])
  assert.deepEqual(log.names, ['', '.1', '.2.gz', '.3.gz'])
})

test('a compressor looks after a log until it ends, and follows the readers that it is told of', async t => {
  const log = new Log(t, ['a', 'b'])
  const ended = Promise.withResolvers<void>()
  const said: string[] = []
  const compressor = new Compressor(text => said.push(text))
  t.after(() => compressor.close())
  compressor.begin({ id: 'c', name: 'web', path: log.path, ended: ended.promise, sentFrom: undefined })
  await eventually('what was there', () => log.names.includes('.1.gz'))
  log.rotate('c')
  await eventually('what is rotated', () => log.names.includes('.2.gz') && log.names.includes('.1.gz'))

  const stop = new AbortController()
  const follow = readLog(log.path, {
    stdout: true,
    stderr: true,
    tail: 1,
    follow: ended.promise,
    onFollow: follower => compressor.reading(log.path, follower),
    signal: stop.signal,
  })
  assert.equal((await follow.next()).value?.data.toString(), 'c\n')
  log.rotate('d')
  ended.resolve()
  log.rotate('e')
  await compressor.removed('x')
  assert.deepEqual(await Array.fromAsync(follow, ({ data }) => data.toString()), ['d\n', 'e\n'])
  assert.deepEqual(said, [])
})
