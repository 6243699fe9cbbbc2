/** What a hostile image or process can do to the one process that is its parent. */
import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, readlink, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { createRuntime } from '../../src/runtime/kernel-runtime.ts'
import type { MountSpec } from '../../src/runtime/spec.ts'
import { eventually } from '../support/eventually.ts'
import { isUnified } from '../support/groups.ts'
import { Box, finish, kernelSkip } from './runtime-box.ts'

/** Clock ticks of processor time a process has used. */
async function ticks(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ')
  return Number(fields[11]) + Number(fields[12])
}

async function parentOf(pid: number): Promise<number> {
  return Number(/^PPid:\t(\d+)$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1])
}

function bind(source: string, target: string): MountSpec {
  const settings = { readonly: false, recursive: true, propagation: 'rprivate', flags: [], cause: 'test' } as const
  return { kind: 'bind', source, target, directory: !source.endsWith('plain'), ...settings }
}

const terminal = { terminal: true, stdin: true, stdinOnce: true, size: [0, 0] } as const
const all = { stdin: true, stdout: true, stderr: true }

describe('A monitor', { skip: kernelSkip() }, () => {
  let box: Box
  before(async () => {
    box = await Box.open()
  })
  after(async () => {
    await box[Symbol.asyncDispose]()
  })

  it('makes mount points and working directories that any user can enter', async () => {
    const before = process.umask(0o077)
    // its mask is the one its nursery was started with
    const strict = await createRuntime({ cgroupParent: box.prefix })
    process.umask(before)
    const script = 'for name in /a /a/b /x /x/y; do ls -ld $name; done; pwd'
    const spec = await box.spec(['sh', '-c', script], {
      mounts: [bind(join(box.folder, 'root'), '/a/b')],
      process: { cwd: '/x/y', user: { uid: 1000, gid: 1000, groups: [1000] } },
    })
    const { stdout } = await finish(await strict.start(spec))
    await strict.close()
    assert.deepEqual(stdout.match(/^\S+/gm), ['drwxr-xr-x', 'drwxr-xr-x', 'drwxr-xr-x', 'drwxr-xr-x', '/x/y'])
  })

  it('makes the file that a mount point leads to when it is a link to nothing, inside the root', async () => {
    const layer = join(box.folder, 'links')
    await mkdir(join(layer, 'etc'), { recursive: true })
    await symlink('../run/nowhere/resolv.conf', join(layer, 'etc/resolv.conf'))
    await symlink('/etc/../../../tmp/tsc-never-made', join(layer, 'etc/hosts'))
    await symlink('loop', join(layer, 'etc/loop'))
    const spec = await box.spec(['sh', '-c', 'cat /run/nowhere/resolv.conf /tmp/tsc-never-made'], {
      mounts: [
        bind(join(box.folder, 'root/etc/plain'), '/etc/resolv.conf'),
        bind(join(box.folder, 'root/etc/plain'), '/etc/hosts'),
      ],
    })
    const root = { ...spec.root, layers: [...spec.root.layers, layer] }
    assert.equal((await box.run({ ...spec, root })).stdout, 'texttext')
    await assert.rejects(readFile('/tmp/tsc-never-made'), { code: 'ENOENT' })
    const looping = await box.spec(['true'], { mounts: [bind(join(box.folder, 'root/etc/plain'), '/etc/loop')] })
    await assert.rejects(box.start({ ...looping, root: { ...looping.root, layers: root.layers } }), /ELOOP/)
  })

  it('gives a terminal its console also where /dev is a folder of the author that has one', async () => {
    const { stdout } = await box.run(
      await box.spec(['tty'], { mounts: [bind('/dev', '/dev')], stdio: { ...terminal, attach: all } }),
    )
    assert.match(stdout, /\/dev\/(pts\/\d+|console)/)
  })

  it('passes a signal on to a process that does not read its input', async () => {
    const spec = await box.spec(['sleep', '100'], { stdio: { ...terminal, terminal: false, attach: all } })
    const running = await box.start(spec)
    const written = running.attached!.write(Buffer.alloc(4 << 20))
    await pause(100)
    running.signal(9)
    assert.equal((await running.exited).code, 137)
    await written
  })

  it('rests when the input of a terminal has ended', async () => {
    const running = await box.start(await box.spec(['sleep', '100'], { stdio: { ...terminal, attach: all } }))
    const monitor = await parentOf(running.pid)
    running.attached!.end()
    await pause(50)
    const used = await ticks(monitor)
    await pause(300)
    assert.ok((await ticks(monitor)) - used <= 2, 'it polls without rest')
    running.signal(9)
    await running.exited
  })

  it('ends with its process although others of the container go on writing', async () => {
    const container = await box.spec(['sleep', '100'])
    const running = await box.start(container)
    const flood = 'for i in 1 2 3 4; do dd if=/dev/zero bs=65536 2>/dev/null & done; sleep 0.1'
    const exec = await box.start(await box.exec(container, running, ['sh', '-c', flood]))
    const { exit, stdout } = await finish(exec)
    assert.equal(exit.code, 0)
    assert.ok(stdout.length > 0)
    running.signal(9)
    await running.exited
  })

  it('keeps nothing of the container open but its streams, and stands in a network of the host', async () => {
    const running = await box.start(await box.spec(['sleep', '100']))
    const monitor = await parentOf(running.pid)
    const open = await Promise.all(
      (await readdir(`/proc/${monitor}/fd`)).map(fd => readlink(`/proc/${monitor}/fd/${fd}`).catch(() => '')),
    )
    assert.deepEqual(
      open.filter(
        target => !/^(\/dev\/null|socket:.*|pipe:.*|anon_inode:\[(pidfd|signalfd)\]|.*\/(monitor|log))$/.test(target),
      ),
      [],
    )
    assert.equal(await readlink(`/proc/${monitor}/ns/net`), await readlink('/proc/self/ns/net'))
    running.signal(9)
    await running.exited
  })

  it('leaves nothing in the cgroup: not what shares a pid namespace, nor groups within', async () => {
    // in the container the hierarchy of v2 begins at its own group
    const groups = isUnified() ? '/sys/fs/cgroup' : '/sys/fs/cgroup/memory'
    const script = `sleep 1000 >/dev/null 2>&1 & mkdir ${groups}/inner; echo $!`
    const spec = await box.spec(['sh', '-c', script], {
      namespaces: { pid: { kind: 'host' }, ipc: { kind: 'new' }, uts: 'new', cgroup: 'new', user: { kind: 'host' } },
      privileged: true,
      maskedPaths: [],
      readonlyPaths: [],
    })
    const pid = (await box.run(spec)).stdout.trim()
    const alive = async () => /sleep/.test(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''))
    assert.ok(await alive())
    await box.host({ kind: 'delete-cgroup', path: spec.cgroup.path })
    await eventually('the end of the process left behind', async () => !(await alive()))
  })
})
