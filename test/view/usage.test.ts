import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerStats } from '../../src/api/containers.ts'
import { usageOf } from '../../src/view/usage.ts'

const usage = (total_usage: number) => ({ total_usage, usage_in_kernelmode: 0, usage_in_usermode: 0 })
const throttling_data = { periods: 0, throttled_periods: 0, throttled_time: 0 }
const stats = {
  read: '2026-01-01T00:00:01Z',
  cpu_stats: { cpu_usage: usage(300), system_cpu_usage: 2000, online_cpus: 2, throttling_data },
  precpu_stats: { cpu_usage: usage(100), system_cpu_usage: 1000, online_cpus: 2, throttling_data },
  memory_stats: { usage: 5000, limit: 8000, stats: { inactive_file: 1000 } },
  pids_stats: { current: 4 },
  blkio_stats: { io_service_bytes_recursive: [{ major: 8, minor: 0, op: 'read', value: 7 }] },
  networks: { eth0: { rx_bytes: 1, tx_bytes: 2 } },
} as unknown as ContainerStats
const none = { memory: 0, nanoCpus: 0, cpuQuota: 0, cpuPeriod: 0 }

test('usageOf() tells numbers against limits, where there are any', () => {
  const { cpu, cpuLimit, memory, memoryLimit, received, sent, read, processes, pressure } = usageOf(stats, none)!
  assert.deepEqual(
    { cpu, cpuLimit, memory, memoryLimit, received, sent, read, processes, pressure },
    {
      cpu: 40,
      cpuLimit: undefined,
      memory: 4000,
      memoryLimit: undefined,
      received: 1,
      sent: 2,
      read: 7,
      processes: 4,
      pressure: undefined,
    },
  )
  assert.equal(usageOf(stats, { ...none, nanoCpus: 500_000_000 })!.cpuLimit, 50)
  assert.equal(usageOf(stats, { ...none, cpuQuota: 25_000 })!.cpuLimit, 25)
  assert.equal(usageOf(stats, { ...none, cpuQuota: -1 })!.cpuLimit, undefined)
  assert.equal(usageOf(stats, { ...none, memory: 99 })!.memoryLimit, 99)
})

test('usageOf() says nothing of a first reading, nor of what does not run', () => {
  assert.equal(usageOf({ ...stats, precpu_stats: { ...stats.precpu_stats, system_cpu_usage: 0 } }, none), undefined)
  assert.equal(usageOf({ ...stats, memory_stats: {} }, none), undefined)
})

test('usageOf() tells how long things waited, where the kernel says it', () => {
  const shares = { avg10: 12.5, avg60: 0, avg300: 0, total: 0 }
  assert.deepEqual(usageOf({ ...stats, pressure: { memory: { some: shares } } }, none)!.pressure, {
    cpu: 0,
    memory: 12.5,
    io: 0,
  })
})
