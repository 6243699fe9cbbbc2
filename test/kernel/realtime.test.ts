/** Realtime budgets of groups, where the kernel has them (cgroup v1, CONFIG_RT_GROUP_SCHED). */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { groupFolder } from '../support/groups.ts'
import { Box, kernelSkip } from './runtime-box.ts'

const has = existsSync('/sys/fs/cgroup/cpu/cpu.rt_runtime_us')
const skip = kernelSkip() || (has ? false : 'this kernel has no realtime groups')

describe('realtime budgets', { skip }, () => {
  it('are given by the groups above, also to several at once, and go back', async () => {
    await using box = await Box.open()
    const runtime = (path: string) => readFileSync(`${groupFolder('cpu', path)}/cpu.rt_runtime_us`, 'utf8').trim()
    const start = async (cpuRealtimeRuntime: number, cpuRealtimePeriod?: number) => {
      const spec = await box.spec(['cat'], {
        stdio: { terminal: false, stdin: true, stdinOnce: true, size: [0, 0], attach: undefined },
      })
      const limited = { ...spec, cgroup: { ...spec.cgroup, cpuRealtimeRuntime, cpuRealtimePeriod } }
      return { spec: limited, running: await box.start(limited) }
    }
    const [a, b] = await Promise.all([start(2000), start(300, 100_000)])
    assert.deepEqual([a.spec.cgroup.path, b.spec.cgroup.path, box.prefix].map(runtime), ['2000', '300', '5000'])
    await box.runtime.cgroups.update(a.spec.cgroup.path, { cpuRealtimeRuntime: 4000 })
    assert.deepEqual([a.spec.cgroup.path, box.prefix].map(runtime), ['4000', '7000'])
    await box.runtime.cgroups.update(b.spec.cgroup.path, { cpuRealtimeRuntime: 100, cpuRealtimePeriod: 200 })
    assert.equal(runtime(b.spec.cgroup.path), '100')
    a.running.signal(9)
    await a.running.exited
    await box.host({ kind: 'delete-cgroup', path: a.spec.cgroup.path })
    await eventually('the time of the one that is gone', () => runtime(box.prefix) === '500000')
    b.running.signal(9)
    await b.running.exited
    await box.host({ kind: 'delete-cgroup', path: b.spec.cgroup.path })
    await eventually('all of it', () => runtime(box.prefix) === '0')
  })

  it('are refused with the group that has no more, and nothing is kept', async () => {
    await using box = await Box.open()
    const most = Number(readFileSync('/proc/sys/kernel/sched_rt_runtime_us', 'utf8'))
    const spec = await box.spec(['true'])
    const greedy = { ...spec, cgroup: { ...spec.cgroup, cpuRealtimeRuntime: most + 1 } }
    await assert.rejects(box.start(greedy), {
      kind: 'invalid',
      message: new RegExp(`^Cannot set HostConfig.CpuRealtimeRuntime to ${most + 1}: ".*/${box.prefix}" cannot have `),
    })
    const { exit } = await box.run({ ...spec, cgroup: { ...spec.cgroup, cpuRealtimeRuntime: 1000 } })
    assert.equal(exit.code, 0)
    const own = () => readFileSync(`${groupFolder('cpu', box.prefix)}/cpu.rt_runtime_us`, 'utf8').trim()
    assert.equal(own(), '1000')
    await box.host({ kind: 'delete-cgroup', path: spec.cgroup.path })
    await eventually('all of it', () => own() === '0')
  })
})
