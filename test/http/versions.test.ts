import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import type { ContainerInspect } from '../../src/api/containers.ts'
import { withAliases } from '../../src/engine/server/routes/containers.ts'
import { shared } from '../support/needs.ts'

test('inspect lists the short id and the hostname as aliases below API 1.45, as a Docker Engine does', async t => {
  const [newest, older] = ['container-inspect', 'container-inspect-api1.43-diff'].map(name =>
    shared(`engine-api/samples/${name}.json`),
  )
  if (!newest || !older) return t.skip('the recorded samples are not on this machine')
  const inspect: ContainerInspect = JSON.parse(await readFile(newest, 'utf8'))
  const aliases = JSON.parse(await readFile(older, 'utf8'))['NetworkSettings.Networks.am-snet'].Aliases
  assert.deepEqual(withAliases(inspect, '1.43').NetworkSettings.Networks?.['am-snet']?.Aliases, aliases)
  assert.equal(withAliases(inspect, '1.45'), inspect)
})
