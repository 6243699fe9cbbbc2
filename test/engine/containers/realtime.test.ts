import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostConfig } from '../../../src/api/container-body.ts'
import { EngineBox } from './engine-box.ts'

test('realtime time is an error where the machine has none to give, or when it is more than its period', async () => {
  await using box = await EngineBox.open()
  const create = (HostConfig: HostConfig) => box.create('bad', { HostConfig })
  await assert.rejects(create({ CpuRealtimeRuntime: 20_000, CpuRealtimePeriod: 10_000 }), {
    kind: 'invalid',
    message: 'cpu real-time runtime cannot be higher than cpu real-time period',
  })
  await assert.rejects(create({ CpuRealtimeRuntime: -1 }), { kind: 'invalid' })
  box.runtime.lacks.set('cpuRealtimeRuntime', 'cgroup v2 has nothing of the kind')
  await assert.rejects(create({ CpuRealtimeRuntime: 1000 }), {
    kind: 'unsupported',
    message: 'Cannot honour HostConfig.CpuRealtimeRuntime 1000: cgroup v2 has nothing of the kind',
  })
})
