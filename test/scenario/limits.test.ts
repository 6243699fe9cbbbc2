/** What a stack limits is in force in its groups, on v1 and v2 alike: at its start, after a change while it runs, and when memory runs out. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { endpoints } from '../../src/api/endpoints.ts'
import { createClient } from '../../src/client/client.ts'
import { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { isUnified } from '../support/groups.ts'
import { lacking, program, root } from '../support/needs.ts'
import { patience } from '../support/patience.ts'

describe('limits of a stack', { skip: lacking(root(), program('busybox'), program('nft'), program('docker')) }, () => {
  let engine: TestEngine
  let stack: ReturnType<TestEngine['stack']>
  const parent =
    existsSync('/run/systemd/system') && isUnified() ? `limits${process.pid}.slice` : `/limits${process.pid}`
  before(async () => {
    engine = await TestEngine.start()
    stack = engine.stack(
      `
services:
  web:
    image: busybox
    init: true
    command: sleep infinity
    mem_limit: 64m
    memswap_limit: 96m
    mem_reservation: 32m
    cpus: 0.5
    cpu_shares: 512
    cpuset: "0"
    pids_limit: 40
    cgroup_parent: ${parent}
  hungry:
    image: busybox
    command: sh -c 'x=a; while :; do x=$$x$$x; done'
    mem_limit: 16m
    memswap_limit: 16m
`,
      'limited',
    )
    await stack.run('up', '-d')
  })
  after(async () => {
    await engine.stop()
    // a group that somebody chose stays
    for (const name of ['', ...readdirSync('/sys/fs/cgroup')]) {
      const group = join('/sys/fs/cgroup', name, parent)
      if (existsSync(group)) rmdirSync(group)
    }
  })

  const unified = isUnified()
  const values = async (files: readonly (readonly [v1: string, v2: string, onV1: string, onV2: string])[]) => {
    const paths = files.map(([v1, v2]) => `/sys/fs/cgroup/${unified ? v2 : v1}`)
    const found = await engine.runDocker('exec', 'limited-web-1', 'cat', ...paths)
    assert.deepEqual(
      found.split('\n'),
      files.map(([, , onV1, onV2]) => (unified ? onV2 : onV1)),
    )
  }

  test('are in force as the container sees them, in each controller', () =>
    values([
      ['memory/memory.limit_in_bytes', 'memory.max', `${64 << 20}`, `${64 << 20}`],
      ['memory/memory.memsw.limit_in_bytes', 'memory.swap.max', `${96 << 20}`, `${32 << 20}`],
      ['memory/memory.soft_limit_in_bytes', 'memory.low', `${32 << 20}`, `${32 << 20}`],
      ['cpu/cpu.cfs_quota_us', 'cpu.max', '50000', '50000 100000'],
      ['cpu/cpu.shares', 'cpu.weight', '512', '59'],
      ['cpuset/cpuset.cpus', 'cpuset.cpus', '0', '0'],
      ['pids/pids.max', 'pids.max', '40', '40'],
    ]))

  test('change while it runs', async () => {
    await engine.runDocker(
      'update',
      '--memory',
      '80m',
      '--memory-swap',
      '80m',
      '--cpus',
      '0.25',
      '--pids-limit',
      '50',
      'limited-web-1',
    )
    await values([
      ['memory/memory.limit_in_bytes', 'memory.max', `${80 << 20}`, `${80 << 20}`],
      ['memory/memory.memsw.limit_in_bytes', 'memory.swap.max', `${80 << 20}`, '0'],
      ['cpu/cpu.cfs_quota_us', 'cpu.max', '25000', '25000 100000'],
      ['pids/pids.max', 'pids.max', '50', '50'],
    ])
  })

  test('stand in the group that the stack names, where an exec is as well', async () => {
    const pid = await engine.runDocker('inspect', '--format', '{{.State.Pid}}', 'limited-web-1')
    const group = /^\d+:(?:memory|):(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))![1]!
    assert.ok(group.includes(parent), group)
    await engine.runDocker('exec', '-d', 'limited-web-1', 'sleep', '1234')
    const folder = join('/sys/fs/cgroup', unified ? '' : 'memory', group)
    const members = readFileSync(join(folder, 'cgroup.procs'), 'utf8').trim().split('\n')
    const words = members.map(member => readFileSync(`/proc/${member}/cmdline`, 'utf8').replaceAll('\0', ' ').trim())
    assert.ok(words.includes('sleep 1234'), `${words}`)
  })

  test('end whoever takes more memory, and that is told', async () => {
    assert.equal(await engine.runDocker('wait', 'limited-hungry-1'), '137')
    const state = await engine.runDocker(
      'inspect',
      '--format',
      '{{.State.OOMKilled}} {{.State.ExitCode}}',
      'limited-hungry-1',
    )
    assert.equal(state, 'true 137')
  })

  test('of processor time hold up nobody who is killed', async () => {
    const script = 'i=0; while [ $i -lt 40 ]; do (while :; do :; done) & i=$((i+1)); done; echo all; wait'
    for (const end of [['kill'], ['stop', '-t', '0'], ['rm', '-f']]) {
      const name = `busy-${process.pid}`
      await engine.runDocker('run', '-d', '--name', name, 'busybox', 'sh', '-c', script)
      await eventually('forty', async () => (await engine.runDocker('logs', name)) === 'all')
      // a period is a second, of which all forty have a thousandth
      await engine.runDocker('update', '--cpu-period', '1000000', '--cpu-quota', '1000', name)
      const said = await engine.docker([...end, name], { timeout: 20_000 * patience })
      assert.equal(said.code, 0, `${end}: ${said.stderr}`)
      if (end[0] !== 'rm') await engine.runDocker('rm', name)
    }
  })

  test('are shown with what is used of them, on v2 with the pressure of waiting', async () => {
    const client = createClient(engine.host)
    try {
      const input = { params: { id: 'limited-web-1' }, query: { stream: false } }
      const stats = await client.call(endpoints.containerStats, input)
      assert.deepEqual([stats.memory_stats.limit, stats.pids_stats.limit], [80 << 20, 50])
      assert.ok(stats.pids_stats.current! >= 2)
      assert.ok(stats.cpu_stats.cpu_usage.total_usage > 0)
      const pressure = Object.entries(stats.pressure ?? {}).map(([of, told]) => [of, typeof told?.some.total])
      const expected = ['cpu', 'io', 'memory'].map(of => [of, 'number'])
      assert.deepEqual(pressure.sort(), unified ? expected : [])
    } finally {
      client.close()
    }
  })

  test('a weight that no disk honours is refused, with the scheduler that is there and the one it needs', {
    skip: !unified && 'the kernel of v1 has weights of its own',
  }, async () => {
    const weighed = engine.stack('services: {web: {image: busybox, blkio_config: {weight: 300}}}')
    const said = await engine.tscompose(['up', '-d'], { cwd: weighed.folder })
    assert.notEqual(said.code, 0)
    assert.match(said.stderr, /Cannot set HostConfig.BlkioWeight: no disk has the scheduler bfq \(.*\w+ has [\w-]+.*\)/)
  })
})
