/** Realtime time of groups, on folders that hold what the kernel's would. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { RealtimeTime } from '../../src/runtime/realtime.ts'

function box(t: TestContext) {
  const mount = mkdtempSync(join(tmpdir(), 'tscompose-realtime-'))
  t.after(() => rmSync(mount, { recursive: true }))
  const make = (group: string, runtime = 0, period = 1_000_000) => {
    mkdirSync(join(mount, group), { recursive: true })
    writeFileSync(join(mount, group, 'cpu.rt_runtime_us'), String(runtime))
    writeFileSync(join(mount, group, 'cpu.rt_period_us'), String(period))
  }
  const runtime = (group: string) => Number(readFileSync(join(mount, group, 'cpu.rt_runtime_us'), 'utf8'))
  make('ours')
  const time = new RealtimeTime({ version: 1, mounts: { cpu: mount } }, 'ours')
  return { mount, make, runtime, time }
}

test('the groups above have what all below them need, each in its own period', t => {
  const { make, runtime, time } = box(t)
  make('ours/stack', 0, 500_000)
  time.give('ours/stack/a', { cpuRealtimeRuntime: 10_000, cpuRealtimePeriod: 100_000 })
  assert.deepEqual(['ours/stack', 'ours'].map(runtime), [50_000, 100_000])
  // before the first one is made
  time.give('ours/stack/b', { cpuRealtimeRuntime: 50_000 })
  assert.deepEqual(['ours/stack', 'ours'].map(runtime), [75_000, 150_000])
  make('ours/stack/a', 10_000, 100_000)
  make('ours/stack/b', 50_000)
  time.give('ours/stack/b', { cpuRealtimeRuntime: 20_000 })
  assert.deepEqual(['ours/stack', 'ours'].map(runtime), [75_000, 150_000], 'less is within what there is')
  time.give('ours/stack/b', { cpuRealtimeRuntime: 150_000 })
  assert.deepEqual(['ours/stack', 'ours'].map(runtime), [125_000, 250_000])
})

test('what a group had goes back when it is gone', t => {
  const { mount, make, runtime, time } = box(t)
  for (const name of ['a', 'b']) {
    time.give(`ours/${name}`, { cpuRealtimeRuntime: 100_000 })
    make(`ours/${name}`, 100_000)
  }
  assert.equal(runtime('ours'), 200_000)
  rmSync(join(mount, 'ours/a'), { recursive: true })
  time.end('ours/a')
  assert.equal(runtime('ours'), 100_000)
  // by another engine, which has given nothing itself
  rmSync(join(mount, 'ours/b'), { recursive: true })
  new RealtimeTime({ version: 1, mounts: { cpu: mount } }, 'ours').end('ours/b')
  assert.equal(runtime('ours'), 0)
})

test('a group of somebody else gets more, and never less', t => {
  const { mount, make, runtime, time } = box(t)
  make('theirs', 30_000)
  time.give('theirs/a', { cpuRealtimeRuntime: 50_000 })
  assert.equal(runtime('theirs'), 50_000)
  make('theirs/a', 50_000)
  rmSync(join(mount, 'theirs/a'), { recursive: true })
  time.end('theirs/a')
  assert.equal(runtime('theirs'), 50_000)
})

test('nothing is touched where none is asked for, nor on cgroup v2', t => {
  const { mount, time } = box(t)
  time.give('other/a', {})
  assert.equal(existsSync(join(mount, 'other')), false)
  const v2 = new RealtimeTime({ version: 2, mounts: { cpu: mount } }, 'ours')
  v2.give('other/a', { cpuRealtimeRuntime: 1000 })
  v2.end('other/a')
  assert.equal(existsSync(join(mount, 'other')), false)
})
