/** What is different where cgroup v2 is alone: files of limits, devices by a filter, what a container sees of its group. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, readFile, realpath, rmdir, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { ContainerSpec } from '../../src/runtime/spec.ts'
import { command } from '../support/command.ts'
import { eventually } from '../support/eventually.ts'
import { groupFolder, isUnified } from '../support/groups.ts'
import { Box, kernelSkip } from './runtime-box.ts'

const skip = kernelSkip() || (!isUnified() && 'needs cgroup v2 alone, as in the machine of npm run test:v2')

describe('a container on cgroup v2', { skip }, () => {
  let box: Box
  before(async () => {
    box = await Box.open()
  })
  after(async () => {
    await box[Symbol.asyncDispose]()
  })

  const limited = async (limits: Partial<ContainerSpec['cgroup']>, args = ['sleep', '1000']) => {
    const base = await box.spec(args)
    const spec = { ...base, cgroup: { ...base.cgroup, ...limits } }
    return { spec, running: await box.start(spec) }
  }

  it('is born in its group, with every limit set', async () => {
    const limits = {
      memory: 64 << 20,
      memorySwap: 96 << 20,
      memoryReservation: 32 << 20,
      pids: 20,
      cpuShares: 512,
      cpuQuota: 50_000,
      cpuPeriod: 200_000,
      cpusetCpus: '0',
    }
    const { spec, running } = await limited(limits, ['sh', '-c', 'while :; do :; done'])
    const files = ['memory.max', 'memory.swap.max', 'memory.low', 'pids.max', 'cpu.weight', 'cpu.max', 'cpuset.cpus']
    assert.deepEqual(await Promise.all(files.map(file => value(spec, file))), [
      String(64 << 20),
      String(32 << 20),
      String(32 << 20),
      '20',
      '59',
      '50000 200000',
      '0',
    ])
    assert.match(await readFile(`/proc/${running.pid}/cgroup`, 'utf8'), new RegExp(`^0::(/.*)?/${spec.cgroup.path}\n$`))
    assert.deepEqual(await box.runtime.cgroups.processes(spec.cgroup.path), [running.pid])

    await box.runtime.cgroups.update(spec.cgroup.path, { memory: 80 << 20, cpuQuota: 20_000, pids: 30 })
    assert.deepEqual(await Promise.all(files.slice(0, 6).map(file => value(spec, file))), [
      String(80 << 20),
      String(16 << 20), // the sum stays
      String(32 << 20),
      '30',
      '59',
      '20000 200000',
    ])
    const stats = await box.runtime.cgroups.stats(spec.cgroup.path)
    assert.deepEqual([stats.memory.limit, stats.pids.limit, stats.pids.current], [80 << 20, 30, 1])
    assert.equal(typeof stats.pressure?.memory?.some.total, 'number')
    // some kernels count a tick of the clock at a time
    const used = async () => (await box.runtime.cgroups.stats(spec.cgroup.path)).cpu.total > 0
    await eventually('use of the processor', used)
    running.signal(9)
    await running.exited
  })

  it('is frozen when a pause has been answered', async () => {
    const { spec, running } = await limited({})
    await box.runtime.cgroups.freeze(spec.cgroup.path)
    assert.match(await value(spec, 'cgroup.events'), /^frozen 1$/m)
    await box.runtime.cgroups.thaw(spec.cgroup.path)
    running.signal(9)
    await running.exited
  })

  it('limits what is read of a disk', async () => {
    const [major, minor] = (await rootDisk()).numbers
    const { spec, running } = await limited({
      readBps: [{ major, minor, value: 1 << 20 }],
      writeIops: [{ major, minor, value: 100 }],
    })
    assert.equal(await value(spec, 'io.max'), `${major}:${minor} rbps=1048576 wbps=max riops=max wiops=100`)
    running.signal(9)
    await running.exited
  })

  it('opens the devices of its rules and no others, with no more access than they give', async () => {
    const script =
      'mknod /tmp/kmsg c 1 11; mknod /tmp/zero c 1 5; head -c 1 /tmp/zero | wc -c; head -c 1 /tmp/kmsg; echo x >/tmp/kmsg'
    const refused = await box.shell(script)
    assert.equal(refused.stdout, '1\n')
    assert.equal(refused.stderr.match(/kmsg.*not permitted/g)?.length, 2, refused.stderr)
    assert.notEqual(refused.exit.code, 0)
    const base = await box.spec(['sh', '-c', script])
    const writing = { allow: true, type: 'c', major: 1, minor: 11, access: 'w' } as const
    const written = await box.run({ ...base, cgroup: { ...base.cgroup, devices: [writing] } })
    assert.equal(written.stderr.match(/kmsg.*not permitted/g)?.length, 1, written.stderr)
    assert.equal(written.exit.code, 0)
  })

  it('sees its own group as the root of the hierarchy, and changes nothing of it', async () => {
    const namespaces = {
      pid: { kind: 'new' },
      ipc: { kind: 'new' },
      uts: 'new',
      cgroup: 'new',
      user: { kind: 'host' },
    } as const
    const script = 'cat /proc/self/cgroup /sys/fs/cgroup/pids.max; mkdir /sys/fs/cgroup/inner'
    const base = await box.spec(['sh', '-c', script], { namespaces })
    const { stdout, stderr } = await box.run({ ...base, cgroup: { ...base.cgroup, pids: 33 } })
    assert.equal(stdout, '0::/\n33\n')
    assert.match(stderr, /Read-only file system/)
  })

  it('is joined by an exec also after its first process has handed limits down', async () => {
    const script =
      'cd /sys/fs/cgroup && mkdir first && echo 1 >first/cgroup.procs && echo +pids >cgroup.subtree_control && echo ready && exec sleep 1000'
    const spec = await box.spec(['sh', '-c', script], {
      namespaces: { pid: { kind: 'new' }, ipc: { kind: 'new' }, uts: 'new', cgroup: 'new', user: { kind: 'host' } },
      privileged: true,
      writableCgroups: true,
      maskedPaths: [],
      readonlyPaths: [],
    })
    const running = await box.start(spec)
    for await (const { data } of running.attached!.output) if (data.includes('ready')) break
    const { stdout, stderr } = await box.run(await box.exec(spec, running, ['cat', '/proc/self/cgroup']))
    assert.deepEqual([stdout, stderr], ['0::/first\n', ''])
    assert.equal((await box.runtime.cgroups.processes(spec.cgroup.path)).length, 1)
    running.signal(9)
    await running.exited
    await box.host({ kind: 'delete-cgroup', path: spec.cgroup.path })
  })

  it('gets its group again, with limits and devices, when somebody has removed it', async () => {
    const { spec, running } = await limited({ pids: 44 })
    const folder = groupFolder('', spec.cgroup.path)
    // beside it, since the group above hands limits down
    const aside = `${dirname(folder)}/aside`
    await mkdir(aside)
    await writeFile(`${aside}/cgroup.procs`, String(running.pid))
    await rmdir(folder)
    assert.equal(box.runtime.cgroups.isWhole(spec.cgroup.path), false)
    await box.runtime.cgroups.restore(spec.cgroup, { privileged: false, pid: running.pid })
    await rmdir(aside)
    assert.equal(await value(spec, 'pids.max'), '44')
    assert.equal(await value(spec, 'cgroup.procs'), String(running.pid))
    const script = 'mknod /tmp/kmsg c 1 11; echo x >/tmp/kmsg'
    const { exit, stderr } = await box.run(await box.exec(spec, running, ['sh', '-c', script]))
    assert.notEqual(exit.code, 0)
    assert.match(stderr, /kmsg.*not permitted/)
    running.signal(9)
    await running.exited
  })
})

describe('weights of disks on cgroup v2', { skip }, () => {
  const queue = async () => `/sys/block/${(await rootDisk()).name}/queue/scheduler`
  const current = async () => /\[(.+)\]/.exec(await readFile(await queue(), 'utf8'))![1]!

  it('are refused with the scheduler that is there and the one that knows them', async () => {
    await using box = await Box.open()
    const { name } = await rootDisk()
    const needed = new RegExp(
      `^no disk has the scheduler bfq \\(.*${name} has ${await current()}.*\\), or a model of its costs`,
    )
    for (const limit of ['blkioWeight', 'blkioWeightDevice'] as const)
      assert.match(box.runtime.cgroups.lacking(limit) ?? '', needed)
  })

  it('are in force with a model of the costs', async () => {
    const [major, minor] = (await rootDisk()).numbers
    const model = (enable: 0 | 1) => writeFile('/sys/fs/cgroup/io.cost.qos', `${major}:${minor} enable=${enable}`)
    await model(1)
    try {
      await using box = await Box.open()
      assert.equal(box.runtime.cgroups.lacking('blkioWeight'), undefined)
      const base = await box.spec(['sleep', '1000'])
      const limits = { blkioWeight: 1000, blkioWeightDevice: [{ major, minor, value: 10 }] }
      const spec = { ...base, cgroup: { ...base.cgroup, ...limits } }
      const running = await box.start(spec)
      assert.equal(await value(spec, 'io.weight'), `default 10000\n${major}:${minor} 1`)
      await box.runtime.cgroups.update(spec.cgroup.path, { blkioWeight: 10 })
      assert.match(await value(spec, 'io.weight'), /^default 1$/m)
      running.signal(9)
      await running.exited
    } finally {
      await model(0)
    }
  })

  it('are in force with a scheduler that knows them', async () => {
    const usual = await current()
    if (!(await readFile(await queue(), 'utf8')).includes('bfq')) {
      const loaded = await command('modprobe', ['bfq'])
      assert.equal(loaded.code, 0, loaded.stderr)
    }
    await writeFile(await queue(), 'bfq')
    try {
      await using box = await Box.open()
      assert.equal(box.runtime.cgroups.lacking('blkioWeight'), undefined)
      const [major, minor] = (await rootDisk()).numbers
      const base = await box.spec(['sleep', '1000'])
      const limits = { blkioWeight: 300, blkioWeightDevice: [{ major, minor, value: 500 }] }
      const spec = { ...base, cgroup: { ...base.cgroup, ...limits } }
      const running = await box.start(spec)
      assert.equal(await value(spec, 'io.bfq.weight'), `default 300\n${major}:${minor} 500`)
      await box.runtime.cgroups.update(spec.cgroup.path, { blkioWeight: 200 })
      assert.match(await value(spec, 'io.bfq.weight'), /^default 200$/m)
      running.signal(9)
      await running.exited
    } finally {
      await writeFile(await queue(), usual)
    }
  })
})

async function value(spec: ContainerSpec, file: string): Promise<string> {
  return (await readFile(`${groupFolder('', spec.cgroup.path)}/${file}`, 'utf8')).trim()
}

/** The disk that the root file system is on, whole. */
async function rootDisk(): Promise<{ readonly name: string; readonly numbers: readonly [number, number] }> {
  const { dev } = await stat('/')
  const found = await realpath(`/sys/dev/block/${dev >> 8}:${dev & 0xff}`)
  const disk = existsSync(join(found, 'partition')) ? dirname(found) : found
  const [major, minor] = (await readFile(join(disk, 'dev'), 'utf8')).trim().split(':').map(Number) as [number, number]
  return { name: basename(disk), numbers: [major, minor] }
}
