import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import type { ContainerInspect } from '../../src/api/containers.ts'
import { olderCreate, olderInfo, olderInspect, olderSummary, olderUpdate } from '../../src/engine/server/older.ts'
import { shared } from '../support/needs.ts'

test('inspect lists the short id and the hostname as aliases below API 1.45, as a Docker Engine does', async t => {
  const [newest, older] = ['container-inspect', 'container-inspect-api1.43-diff'].map(name =>
    shared(`engine-api/samples/${name}.json`),
  )
  if (!newest || !older) return t.skip('the recorded samples are not on this machine')
  const inspect: ContainerInspect = JSON.parse(await readFile(newest, 'utf8'))
  const aliases = JSON.parse(await readFile(older, 'utf8'))['NetworkSettings.Networks.am-snet'].Aliases
  assert.deepEqual(olderInspect(inspect, '1.43').NetworkSettings.Networks?.['am-snet']?.Aliases, aliases)
  assert.equal(olderInspect(inspect, '1.45'), inspect)
})

test('what came later is neither shown to an older client nor taken from it', () => {
  const summary = { HostConfig: { NetworkMode: 'none', Annotations: { a: 'b' } } } as never
  assert.deepEqual(olderSummary(summary, '1.45').HostConfig, { NetworkMode: 'none' })
  assert.equal(olderSummary(summary, '1.46'), summary)
  const FirewallBackend = { Driver: 'nftables' }
  const info = { ID: 'x', FirewallBackend } as never
  const older = { ID: 'x', BridgeNfIptables: false, BridgeNfIp6tables: false }
  assert.deepEqual(olderInfo(info, '1.48'), older)
  assert.deepEqual(olderInfo(info, '1.49'), { ...older, FirewallBackend })
  assert.equal(olderInfo(info, '1.50'), info)
  const two = { Image: 'x', NetworkingConfig: { EndpointsConfig: { b: {}, a: {} } } }
  assert.throws(() => olderCreate(two, '1.43'), {
    kind: 'invalid',
    message: 'Container cannot be created with multiple network endpoints: a, b',
  })
  assert.equal(olderCreate(two, '1.44'), two)
  const limited = { Image: 'x', HostConfig: { PidsLimit: 5, Memory: 1 } }
  assert.deepEqual(olderCreate(limited, '1.39').HostConfig, { Memory: 1, IpcMode: 'shareable' })
  assert.equal(olderCreate(limited, '1.40'), limited)
  const closed = { Image: 'x', HostConfig: { IpcMode: 'private' } }
  assert.deepEqual(olderCreate(closed, '1.39').HostConfig, { IpcMode: 'private' })
  assert.deepEqual(olderUpdate({ PidsLimit: 5, Memory: 1 }, '1.39'), { Memory: 1 })
  assert.deepEqual(olderUpdate({ PidsLimit: 5 }, '1.40'), { PidsLimit: 5 })
})
