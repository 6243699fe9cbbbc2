import assert from 'node:assert/strict'
import { chmod, chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createRuntime } from '../../src/runtime/kernel-runtime.ts'
import type { ContainerSpec, IdRange, MountSpec } from '../../src/runtime/spec.ts'
import { groupFolder, isUnified } from '../support/groups.ts'
import { lacking, mappedLayers } from '../support/needs.ts'
import { patience } from '../support/patience.ts'
import { Box, finish, kernelSkip } from './runtime-box.ts'

const skip = kernelSkip() || lacking(mappedLayers())
const ids: IdRange = { uid: 1_879_048_192, gid: 1_879_113_728, size: 65_536 }
const user = { kind: 'own', ids } as const
const limitsSeen = `cat /sys/fs/cgroup/${isUnified() ? 'memory.max' : 'memory/memory.limit_in_bytes'}`

describe('a container in a user namespace', { skip, timeout: 60_000 * patience }, () => {
  let box: Box
  before(async () => {
    box = await Box.open()
  })
  after(() => box[Symbol.asyncDispose]())

  const namespaces = (change: Partial<ContainerSpec['namespaces']> = {}): ContainerSpec['namespaces'] => ({
    pid: { kind: 'new' },
    ipc: { kind: 'new' },
    uts: 'new',
    cgroup: 'new',
    user,
    ...change,
  })
  const sysctls = { 'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': '0 65535' }
  type Change = Parameters<Box['spec']>[1]
  const shell = (script: string, change: Change = {}) =>
    box.shell(script, { namespaces: namespaces(), sysctls, ...change })
  const bind = (source: string, target: string, change: Partial<MountSpec> = {}): MountSpec =>
    ({
      kind: 'bind',
      source,
      target,
      readonly: false,
      recursive: true,
      propagation: 'rprivate',
      directory: true,
      flags: [],
      cause: 'HostConfig.Binds[0]',
      ...change,
    }) as MountSpec

  it('is root of its own ids alone', async () => {
    const { stdout, stderr } = await shell(
      'id -u; echo $$; cat /proc/self/uid_map /proc/self/gid_map; hostname; cat /proc/sys/net/ipv4/ping_group_range',
    )
    const lines = stdout
      .trim()
      .split('\n')
      .map(line => line.trim().split(/\s+/).join(' '))
    assert.equal(stderr, '')
    assert.deepEqual(lines.slice(0, 4), ['0', '1', `0 ${ids.uid} 65536`, `0 ${ids.gid} 65536`])
    assert.equal(lines[5], '0 65535')
  })

  it('finds its group, and the limits in it, below groups of an engine that shares nothing', async () => {
    const above = `${box.prefix}/above`
    const base = await box.spec(['sh', '-c', limitsSeen], { namespaces: namespaces(), sysctls })
    const spec = { ...base, cgroup: { ...base.cgroup, path: `${above}/${base.id}`, memory: 64 << 20 } }
    const mask = process.umask(0o077)
    try {
      const { stdout, stderr } = await box.run(spec)
      assert.equal(stderr, '')
      assert.equal(stdout.trim(), String(64 << 20))
    } finally {
      process.umask(mask)
    }
    assert.equal((await stat(groupFolder('memory', above))).mode & 0o777, 0o755)
    for (const path of [spec.cgroup.path, above]) await box.host({ kind: 'delete-cgroup', path })
  })

  it('opens a group that an engine of before had for itself alone', async () => {
    const group = groupFolder('memory', box.prefix)
    await chmod(group, 0o700)
    const runtime = await createRuntime({ cgroupParent: box.prefix })
    try {
      assert.equal((await stat(group)).mode & 0o777, 0o755)
    } finally {
      await runtime.close()
    }
  })

  it('reads its layers and writes its changes with the ids that they have on the disk', async () => {
    const file = join(box.folder, 'root/etc/owned')
    await writeFile(file, 'text')
    await chown(file, 33, 44)
    const spec = await box.spec(
      [
        'sh',
        '-c',
        'stat -c %u:%g /etc/owned /etc/plain; echo more >> /etc/owned; echo new > /new; chown 7:8 /new; mkdir /made; rm /etc/plain; stat -c %u:%g /etc/owned /new /made /',
      ],
      { namespaces: namespaces(), sysctls },
    )
    const { stdout, stderr } = await box.run(spec)
    assert.equal(stderr, '')
    assert.deepEqual(stdout.trim().split('\n'), ['33:44', '0:0', '33:44', '7:8', '0:0', '0:0'])
    const owner = async (path: string) => {
      const found = await stat(join(spec.root.upper, path))
      return `${found.uid}:${found.gid}`
    }
    assert.deepEqual(await Promise.all(['etc/owned', 'new', 'made', 'etc/plain'].map(owner)), [
      '33:44',
      '7:8',
      '0:0',
      '0:0',
    ])
    assert.equal(await readFile(file, 'utf8'), 'text')
  })

  it('shows binds of folders and files with the ids of the disk', async () => {
    const folder = join(box.folder, 'bound')
    await mkdir(folder)
    await writeFile(join(folder, 'of-1000'), '')
    await chown(join(folder, 'of-1000'), 1000, 1000)
    const { stdout, stderr } = await shell(
      'stat -c %u:%g /data /data/of-1000 /one; echo x > /data/new; chown 1000 /data/new',
      {
        mounts: [bind(folder, '/data'), bind(join(folder, 'of-1000'), '/one', { directory: false, readonly: true })],
      },
    )
    assert.equal(stderr, '')
    assert.deepEqual(stdout.trim().split('\n'), ['0:0', '1000:1000', '1000:1000'])
    const made = await stat(join(folder, 'new'))
    assert.deepEqual([made.uid, made.gid], [1000, 0])
  })

  it('has devices that work and makes none', async () => {
    const { stdout, stderr } = await shell(
      'echo x > /dev/null; head -c 3 /dev/zero | wc -c; stat -c %u:%g /dev /dev/null /dev/pts /dev/shm; mkdir /dev/mine; mknod /dev/disk b 7 0',
    )
    assert.deepEqual(stdout.trim().split('\n'), ['3', '0:0', '0:0', '0:0', '0:0'])
    assert.match(stderr, /mknod: .*Operation not permitted/)
  })

  it('cannot see or change what is masked and read-only', async () => {
    const { stdout, stderr } = await shell(
      'wc -c < /proc/keys; echo 1 > /proc/sys/kernel/domainname; umount /proc/keys',
      {
        process: {
          capabilities: { bounding: ['SYS_ADMIN', 'CHOWN'], effective: ['SYS_ADMIN', 'CHOWN'] },
          seccomp: { kind: 'unconfined' },
        },
      },
    )
    assert.equal(stdout.trim(), '0')
    assert.match(stderr, /Read-only file system/)
  })

  it('has its rights in its own namespaces alone', async () => {
    const all = { bounding: ['SYS_ADMIN', 'NET_ADMIN', 'NET_RAW'], effective: ['SYS_ADMIN', 'NET_ADMIN', 'NET_RAW'] }
    const { stdout, stderr } = await shell(
      'ip link set lo up && echo up; ip link set lo mtu 1400 && echo mtu; hostname x && hostname; ping -c 1 -W 1 127.0.0.1 > /dev/null && echo ping',
      {
        process: { capabilities: all, seccomp: { kind: 'unconfined' } },
      },
    )
    assert.equal(stderr, '')
    assert.deepEqual(stdout.trim().split('\n'), ['up', 'mtu', 'x', 'ping'])
  })

  it('runs as another user, whose streams are its own', async () => {
    const { stdout, stderr } = await shell('id -u; id -g; echo to > /dev/stdout', {
      process: { user: { uid: 1000, gid: 50, groups: [50] } },
    })
    assert.equal(stderr, '')
    assert.deepEqual(stdout.split('\n').slice(0, 3), ['1000', '50', 'to'])
  })

  it('has a terminal, and is joined by further processes with one', async () => {
    const stdio = {
      terminal: true,
      stdin: true,
      stdinOnce: false,
      size: [24, 80] as const,
      attach: { stdin: true, stdout: true, stderr: true },
    }
    const spec = await box.spec(['sh', '-c', 'stat -c %u:%t /dev/console; tty; exec sleep 30'], {
      namespaces: namespaces(),
      sysctls,
      stdio,
      process: { user: { uid: 5, gid: 5, groups: [5] } },
    })
    const running = await box.start(spec)
    const ended = finish(running)
    const exec = await box.run(
      await box.exec(
        spec,
        running,
        ['sh', '-c', 'id -u; tty; cat /proc/self/uid_map; echo x > /tmp-of-exec; stat -c %u /tmp-of-exec'],
        {
          ids,
          process: { user: { uid: 0, gid: 0, groups: [0] } },
        },
      ),
    )
    running.signal(9)
    const { stdout } = await ended
    assert.match(stdout, /^5:88\r\n\/dev\/console|^5:88\r\n\/dev\/pts/)
    assert.match(exec.stdout, new RegExp(`^0\\r\\n/dev/pts/\\d\\r\\n\\s+0\\s+${ids.uid}\\s+65536\\r\\n0\\r\\n$`))
    assert.equal((await stat(join(spec.root.upper, 'tmp-of-exec'))).uid, 0)
  })

  it('owns the network that is kept for its next run, and that of a sandbox made before', async () => {
    const admin = { process: { capabilities: { bounding: ['NET_ADMIN'], effective: ['NET_ADMIN'] } } }
    const spec = await box.spec(['ip', 'link', 'set', 'lo', 'mtu', '1400'], {
      namespaces: namespaces(),
      sysctls,
      ...admin,
    })
    assert.ok(spec.network.kind === 'create')
    const { path } = spec.network
    await box.host({ kind: 'create-sandbox', path, interfaces: [], user })
    const network = { kind: 'join', path } as const
    for (const round of [1, 2]) {
      const { stderr, exit } = await box.run({ ...spec, network })
      assert.equal(stderr, '', `round ${round}`)
      assert.equal(exit.code, 0)
    }
  })

  it('joins the user namespace of another, with its processes and memory', async () => {
    const first = await box.spec(['sleep', '30'], { namespaces: namespaces(), sysctls })
    const running = await box.start(first)
    const at = { kind: 'join', pid: running.pid, cgroupPath: first.cgroup.path } as const
    const { stdout, stderr } = await shell(
      'readlink /proc/1/ns/user; readlink /proc/self/ns/user; readlink /proc/self/ns/net; cat /proc/1/comm; kill -9 1; touch /dev/shm/x',
      {
        namespaces: namespaces({
          pid: at,
          ipc: at,
          user: { kind: 'join', ids, pid: at.pid, cgroupPath: at.cgroupPath },
        }),
      },
    )
    assert.equal(stderr, '')
    const [one, own, net, comm] = stdout.trim().split('\n')
    assert.equal(one, own)
    assert.notEqual(net, '')
    assert.equal(comm, 'sleep')
    running.signal(9)
    await running.exited
  })

  it('refuses what a user namespace cannot have, and says what to write', async () => {
    const cases: readonly (readonly [Change, RegExp])[] = [
      [{ writableCgroups: true }, /Cannot let a container in a user namespace write its cgroups/],
      [{ privileged: true }, /privileged mode is incompatible with user namespaces/],
      [{ network: { kind: 'host' } }, /cannot share the host's network namespace when user namespaces are enabled/],
      [
        { namespaces: namespaces({ pid: { kind: 'host' } }) },
        /cannot share the host PID namespace when user namespaces/,
      ],
      [
        { process: { user: { uid: 70_000, gid: 0, groups: [0] } } },
        /Cannot become user or group 70000: a user namespace has 0 to 65535/,
      ],
      [
        { mounts: [bind('/proc', '/host')] },
        /Cannot show "\/proc" in a user namespace: its file system, or one mounted below it, takes no mapped ids/,
      ],
    ]
    for (const [change, message] of cases) await assert.rejects(shell('true', change), { message })
  })
})
