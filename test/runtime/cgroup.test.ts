import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseBlkio, parsePairs } from '../../src/runtime/cgroups.ts'
import { cgroupFacts } from '../../src/runtime/host.ts'
import { cgroupSteps } from '../../src/runtime/parts/cgroup.ts'
import { lacking, limitWrites } from '../../src/runtime/parts/cgroup-limits.ts'

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
      'cpu.weight=39',
      'cpu.max=50000 100000',
      'pids.max=max',
    ])
  })

  it('names the limit whose controller is missing', () => {
    assert.throws(() => limitWrites(v1, { pids: 5 }), {
      kind: 'unsupported',
      message: /HostConfig\.PidsLimit.*no pids/,
    })
  })
})

describe('lacking()', () => {
  const v1 = {
    version: 1,
    mounts: { blkio: '/sys/fs/cgroup/blkio' },
    files: new Set(['blkio.bfq.weight', 'blkio.throttle.read_bps_device']),
  } as const

  it('is silent about what the kernel offers', () => {
    assert.equal(
      lacking(v1, 'readBps', () => ({})),
      undefined,
    )
    assert.equal(
      lacking(v1, 'blkioWeight', () => ({ vda: 'mq-deadline', sda: 'bfq' })),
      undefined,
    )
  })

  it('says which controller, file or scheduler is missing', () => {
    const why = (name: Parameters<typeof lacking>[1]) => lacking(v1, name, () => ({ vda: 'mq-deadline' }))
    assert.equal(why('pids'), 'this machine has no pids cgroup controller')
    assert.equal(why('writeIops'), 'this kernel has no blkio.throttle.write_iops_device')
    assert.equal(why('blkioWeight'), 'no disk has the scheduler bfq (vda has mq-deadline)')
    assert.equal(
      lacking({ ...v1, version: 2 }, 'memorySwappiness', () => ({})),
      'cgroup v2 has nothing of the kind',
    )
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
})

describe('the kernel’s counters', () => {
  it('are read as pairs and as device records', () => {
    assert.deepEqual(parsePairs('user 5\nsystem 7\n'), { user: 5, system: 7 })
    assert.deepEqual(parseBlkio('8:0 Read 4096\n8:0 Total 4096\nTotal 4096\n'), [
      { major: 8, minor: 0, op: 'Read', value: 4096 },
      { major: 8, minor: 0, op: 'Total', value: 4096 },
    ])
  })
})
