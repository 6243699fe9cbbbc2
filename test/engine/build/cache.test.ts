/** Records of the build cache: found again after a restart, whole or not at all, and each holds its layer. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Aside } from '../../../src/engine/base/aside.ts'
import { Syncer } from '../../../src/engine/base/syncer.ts'
import { BuildCache } from '../../../src/engine/build/cache.ts'
import { temporaryPaths } from '../../support/temporary-paths.ts'

const key = 'a'.repeat(64)
const layer = `sha256:${'b'.repeat(64)}` as const
const record = {
  key,
  description: 'RUN make',
  usesMounts: false,
  below: '',
  layer,
  size: 5,
  created: '2026-01-01T00:00:00.000Z',
}

test('what was added is found by the next engine, and holds its layer', async t => {
  const paths = temporaryPaths(t)
  const said: string[] = []
  const syncer = new Syncer(line => said.push(line))
  const options = { paths, aside: new Aside(paths, line => said.push(line)), syncer }
  const first = await BuildCache.open(options)
  await first.add(record)
  await syncer.close()
  const cache = await BuildCache.open(options)
  assert.deepEqual([...cache.layers()], [layer])
  assert.equal(cache.use(key)?.layer, layer)
  assert.equal(cache.use('c'.repeat(64)), undefined)
  await cache.remove(key)
  assert.deepEqual([...cache.layers()], [])
  assert.deepEqual(readdirSync(paths.buildRecords), [])
  assert.deepEqual(said, [])
})

test('the last use outlives the engine', async t => {
  const paths = temporaryPaths(t)
  const syncer = new Syncer(() => undefined)
  const options = { paths, aside: new Aside(paths, () => undefined), syncer }
  const first = await BuildCache.open(options)
  await first.add(record)
  utimesSync(paths.buildRecord(key), 1000, 1000)
  assert.equal((await BuildCache.open(options)).list()[0]!.lastUsed, 1_000_000)
  const before = Date.now()
  first.use(key)
  assert.ok((await BuildCache.open(options)).list()[0]!.lastUsed >= before - 1)
  await syncer.close()
})

test('a record that is cut short, misnamed or half written is none', async t => {
  const paths = temporaryPaths(t)
  const said: string[] = []
  const syncer = new Syncer(() => undefined)
  const options = { paths, aside: new Aside(paths, line => said.push(line)), syncer }
  const cache = await BuildCache.open(options)
  await cache.add(record)
  const other = 'd'.repeat(64)
  writeFileSync(paths.buildRecord(other), JSON.stringify({ version: 1, ...record }))
  writeFileSync(paths.buildRecord('e'.repeat(64)), '{"version":1,')
  writeFileSync(join(paths.buildRecords, '.x.json.1.1'), 'half')
  const opened = await BuildCache.open(options)
  assert.deepEqual(
    opened.list().map(entry => entry.record.key),
    [key],
  )
  assert.equal(said.length, 2)
  assert.ok(!existsSync(join(paths.buildRecords, '.x.json.1.1')))
  await syncer.close()
})
