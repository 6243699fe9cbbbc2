import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Aside } from '../../../src/engine/base/aside.ts'
import { Paths } from '../../../src/engine/base/paths.ts'
import { PastLogs } from '../../../src/engine/logs/past-logs.ts'
import { isFailure } from '../../../src/lib/failure.ts'
import { temporaryFolder } from '../../support/temporary-paths.ts'

async function open(t: TestContext) {
  const folder = temporaryFolder(t)
  const paths = new Paths({ data: join(folder, 'data'), run: join(folder, 'run'), netns: join(folder, 'netns') })
  const said: string[] = []
  const aside = new Aside(paths, line => said.push(line))
  const past = await PastLogs.open(paths, aside)
  let made = 0
  /** The log of a container of that name, of so many bytes, with a rotated file. */
  const keep = async (name: string, size: number, limit = 1000) => {
    const id = (++made).toString(16).padStart(64, '0')
    const path = join(folder, `${id}-json.log`)
    writeFileSync(path, 'n'.repeat(Math.ceil(size / 2)))
    writeFileSync(`${path}.1`, 'o'.repeat(Math.floor(size / 2)))
    await past.keep({ id, name, labels: { a: 'b' }, tty: false, path, limit })
    return id
  }
  return { folder, paths, past, keep, again: () => PastLogs.open(paths, aside), said }
}

const wished = { stdout: true, stderr: true, signal: new AbortController().signal }
const names = (past: PastLogs) => past.list().map(({ name }) => name)

test('PastLogs keeps all files of a log, and knows them again', async t => {
  const { paths, past, keep, again } = await open(t)
  const id = await keep('web', 10)
  assert.equal(readFileSync(paths.pastLog(id), 'utf8'), 'nnnnn')
  assert.equal(readFileSync(`${paths.pastLog(id)}.1`, 'utf8'), 'ooooo')
  assert.deepEqual((await again()).list(), past.list())
  assert.equal(past.list()[0]!.size, 10)
  await past.forget(({ name }) => name === 'db')
  assert.deepEqual(names(past), ['web'])
  await past.forget(({ name }) => name === 'web')
  assert.deepEqual([names(past), readdirSync(paths.pastLogs)], [[], []])
  await assert.rejects(past.read(id, wished), error => isFailure(error, 'not-found'))
})

test('PastLogs leaves a log where its container is when it cannot be kept, until it can', async t => {
  const { folder, paths, past, keep } = await open(t)
  const id = '1'.padStart(64, '0')
  // nothing can be written in its place
  mkdirSync(join(paths.pastLogRecord(id), 'x'), { recursive: true })
  await assert.rejects(keep('web', 10), /EISDIR|ENOTEMPTY|directory/)
  const path = join(folder, `${id}-json.log`)
  assert.deepEqual([readFileSync(path, 'utf8'), readFileSync(`${path}.1`, 'utf8'), names(past)], ['nnnnn', 'ooooo', []])
  rmSync(paths.pastLogRecord(id), { recursive: true })
  await past.keep({ id, name: 'web', labels: {}, tty: false, path, limit: 1000 })
  assert.equal(readFileSync(`${paths.pastLog(id)}.1`, 'utf8'), 'ooooo')
})

test('PastLogs keeps of a name no more bytes than a log may have, the newest, and one in any case', async t => {
  const { past, keep } = await open(t)
  const first = await keep('web', 400)
  await keep('db', 900)
  await keep('web', 500)
  assert.equal(past.list().length, 3)
  const last = await keep('web', 200)
  assert.deepEqual(
    past.list().map(({ size }) => size),
    [900, 500, 200],
  )
  await assert.rejects(past.read(first, wished), error => isFailure(error, 'not-found'))
  await keep('web', 2000)
  assert.deepEqual(
    past.list().map(({ size }) => size),
    [900, 2000],
  )
  await assert.rejects(past.read(last, wished), error => isFailure(error, 'not-found'))
  for (let i = 0; i < 30; i++) await keep('many', 2)
  assert.equal(past.list().filter(({ name }) => name === 'many').length, 20)
})

test('PastLogs keeps no empty log, and clears away what an engine that was killed has left', async t => {
  const { paths, past, keep, again } = await open(t)
  await keep('web', 0)
  assert.deepEqual(past.list(), [])
  const id = await keep('web', 10)
  rmSync(paths.pastLogRecord(id))
  assert.deepEqual((await again()).list(), [])
  assert.equal(existsSync(paths.pastLogFolder(id)), false)
})
