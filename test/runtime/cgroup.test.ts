import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseBlkio, parseIo, parsePairs, parsePressure } from '../../src/runtime/cgroup-stats.ts'
import { cgroupFacts } from '../../src/runtime/host.ts'
import { cgroupFolders, cgroupSteps } from '../../src/runtime/parts/cgroup.ts'
import { lacking, limitWrites } from '../../src/runtime/parts/cgroup-limits.ts'
import { groupWithin } from '../../src/runtime/parts/group-within.ts'
import { withPartners } from '../../src/runtime/parts/limit-partners.ts'
import { isSlice } from '../../src/runtime/parts/systemd-scope.ts'

const hybrid = `30 20 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw
31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
32 30 0:28 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
33 30 0:29 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw`
const unified = '31 30 0:27 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw,nsdelegate'

describe('cgroupFacts()', () => {
  it('reads v1 hierarchies, those that share a mount included', () => {
    assert.deepEqual(
      cgroupFacts(hybrid, () => []),
      {
        version: 1,
        mounts: {
          cpu: '/sys/fs/cgroup/cpu,cpuacct',
          cpuacct: '/sys/fs/cgroup/cpu,cpuacct',
          memory: '/sys/fs/cgroup/memory',
        },
      },
    )
  })

  it('takes a lone cgroup2 mount for v2', () => {
    const { version, mounts } = cgroupFacts(unified, () => ['cpu', 'memory', 'pids'])
    assert.deepEqual([version, mounts.memory, mounts.pids], [2, '/sys/fs/cgroup', '/sys/fs/cgroup'])
  })
})

describe('limitWrites()', () => {
  const v1 = cgroupFacts(hybrid, () => [])
  const v2 = cgroupFacts(unified, () => ['cpu', 'memory', 'pids'])
  const values = (facts: typeof v1, limits: Parameters<typeof limitWrites>[1]) =>
    limitWrites(facts, limits).map(({ file, value }) => `${file}=${value}`)

  it('writes memory before memory and swap on v1', () => {
    assert.deepEqual(values(v1, { memory: 100, memorySwap: 200 }), [
      'memory.limit_in_bytes=100',
      'memory.memsw.limit_in_bytes=200',
    ])
  })

  it('writes swap alone, a weight and one cpu.max on v2', () => {
    assert.deepEqual(values(v2, { memory: 100, memorySwap: 250, cpuShares: 1024, cpuQuota: 50_000, pids: -1 }), [
      'memory.max=100',
      'memory.swap.max=150',
      'cpu.weight=100',
      'cpu.max=50000 100000',
      'pids.max=max',
    ])
  })

  it('gives the least, the default and the most of shares those of weights', () => {
    const weight = (cpuShares: number) => values(v2, { cpuShares })[0]
    assert.deepEqual([2, 512, 1024, 2048, 262_144].map(weight), [
      'cpu.weight=1',
      'cpu.weight=59',
      'cpu.weight=100',
      'cpu.weight=174',
      'cpu.weight=10000',
    ])
  })

  it('writes no limit of swap where the sum or the memory has none, and never less than none', () => {
    const swap = (memory: number, memorySwap: number) => values(v2, { memory, memorySwap })[1]
    assert.equal(swap(100, -1), 'memory.swap.max=max')
    assert.equal(swap(-1, 300), 'memory.swap.max=max')
    assert.equal(swap(100, 100), 'memory.swap.max=0')
  })

  it('writes a line of io.max for each device and rate', () => {
    const io = cgroupFacts(unified, () => ['io'])
    const rate = [{ major: 8, minor: 0, value: 1000 }]
    assert.deepEqual(values(io, { readBps: rate, writeIops: rate }), ['io.max=8:0 rbps=1000', 'io.max=8:0 wiops=1000'])
  })

  it('tells a weight to each that shares out disks, in its own numbers', () => {
    const io = (...files: string[]) => ({ ...cgroupFacts(unified, () => ['io']), files: new Set(files) })
    const limits = { blkioWeight: 500, blkioWeightDevice: [{ major: 8, minor: 0, value: 10 }] }
    assert.deepEqual(values(io('io.bfq.weight'), limits), ['io.bfq.weight=500', 'io.bfq.weight=8:0 10'])
    assert.deepEqual(values(io('io.weight'), limits), ['io.weight=4950', 'io.weight=8:0 1'])
    assert.deepEqual(values(io('io.bfq.weight', 'io.weight'), { blkioWeight: 1000 }), [
      'io.bfq.weight=1000',
      'io.weight=10000',
    ])
  })

  it('tells the weight of a disk to what shares out that disk, which anything else would refuse', () => {
    const disks = () => [
      { name: 'sda', numbers: '8:0', scheduler: 'bfq', costs: false },
      { name: 'sdb', numbers: '8:16', scheduler: 'mq-deadline', costs: true },
      { name: 'sdc', numbers: '8:32', scheduler: 'none', costs: false },
    ]
    const files = new Set(['io.bfq.weight', 'io.weight'])
    const io = { ...cgroupFacts(unified, () => ['io']), files, disks }
    const weight = (...minors: number[]) => ({
      blkioWeightDevice: minors.map(minor => ({ major: 8, minor, value: 10 })),
    })
    assert.deepEqual(values(io, weight(0, 16)), ['io.bfq.weight=8:0 10', 'io.weight=8:16 1'])
    assert.throws(() => limitWrites(io, weight(0, 32)), {
      kind: 'unsupported',
      message:
        'Cannot set HostConfig.BlkioWeightDevice: sdc is not a disk that has the scheduler bfq (sdc has none), or a model of its costs in io.cost.qos',
    })
    // a part of sda: the kernel's to refuse
    assert.deepEqual(values({ ...io, files: new Set(['io.weight']) }, weight(1)), ['io.weight=8:1 1'])
  })

  it('names the limit whose controller is missing', () => {
    assert.throws(() => limitWrites(v1, { pids: 5 }), {
      kind: 'unsupported',
      message: /HostConfig\.PidsLimit.*no pids/,
    })
  })
})

describe('lacking()', () => {
  const disks = (schedulers: Readonly<Record<string, string>>, costs = false) => ({
    disks: () =>
      Object.entries(schedulers).map(([name, scheduler], index) => ({ name, numbers: `8:${index}`, scheduler, costs })),
  })
  const v1 = {
    version: 1,
    mounts: { blkio: '/sys/fs/cgroup/blkio' },
    files: new Set(['blkio.bfq.weight', 'blkio.throttle.read_bps_device']),
  } as const

  it('is silent about what the kernel offers', () => {
    assert.equal(lacking(v1, 'readBps'), undefined)
    assert.equal(lacking({ ...v1, ...disks({ vda: 'mq-deadline', sda: 'bfq' }) }, 'blkioWeight'), undefined)
  })

  it('takes weights where a disk is shared out by its costs, on v2', () => {
    const v2 = { version: 2, mounts: { io: '/sys/fs/cgroup' }, files: new Set(['io.max', 'io.weight']) } as const
    assert.equal(lacking({ ...v2, ...disks({ vda: 'none' }, true) }, 'blkioWeight'), undefined)
    assert.equal(
      lacking({ ...v2, ...disks({ vda: 'none' }, true), files: new Set(['io.max']) }, 'blkioWeight'),
      'this kernel has no io.bfq.weight',
    )
  })

  it('says which controller, file or scheduler is missing', () => {
    const why = (name: Parameters<typeof lacking>[1]) =>
      lacking({ ...v1, ...disks({ vda: 'mq-deadline' }, true) }, name)
    assert.equal(why('pids'), 'this machine has no pids cgroup controller')
    assert.equal(why('writeIops'), 'this kernel has no blkio.throttle.write_iops_device')
    assert.equal(why('blkioWeight'), 'no disk has the scheduler bfq (vda has mq-deadline)')
    const v2 = { version: 2, mounts: { io: '/sys/fs/cgroup' }, files: new Set(['io.max']) } as const
    assert.equal(
      lacking({ ...v2, ...disks({ vda: 'none' }) }, 'blkioWeight'),
      'no disk has the scheduler bfq (vda has none), or a model of its costs in io.cost.qos',
      'whose file is there as long as its module is',
    )
    assert.equal(lacking({ ...v1, version: 2 }, 'memorySwappiness'), 'cgroup v2 has nothing of the kind')
  })
})

describe('cgroupSteps()', () => {
  it('makes a shared hierarchy’s folder once, with its undo', () => {
    const facts = cgroupFacts(hybrid, () => [])
    const { host, child } = cgroupSteps(facts, { path: 'p/x' } as Parameters<typeof cgroupSteps>[1], true)
    assert.deepEqual(
      host.map(step => (step.name === 'mkdir' ? [step.args.path, step.undo?.name] : step.name)),
      [
        ['/sys/fs/cgroup/cpu,cpuacct/p/x', 'rmdir'],
        ['/sys/fs/cgroup/memory/p/x', 'rmdir'],
      ],
    )
    assert.equal(child.length, 2)
  })

  it('begins in the group on v2, behind a filter of devices unless it is privileged', () => {
    const facts = cgroupFacts(unified, () => ['memory', 'pids'])
    const names = (privileged: boolean) => {
      const { host, child } = cgroupSteps(facts, { path: 'p/x', devices: [], memory: 100 }, privileged)
      assert.deepEqual(child, [])
      return host.map(({ name, args }) => `${name} ${'path' in args ? args.path : ''}`)
    }
    assert.deepEqual(names(true), [
      'mkdir /sys/fs/cgroup/p/x',
      'write /sys/fs/cgroup/p/x/memory.max',
      'born-in /sys/fs/cgroup/p/x',
    ])
    assert.deepEqual(names(false), names(true).toSpliced(2, 0, 'filter-devices /sys/fs/cgroup/p/x'))
  })

  it('stands below a scope of systemd’s, in the slice that its parent names', () => {
    const facts = { ...cgroupFacts(unified, () => ['memory']), scope: 'tscompose' }
    assert.deepEqual(cgroupFolders(facts, 'tscompose/x'), ['/sys/fs/cgroup/system.slice/tscompose.scope/tscompose/x'])
    assert.deepEqual(cgroupFolders(facts, 'shop-db.slice/x'), [
      '/sys/fs/cgroup/shop.slice/shop-db.slice/tscompose-shop-db.scope/shop-db.slice/x',
    ])
  })
})

describe('groupWithin()', () => {
  it('finds the group of a process that a container has put below its own', () => {
    const within = (path: string) => groupWithin(`0::${path}\n`, 'tscompose/x')
    assert.equal(within('/tscompose/x'), 'tscompose/x')
    assert.equal(within('/tscompose/x/init.scope'), 'tscompose/x/init.scope')
    assert.equal(within('/system.slice/tscompose.scope/tscompose/x/a'), 'tscompose/x/a')
    for (const path of ['/tscompose/xy', '/tscompose', '/user.slice']) assert.equal(within(path), undefined)
    assert.equal(groupWithin('', 'tscompose/x'), undefined)
  })
})

describe('isSlice()', () => {
  it('takes what systemd takes for the name of a slice', () => {
    for (const name of ['shop.slice', 'shop-db.slice', 'a_b:c.slice']) assert.equal(isSlice(name), true, name)
    for (const name of ['shop', 'a/b.slice', '-.slice', 'a--b.slice', '-a.slice', 'a-.slice', '../a.slice'])
      assert.equal(isSlice(name), false, name)
  })
})

describe('withPartners()', () => {
  const files = { memory: '100\n', swap: '50\n', cpu: 'max 100000\n' }

  it('keeps the sum when memory alone is changed, and memory when the sum is', () => {
    assert.deepEqual(withPartners({ memory: 120 }, files), { memory: 120, memorySwap: 150 })
    assert.deepEqual(withPartners({ memorySwap: 300 }, files), { memory: 100, memorySwap: 300 })
    assert.deepEqual(withPartners({ memory: 120 }, { ...files, swap: 'max\n' }), { memory: 120, memorySwap: -1 })
  })

  it('keeps the quota when the period alone is changed, and the period when the quota is', () => {
    assert.deepEqual(withPartners({ cpuPeriod: 50_000 }, files), { cpuQuota: -1, cpuPeriod: 50_000 })
    assert.deepEqual(withPartners({ cpuQuota: 20_000 }, files), { cpuQuota: 20_000, cpuPeriod: 100_000 })
  })

  it('leaves others alone, and what has no file here', () => {
    assert.deepEqual(withPartners({ pids: 5 }, files), { pids: 5 })
    assert.deepEqual(withPartners({ memory: 120 }, { ...files, swap: '' }), { memory: 120 })
  })
})

describe('the kernel’s counters', () => {
  it('are read as pairs and as device records', () => {
    assert.deepEqual(parsePairs('user 5\nsystem 7\n'), { user: 5, system: 7 })
    assert.deepEqual(parseBlkio('8:0 Read 4096\n8:0 Total 4096\nTotal 4096\n'), [
      { major: 8, minor: 0, op: 'Read', value: 4096 },
      { major: 8, minor: 0, op: 'Total', value: 4096 },
    ])
    assert.deepEqual(parseIo('254:0 rbytes=4096 wbytes=512 rios=1 wios=1 dbytes=0 dios=0\n7:0 \n'), [
      { major: 254, minor: 0, op: 'read', value: 4096 },
      { major: 254, minor: 0, op: 'write', value: 512 },
      { major: 7, minor: 0, op: 'read', value: 0 },
      { major: 7, minor: 0, op: 'write', value: 0 },
    ])
  })

  it('tell how long tasks waited', () => {
    const none = { avg10: 0, avg60: 0, avg300: 0, total: 0 }
    const text = 'some avg10=1.50 avg60=0.25 avg300=0.00 total=1234\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n'
    assert.deepEqual(parsePressure(text), { some: { avg10: 1.5, avg60: 0.25, avg300: 0, total: 1234 }, full: none })
    assert.deepEqual(parsePressure(text.split('\n')[0]!)?.full, undefined)
    assert.equal(parsePressure(''), undefined)
  })
})
