import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Supervised } from '../../src/runtime/runtime.ts'
import type { ContainerSpec } from '../../src/runtime/spec.ts'
import { Box, finish, kernelSkip } from './runtime-box.ts'

describe('Runtime.start() of an exec', { skip: kernelSkip() }, () => {
  let box: Box
  let container: ContainerSpec
  let running: Supervised
  before(async () => {
    box = await Box.open()
    container = await box.spec(['sleep', '1000'])
    running = await box.start(container)
  })
  after(async () => {
    await box[Symbol.asyncDispose]()
  })

  it('runs in the container’s namespaces and cgroup', async () => {
    const script =
      'hostname; ps | grep -c "[s]leep 1000"; ls -l /proc/self/ns | tr -s " " | grep -v _for_; cat /proc/self/cgroup'
    const { stdout, exit } = await box.run(await box.exec(container, running, ['sh', '-c', script]))
    assert.equal(exit.code, 0)
    assert.match(stdout, new RegExp(`^${container.hostname}\n1\n`))
    const { readlinkSync } = await import('node:fs')
    for (const name of ['mnt', 'pid', 'net', 'ipc', 'uts', 'cgroup']) {
      const link = readlinkSync(`/proc/${running.pid}/ns/${name}`)
      assert.ok(stdout.includes(link), `${name}: ${link} in ${stdout}`)
    }
    assert.match(stdout, new RegExp(`(memory|^0:):/(.*/)?${container.cgroup.path}\n`, 'm'))
  })

  it('has the same rights as the container, and its own user', async () => {
    const user = { uid: 33, gid: 33, groups: [33] }
    const { stdout } = await box.run(
      await box.exec(container, running, ['sh', '-c', 'id -u; grep -E "Cap|Seccomp:" /proc/self/status'], {
        process: { user },
      }),
    )
    assert.match(
      stdout,
      /^33\nCapInh:\t0+\nCapPrm:\t0+\nCapEff:\t0+\nCapBnd:\t00000000a80425fb\nCapAmb:\t0+\nSeccomp:\t2\n/,
    )
  })

  it('reports its own exit code', async () => {
    const { exit } = await box.run(await box.exec(container, running, ['sh', '-c', 'exit 42']))
    assert.equal(exit.code, 42)
  })

  it('says what is wrong with a command as Docker does', async () => {
    await assert.rejects(box.start(await box.exec(container, running, ['nonesuch'])), {
      exitCode: 127,
      message: /executable file not found in \$PATH/,
    })
  })

  it('gives a terminal of the container’s devpts', async () => {
    const spec = await box.exec(container, running, ['sh', '-c', 'tty; stty size'], {
      stdio: { ...container.stdio, terminal: true, size: [24, 80] },
    })
    const { stdout } = await box.run(spec)
    assert.match(stdout, /^\/dev\/pts\/\d\r\n24 80\r\n$/)
  })

  it('follows the window', async () => {
    const stdio = { ...container.stdio, terminal: true, stdin: true, size: [24, 80] as const }
    const exec = await box.start(await box.exec(container, running, ['sh', '-c', 'read x; stty size'], { stdio }))
    exec.resize(30, 100)
    await exec.attached!.write(Buffer.from('\n'))
    assert.match((await finish(exec)).stdout, /30 100/)
  })

  it('refuses a host folder as working directory', async () => {
    for (let fd = 3; fd < 12; fd++)
      await assert.rejects(
        box.start(await box.exec(container, running, ['pwd'], { process: { cwd: `/proc/self/fd/${fd}` } })),
        { exitCode: 127, message: /^chdir to cwd \("\/proc\/self\/fd\/\d+"\) set in config.json failed: / },
      )
  })

  it('refuses a process that is not in the container’s cgroup', async () => {
    const spec = await box.exec(container, running, ['true'])
    await assert.rejects(box.start({ ...spec, pid: process.pid }), { kind: 'conflict' })
  })

  it('ends while a background child keeps its output open', async () => {
    const { exit, stdout } = await box.run(await box.exec(container, running, ['sh', '-c', 'echo out; sleep 500 &']))
    assert.deepEqual([exit.code, stdout], [0, 'out\n'])
  })

  it('takes input for `exec -i`', async () => {
    const stdio = { ...container.stdio, stdin: true, stdinOnce: true }
    const exec = await box.start(await box.exec(container, running, ['cat'], { stdio }))
    await exec.attached!.write(Buffer.from('abc'))
    exec.attached!.end()
    assert.equal((await finish(exec)).stdout, 'abc')
  })

  it('is gone with the container', async () => {
    const other = await box.spec(['sleep', '1000'])
    const first = await box.start(other)
    const exec = await box.start(await box.exec(other, first, ['sleep', '1000']))
    first.signal(9)
    assert.equal((await exec.exited).code, 137)
    await first.exited
    await assert.rejects(box.start(await box.exec(other, first, ['true'])), { kind: 'conflict' })
    assert.ok(join(box.folder, other.id))
  })
})
