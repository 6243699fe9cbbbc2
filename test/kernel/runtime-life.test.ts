import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { groupFolder, isUnified } from '../support/groups.ts'
import { Box, finish, kernelSkip } from './runtime-box.ts'

/** What /proc/PID/syscall says of one that waits in a write to its output, on x86-64 and on arm64. */
const writing = /^(1|64) 0x1 /

describe('Runtime.start() of limits, init, streams and devices', { skip: kernelSkip() }, () => {
  let box: Box
  before(async () => {
    box = await Box.open()
  })
  after(async () => {
    await box[Symbol.asyncDispose]()
  })

  it('ends with oomKilled when memory runs out', async () => {
    const base = await box.spec(['sh', '-c', 'x=$(yes | head -c 60000000); echo survived'])
    const { exit, stdout } = await box.run({
      ...base,
      cgroup: { ...base.cgroup, memory: 8 << 20, memorySwap: 8 << 20 },
    })
    assert.deepEqual({ stdout, oom: exit.oomKilled, failed: exit.code !== 0 }, { stdout: '', oom: true, failed: true })
  })

  it('sets the limits of every controller', { skip: isUnified() && 'cgroup-v2.test.ts does' }, async () => {
    const base = await box.spec(['sleep', '100'])
    const running = await box.start({
      ...base,
      cgroup: {
        ...base.cgroup,
        memory: 64 << 20,
        pids: 20,
        cpuShares: 512,
        cpuQuota: 50_000,
        cpuPeriod: 100_000,
        cpusetCpus: '0',
      },
    })
    const value = async (controller: string, file: string) =>
      (await readFile(`${groupFolder(controller, base.cgroup.path)}/${controller}.${file}`, 'utf8')).trim()
    assert.deepEqual(
      await Promise.all([
        value('memory', 'limit_in_bytes'),
        value('pids', 'max'),
        value('cpu', 'shares'),
        value('cpu', 'cfs_quota_us'),
        value('cpuset', 'cpus'),
      ]),
      [String(64 << 20), '20', '512', '50000', '0'],
    )
    assert.doesNotMatch(await value('devices', 'list'), /10:200/)
    await box.runtime.cgroups.update(base.cgroup.path, { memory: 128 << 20, pids: 30 })
    assert.deepEqual(await Promise.all([value('memory', 'limit_in_bytes'), value('pids', 'max')]), [
      String(128 << 20),
      '30',
    ])
    const stats = await box.runtime.cgroups.stats(base.cgroup.path)
    assert.deepEqual([stats.memory.limit, stats.pids.limit, stats.pids.current], [128 << 20, 30, 1])
    assert.deepEqual(await box.runtime.cgroups.processes(base.cgroup.path), [running.pid])
    await box.runtime.cgroups.freeze(base.cgroup.path)
    assert.match(await value('freezer', 'state'), /FREEZING|FROZEN/)
    await box.runtime.cgroups.thaw(base.cgroup.path)
    running.signal(9)
    await running.exited
  })

  it('passes signals through its init and ends as the command ends', async () => {
    const running = await box.start(
      await box.spec(['sh', '-c', 'trap "exit 7" TERM; echo ready; while :; do sleep 0.05; done'], { init: true }),
    )
    for await (const { data } of running.attached!.output)
      if (data.includes('ready')) {
        running.signal(15)
        break
      }
    assert.equal((await running.exited).code, 7)
  })

  it('reaps orphans through its init', async () => {
    const { stdout } = await box.shell('(sleep 0.05 &) ; sleep 0.2; ps -o pid,comm,stat | grep -c Z', { init: true })
    assert.equal(stdout, '0\n')
  })

  it('gives a terminal of the container’s own devpts', async () => {
    const base = await box.spec([
      'sh',
      '-c',
      'tty; stty size; test -c /dev/console && echo console; read x; echo got $x',
    ])
    const running = await box.start({ ...base, stdio: { ...base.stdio, terminal: true, stdin: true, size: [40, 120] } })
    await running.attached!.write(Buffer.from('hi\n'))
    const { stdout, exit } = await finish(running)
    for (const part of ['/dev/pts/0\r\n', '40 120\r\n', 'console\r\n', 'got hi\r\n'])
      assert.ok(stdout.includes(part), stdout)
    assert.equal(exit.code, 0)
  })

  it('hands stdin on and closes it once, without which `cat` would wait for ever', async () => {
    const base = await box.spec(['cat'])
    const running = await box.start({ ...base, stdio: { ...base.stdio, stdin: true, stdinOnce: true } })
    const big = Buffer.alloc(1_000_000, 'x')
    const written = running.attached!.write(big).then(() => running.attached!.end())
    const { stdout } = await finish(running)
    await written
    assert.equal(stdout.length, big.length)
    const { stdout: empty } = await box.shell('cat; echo end')
    assert.equal(empty, 'end\n')
  })

  it('holds a process back whose attached reader does not read, and lets it go when the reader leaves', async () => {
    const spec = await box.spec(['sh', '-c', 'head -c 8000000 /dev/zero; echo done >&2'])
    const running = await box.start(spec)
    await eventually('a writer that waits', async () => {
      const pids = await box.runtime.cgroups.processes(spec.cgroup.path)
      const calls = await Promise.all(pids.map(pid => readFile(`/proc/${pid}/syscall`, 'utf8')))
      return calls.some(call => writing.test(call))
    })
    running.attached!.close()
    assert.equal((await running.exited).code, 0)
  })

  it('attaches a second reader from now on', async () => {
    const base = await box.spec(['sh', '-c', 'read line; echo $line'])
    const running = await box.start({ ...base, stdio: { ...base.stdio, stdin: true, attach: undefined } })
    const attachment = await running.attach({ stdin: true, stdout: true, stderr: false })
    await attachment.write(Buffer.from('word\n'))
    const chunks: string[] = []
    for await (const { data } of attachment.output) chunks.push(data.toString())
    assert.equal(chunks.join(''), 'word\n')
    await running.exited
  })

  it('makes a device and lets it be used, and no other', async () => {
    const capabilities = { bounding: ['MKNOD', 'SYSLOG'], effective: ['MKNOD', 'SYSLOG'] }
    const script =
      'stat -c "%t:%T %a" /dev/mine; dd if=/dev/mine bs=8192 count=1 of=/dev/null 2>/dev/null && echo read; mknod /tun c 10 200 && cat /tun 2>&1'
    const base = await box.spec(['sh', '-c', script], { process: { capabilities } })
    const { stdout } = await box.run({
      ...base,
      devices: [{ path: '/dev/mine', type: 'c', major: 1, minor: 11, mode: 0o600, uid: 0, gid: 0, cause: 'test' }],
      cgroup: { ...base.cgroup, devices: [{ allow: true, type: 'c', major: 1, minor: 11, access: 'r' }] },
    })
    assert.match(stdout, /^1:b 600\nread\ncat: can't open '\/tun': Operation not permitted\n/)
  })

  it('runs privileged with the host’s devices and a writable /sys', async () => {
    const base = await box.spec(['sh', '-c', 'ls /dev/kmsg; grep " /sys " /proc/self/mountinfo'], {
      privileged: true,
      maskedPaths: [],
      readonlyPaths: [],
      process: { seccomp: { kind: 'unconfined' } },
    })
    const { stdout, exit } = await box.run(base)
    assert.equal(exit.code, 0)
    assert.match(stdout, /^\/dev\/kmsg\n.* rw,/)
  })
})
