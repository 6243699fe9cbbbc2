import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { HostConfig as Asked, ContainerUpdate } from '../../../src/api/container-body.ts'
import { hostConfig as shape } from '../../../src/api/host-config-shape.ts'
import {
  changedLimits,
  fillHostConfig,
  hostConfigSchema,
  limitsOf,
  updatedHostConfig,
} from '../../../src/engine/containers/config/host-config.ts'
import type { Machine } from '../../../src/engine/containers/config/host-config-row.ts'
import { usualLog } from '../../../src/engine/logs/log-defaults.ts'
import { isFailure } from '../../../src/lib/failure.ts'

const machine: Machine = { cpus: 4, logs: usualLog, nodes: () => 1, lacking: () => undefined }
const lacking = (...limits: readonly string[]): Machine => ({
  ...machine,
  lacking: limit => (limits.includes(limit) ? 'this kernel has no blkio.weight' : undefined),
})
const fill = (asked: Asked, on = machine) => fillHostConfig(asked, on)
const numbers = () => ({ major: 8, minor: 0 })

describe('fillHostConfig()', () => {
  it('refuses a range of host ports that goes down', () =>
    assert.throws(
      () => fill({ PortBindings: { '80/tcp': [{ HostPort: '9000-8000' }] } }),
      error => isFailure(error, 'invalid') && error.message === 'invalid port specification: "9000-8000"',
    ))

  it('fills what is empty with what the record holds, so that a record is read as it was written', () => {
    const { hostConfig, warnings } = fill({})
    assert.deepEqual(hostConfigSchema.parse(JSON.parse(JSON.stringify(hostConfig))), hostConfig)
    assert.deepEqual(warnings, [])
    const missing = Object.keys(shape).filter(name => !(name in hostConfig))
    assert.deepEqual(missing.sort(), [
      'Annotations',
      'Init',
      'KernelMemory',
      'KernelMemoryTCP',
      'Mounts',
      'StorageOpt',
      'Sysctls',
      'Tmpfs',
    ])
  })

  it('gives memory twice as much with swap, unless told otherwise', () => {
    assert.equal(fill({ Memory: 64e6 }).hostConfig.MemorySwap, 128e6)
    assert.equal(fill({ Memory: 64e6, MemorySwap: -1 }).hostConfig.MemorySwap, -1)
    assert.equal(fill({ Memory: 64e6, MemorySwap: 64e6 }).hostConfig.MemorySwap, 64e6)
  })

  it('warns and leaves out what the machine lacks, in the words of Docker', () => {
    const { hostConfig, warnings } = fill({ BlkioWeight: 300, Memory: 64e6 }, lacking('blkioWeight'))
    assert.equal(hostConfig.BlkioWeight, 0)
    assert.equal(hostConfig.Memory, 64e6)
    assert.deepEqual(warnings, [
      'Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.',
    ])
    assert.deepEqual(fill({ CpuPercent: 5 }).warnings, ['linux does not support CPU percent. Percent discarded.'])
  })

  it('refuses what the machine lacks when it is to be strict, and says what that is', () => {
    assert.throws(() => fill({ BlkioWeight: 300 }, { ...lacking('blkioWeight'), strict: true }), {
      kind: 'unsupported',
      message: 'Cannot set HostConfig.BlkioWeight: this kernel has no blkio.weight',
    })
  })

  it('refuses a wrong value also where the machine lacks the limit', () => {
    assert.throws(() => fill({ BlkioWeight: 5 }, lacking('blkioWeight')), /Range of blkio weight is from 10 to 1000/)
  })

  it('takes slices alone as parents where systemd manages the groups, and any path elsewhere', () => {
    const parent = (CgroupParent: string, on = machine) => fill({ CgroupParent }, on).hostConfig.CgroupParent
    const systemd = { ...machine, cgroups: 'systemd' } as const
    assert.equal(parent('shop-db.slice', systemd), 'shop-db.slice')
    assert.equal(parent('/shop/db'), '/shop/db')
    for (const wrong of ['/shop/db', 'shop', '../shop.slice'])
      assert.throws(() => parent(wrong, systemd), {
        kind: 'invalid',
        message: 'cgroup-parent for systemd cgroup should be a valid slice named as "xxx.slice"',
      })
  })

  it('takes processors and memory nodes that are there', () => {
    assert.equal(fill({ CpusetCpus: '0,2-3', CpusetMems: '0' }).hostConfig.CpusetCpus, '0,2-3')
    for (const [asked, message] of [
      [{ CpusetCpus: '2-9' }, 'Requested CPUs are not available - requested 2-9, available: 0-3'],
      [{ CpusetMems: '1' }, 'Requested memory nodes are not available - requested 1, available: 0'],
      [{ CpusetCpus: 'all' }, 'Invalid value all for cpuset cpus: invalid format: all'],
      [{ NanoCpus: 5e9 }, 'range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available'],
    ] as const)
      assert.throws(() => fill(asked), { kind: 'invalid', message })
  })
})

describe('limitsOf()', () => {
  it('has a limit for each member that sets one, and none for what is not set', () => {
    assert.deepEqual(limitsOf(fill({}).hostConfig, numbers), {})
    const { hostConfig } = fill({
      NanoCpus: 5e8,
      PidsLimit: 10,
      OomKillDisable: true,
      Memory: 64e6,
      BlkioDeviceReadBps: [{ Path: '/dev/sda', Rate: 1024 }],
    })
    assert.deepEqual(limitsOf(hostConfig, numbers), {
      cpuQuota: 50_000,
      cpuPeriod: 100_000,
      pids: 10,
      memory: 64e6,
      memorySwap: 128e6,
      oomKillDisable: 1,
      readBps: [{ major: 8, minor: 0, value: 1024 }],
    })
  })
})

describe('updatedHostConfig()', () => {
  const kept = fill({
    Memory: 64e6,
    PidsLimit: 10,
    CpuShares: 512,
    Binds: ['/a:/b'],
    BlkioDeviceReadBps: [{ Path: '/dev/sda', Rate: 1 }],
  }).hostConfig
  const update = (asked: ContainerUpdate) => updatedHostConfig(kept, asked, machine).hostConfig

  it('keeps what is absent, zero or empty', () => {
    assert.deepEqual(update({ Memory: 0, CpusetCpus: '', Devices: [], OomKillDisable: false }), kept)
  })

  it('writes only what differs, and lifts what is taken away', () => {
    const next = update({ CpuShares: 256, PidsLimit: 0, CpusetCpus: '1' })
    assert.deepEqual([next.CpuShares, next.PidsLimit, next.Memory], [256, 0, 64e6])
    assert.deepEqual(changedLimits(kept, next), { pids: -1, cpuShares: 256, cpusetCpus: '1' })
    assert.deepEqual(changedLimits(kept, kept), {})
  })

  it('refuses what contradicts what was set before, in the words of Docker', () => {
    assert.throws(
      () => update({ Memory: 256e6 }),
      /^Failure: Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time$/,
    )
    assert.throws(
      () => updatedHostConfig(fill({ NanoCpus: 1e9 }).hostConfig, { CpuQuota: 5000 }, machine),
      /Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set/,
    )
    assert.throws(
      () => updatedHostConfig(fill({ AutoRemove: true }).hostConfig, { RestartPolicy: { Name: 'always' } }, machine),
      /Restart policy cannot be updated because AutoRemove is enabled for the container/,
    )
  })

  it('names a member that is settled at create', () => {
    assert.throws(() => update({ Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 1 }] }), {
      kind: 'unsupported',
      message: 'Cannot update HostConfig.Ulimits: it is settled when a container is created',
    })
  })
})
