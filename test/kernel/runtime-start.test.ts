import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Failure } from '../../src/lib/failure.ts'
import { compile } from '../../src/runtime/compile.ts'
import { readFacts } from '../../src/runtime/host.ts'
import { launch, Nursery, Running } from '../../src/runtime/monitor.ts'
import { eventually } from '../support/eventually.ts'
import { Box, finish, kernelSkip } from './runtime-box.ts'

describe('Runtime.start()', { skip: kernelSkip() }, () => {
  let box: Box
  before(async () => {
    box = await Box.open()
  })
  after(async () => {
    await box[Symbol.asyncDispose]()
  })

  it('delivers every byte of output and the exit code', async () => {
    const { exit, stdout, stderr } = await box.shell('echo out; echo err >&2; exit 3')
    assert.deepEqual(
      { stdout, stderr, code: exit.code, signal: exit.signal },
      { stdout: 'out\n', stderr: 'err\n', code: 3, signal: undefined },
    )
  })

  it('delivers the output and exit code of a process that had ended when its input was closed', async () => {
    const spec = await box.spec(['sh', '-c', 'sleep 0.1; echo kept; exit 4'])
    const stdio = { ...spec.stdio, stdin: true, stdinOnce: true, attach: { stdin: true, stdout: true, stderr: true } }
    const running = await box.start({ ...spec, stdio })
    // No turn of the event loop in between: all that the monitor says now waits in the socket, and then we write to it.
    const pause = new Int32Array(new SharedArrayBuffer(4))
    while (!existsSync(join(spec.supervise.directory, 'exit.json'))) Atomics.wait(pause, 0, 0, 10)
    Atomics.wait(pause, 0, 0, 100)
    running.attached!.end()
    const pieces: Buffer[] = []
    for await (const { data } of running.attached!.output) pieces.push(data)
    assert.equal(String(Buffer.concat(pieces)), 'kept\n')
    assert.equal((await running.exited).code, 4)
  })

  it('reports 128 + signal of a killed process', async () => {
    const running = await box.start(await box.spec(['sleep', '100']))
    running.signal(9)
    const { code, signal, oomKilled } = await running.exited
    assert.deepEqual({ code, signal, oomKilled }, { code: 137, signal: 9, oomKilled: false })
    assert.throws(() => running.signal(9), { kind: 'conflict' })
  })

  it('writes the log as Docker does before anyone hears of the exit', async () => {
    const spec = await box.spec(['sh', '-c', 'printf "a\\"<b>\\n\\377x\\nrest"; echo err >&2'])
    await box.run(spec)
    const text = await readFile(spec.supervise.log!.path, 'utf8')
    const records = text
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    assert.deepEqual(
      records.filter(r => r.stream === 'stdout').map(r => r.log),
      ['a"<b>\n', '\ufffdx\n', 'rest'],
    )
    assert.deepEqual(
      records.filter(r => r.stream === 'stderr').map(r => r.log),
      ['err\n'],
    )
    assert.match(records[0].time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/)
    assert.match(text, /\\u003cb\\u003e/)
  })

  it('cuts lines at 16 KiB and rotates the log by size', async () => {
    const base = await box.spec(['sh', '-c', 'head -c 40000 /dev/zero | tr "\\0" x; echo'])
    const spec = {
      ...base,
      supervise: { ...base.supervise, log: { ...base.supervise.log!, maxSize: 30_000, maxFiles: 2 } },
    }
    await box.run(spec)
    const path = spec.supervise.log.path
    const [older, newer] = await Promise.all([readFile(`${path}.1`, 'utf8'), readFile(path, 'utf8')])
    const lengths = (older + newer)
      .trim()
      .split('\n')
      .map(line => JSON.parse(line).log.length)
    assert.deepEqual(lengths, [16_384, 16_384, 40_001 - 2 * 16_384])
    assert.equal((await stat(path)).mode & 0o777, 0o600)
  })

  it('says "executable file not found in $PATH" with exit code 127 and leaves nothing', async () => {
    const spec = await box.spec(['nonesuch'])
    await assert.rejects(box.start(spec), (error: Failure) => {
      assert.match(error.message, /exec: "nonesuch": executable file not found in \$PATH$/)
      return error.exitCode === 127 && error.kind === 'invalid'
    })
    await assert.rejects(stat(`/sys/fs/cgroup/memory/${spec.cgroup.path}`), { code: 'ENOENT' })
    assert.equal(spec.network.kind, 'create')
    await assert.rejects(stat(spec.network.kind === 'create' ? spec.network.path : ''), { code: 'ENOENT' })
    await assert.rejects(stat(`${spec.supervise.directory}/control.sock`), { code: 'ENOENT' })
  })

  it('says "no such file or directory" and "permission denied" as Docker does for paths', async () => {
    await assert.rejects(box.shell('', { process: { args: ['/nonesuch'] } }), {
      exitCode: 127,
      message: /stat \/nonesuch: no such file or directory/,
    })
    await assert.rejects(box.shell('', { process: { args: ['/etc/plain'] } }), {
      exitCode: 126,
      message: /exec: "\/etc\/plain": permission denied/,
    })
    await assert.rejects(box.shell('', { process: { args: ['plain'], env: ['PATH=/etc'] } }), { exitCode: 126 })
  })

  it('names the limit that the kernel refuses', async () => {
    const spec = await box.spec(['true'])
    await assert.rejects(box.start({ ...spec, cgroup: { ...spec.cgroup, cpusetCpus: '4000' } }), {
      kind: 'invalid',
      message: /^Cannot set CpusetCpus to 4000: /,
    })
  })

  it('gives its own hostname, process 1, and an empty network', async () => {
    const { stdout } = await box.shell('hostname; echo $$; ls /sys/class/net')
    const [hostname, pid, ...links] = stdout.trim().split('\n')
    assert.match(hostname!, /^[0-9a-f]{12}$/)
    assert.deepEqual([pid, links], ['1', ['lo']])
  })

  it('makes the working directory inside the root, through links of the image', async () => {
    await symlink('/tmp', join(box.folder, 'root/link')).catch(() => undefined)
    const { stdout } = await box.shell('pwd', { process: { cwd: '/link/a/b' } })
    assert.equal(stdout, '/tmp/a/b\n')
  })

  it('refuses a working directory that leads out of the root', async () => {
    for (const cwd of ['/proc/self/fd/3', '/proc/self/fd/5', '/proc/1/fd/7', '/proc/self/cwd'])
      await assert.rejects(box.shell('cat ../../../etc/hostname', { process: { cwd } }), /working directory/)
  })

  it('runs as the user, without capabilities, in its groups', async () => {
    const { stdout } = await box.shell('id; grep Cap /proc/self/status', {
      process: { user: { uid: 1000, gid: 1001, groups: [1001, 5] } },
    })
    assert.match(stdout, /uid=1000 gid=1001 groups=5,1001/)
    assert.match(stdout, /CapInh:\t0+\nCapPrm:\t0+\nCapEff:\t0+\nCapBnd:\t00000000a80425fb\nCapAmb:\t0+/)
  })

  it('has exactly the capabilities of the spec', async () => {
    const capabilities = { bounding: ['CHOWN', 'NET_ADMIN'], effective: ['CHOWN', 'NET_ADMIN'] }
    const { stdout } = await box.shell('grep Cap /proc/self/status', { process: { capabilities } })
    assert.match(
      stdout,
      /CapInh:\t0+\nCapPrm:\t0000000000001001\nCapEff:\t0000000000001001\nCapBnd:\t0000000000001001\nCapAmb:\t0+\n/,
    )
  })

  it('refuses mount and unshare by seccomp, and hides what is masked', async () => {
    const all = 'CHOWN NET_ADMIN DAC_OVERRIDE'.split(' ')
    const { stdout } = await box.shell(
      'unshare -U true 2>&1; grep -E "Seccomp:|NoNewPrivs" /proc/self/status; wc -c </proc/timer_list; ls /sys/firmware; echo x 2>&1 >/proc/sys/kernel/domainname',
      { process: { capabilities: { bounding: all, effective: all } } },
    )
    assert.match(stdout, /Operation not permitted/)
    assert.match(stdout, /NoNewPrivs:\t0\nSeccomp:\t2\n0\n/)
  })

  it('sets no_new_privs when asked', async () => {
    const { stdout } = await box.shell('grep NoNewPrivs /proc/self/status', { process: { noNewPrivileges: true } })
    assert.equal(stdout, 'NoNewPrivs:\t1\n')
  })

  it('obeys a profile in Docker’s form, and refuses one it does not understand', async () => {
    const profile = {
      defaultAction: 'SCMP_ACT_ALLOW',
      architectures: ['SCMP_ARCH_X86_64'],
      syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 28 }],
    }
    const seccomp = { kind: 'profile', capabilities: [] } as const
    const { stdout } = await box.shell('mkdir /tmp/x 2>&1', { process: { seccomp: { ...seccomp, profile } } })
    assert.match(stdout, /No space left on device/)
    const broken = { ...profile, syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' }] }
    await assert.rejects(box.shell('', { process: { seccomp: { ...seccomp, profile: broken } } }), {
      kind: 'invalid',
    })
  })

  it('keeps the root read-only but not /dev/shm and volumes', async () => {
    const source = join(box.folder, 'volume')
    await mkdir(source, { recursive: true })
    const base = await box.spec([
      'sh',
      '-c',
      'touch /x 2>&1; touch /dev/shm/y /data/sub/z && echo fine; cat /ro/z; touch /ro/w 2>&1',
    ])
    const { stdout } = await box.run({
      ...base,
      root: { ...base.root, readonly: true },
      mounts: [
        {
          kind: 'bind',
          source,
          target: '/data/sub',
          readonly: false,
          recursive: true,
          propagation: 'rprivate',
          directory: true,
          flags: [],
          cause: 'test',
        },
        {
          kind: 'bind',
          source,
          target: '/ro',
          readonly: true,
          recursive: true,
          propagation: 'rprivate',
          directory: true,
          flags: ['nosuid'],
          cause: 'test',
        },
      ],
    })
    assert.match(stdout, /^touch: \/x: Read-only file system\nfine\ntouch: \/ro\/w: Read-only file system\n$/)
  })

  it('binds files, mounts tmpfs with its options, and refuses targets in procfs', async () => {
    const source = join(box.folder, 'file')
    await writeFile(source, 'content\n')
    await symlink('/proc', join(box.folder, 'root/toproc')).catch(() => undefined)
    const file = {
      kind: 'bind',
      source,
      target: '/etc/new/file',
      readonly: false,
      recursive: false,
      propagation: 'rprivate',
      directory: false,
      flags: [],
      cause: 'test',
    } as const
    const { stdout } = await box.shell('cat /etc/new/file; grep " /scratch " /proc/self/mountinfo', {
      mounts: [
        file,
        { kind: 'tmpfs', target: '/scratch', data: 'size=64k,mode=1770', flags: ['noexec', 'nosuid'], cause: 'test' },
      ],
    })
    assert.match(stdout, /^content\n.*nosuid,noexec.* tmpfs .*size=64k,mode=1770/)
    await assert.rejects(box.shell('true', { mounts: [{ ...file, target: '/proc/version' }] }), { kind: 'invalid' })
    await assert.rejects(
      box.shell('true', { mounts: [{ ...file, target: '/toproc/uptime' }] }),
      /Cannot mount on "\/toproc\/uptime": EACCES/,
    )
    await assert.rejects(
      box.shell('true', { mounts: [{ ...file, source: `${source}-none` }] }),
      /Cannot mount .*ENOENT/,
    )
  })

  it('mounts below a root of the host and its procfs as below any folder, and over /proc only another procfs', async () => {
    const bind = {
      kind: 'bind',
      cause: 'HostConfig.Binds',
      readonly: true,
      propagation: 'rprivate',
      flags: [],
    } as const
    const folder = { ...bind, recursive: true, directory: true }
    const host = { ...folder, source: '/', target: '/host' }
    const uptime = { ...bind, recursive: false, directory: false, source: '/proc/self/comm', target: '/proc/uptime' }
    const { stdout } = await box.shell('grep -c " /host/proc proc" /proc/mounts; cat /proc/uptime', {
      mounts: [host, { ...folder, source: '/proc', target: '/host/proc' }, uptime],
    })
    assert.match(stdout, /^[12]\ncat\n$/)
    const own = (source: string) =>
      box.shell('test -r /proc/1/status && echo there', { mounts: [{ ...folder, source, target: '/proc' }] })
    assert.equal((await own('/proc')).stdout, 'there\n')
    await assert.rejects(own('/etc'), /Cannot mount on "\/proc": EACCES/)
  })

  it('mounts a part of a folder, by links that stay in it', async () => {
    const source = join(box.folder, 'parts')
    await mkdir(join(source, 'real/deep'), { recursive: true })
    await writeFile(join(source, 'real/file'), 'inside')
    for (const [name, to] of Object.entries({ rel: 'real', out: '../..', abs: '/etc', gone: 'nowhere' }))
      await symlink(to, join(source, name)).catch(() => undefined)
    const part = (beneath: string) =>
      box.shell('cat /part/file 2>/dev/null || cat /part', {
        mounts: [
          {
            kind: 'bind',
            cause: 'HostConfig.Mounts[0]',
            source,
            beneath,
            target: '/part',
            readonly: true,
            recursive: true,
            propagation: 'rprivate',
            directory: undefined,
            flags: [],
          },
        ],
      })
    for (const beneath of ['real', 'rel', 'rel/deep/..', 'rel/file'])
      assert.equal((await part(beneath)).stdout, 'inside')
    for (const beneath of ['out', 'abs'])
      await assert.rejects(part(beneath), {
        kind: 'invalid',
        message: /^path concatenation escapes the base directory/,
      })
    await assert.rejects(part('gone'), {
      kind: 'not-found',
      message: /^cannot access path .*: no such file or directory$/,
    })
  })

  it('mounts an image of several layers for reading, whole or in part', async () => {
    const layers = [join(box.folder, 'low'), join(box.folder, 'high')]
    for (const layer of layers) await mkdir(join(layer, 'sub'), { recursive: true })
    await writeFile(join(layers[0]!, 'sub/name'), 'low')
    await writeFile(join(layers[0]!, 'sub/only'), 'below')
    await writeFile(join(layers[1]!, 'sub/name'), 'high')
    const read = (path: string, mount: { readonly layers: readonly string[]; readonly beneath?: string }) =>
      box.shell(`cat ${path}; touch ${path} 2>&1`, {
        mounts: [{ kind: 'image', cause: 'HostConfig.Mounts[0]', target: '/img', ...mount }],
      })
    assert.match((await read('/img/sub/name', { layers })).stdout, /^high.*Read-only file system/)
    assert.match((await read('/img/only', { layers, beneath: 'sub' })).stdout, /^below.*Read-only/)
    assert.match((await read('/img', { layers, beneath: 'sub/name' })).stdout, /^high.*Read-only/)
    assert.match((await read('/img/name', { layers: layers.slice(0, 1), beneath: 'sub' })).stdout, /^low.*Read-only/)
  })

  it('never follows a link of the image out of the root', async () => {
    const canary = join(box.folder, 'canary')
    await mkdir(canary, { recursive: true })
    await symlink(canary, join(box.folder, 'root/escape')).catch(() => undefined)
    const source = join(box.folder, 'volume')
    await mkdir(source, { recursive: true })
    const mount = {
      kind: 'bind',
      source,
      target: '/escape/made',
      readonly: false,
      recursive: true,
      propagation: 'rprivate',
      directory: true,
      flags: [],
      cause: 'test',
    } as const
    await box.shell('true', { mounts: [mount] }).catch(() => undefined)
    await assert.rejects(stat(join(canary, 'made')), { code: 'ENOENT' })
  })

  it('starts an image of 100 layers', async () => {
    const layers: string[] = []
    for (let n = 0; n < 100; n++) {
      const layer = join(
        box.folder,
        `layer${n}`,
        'a-rather-long-name-so-that-one-option-string-cannot-carry-them-all',
        'root',
      )
      await mkdir(layer, { recursive: true })
      await writeFile(join(layer, 'top'), String(n))
      layers.push(layer)
    }
    const base = await box.spec(['cat', '/top'])
    const { stdout } = await box.run({ ...base, root: { ...base.root, layers: [base.root.layers[0]!, ...layers] } })
    assert.equal(stdout, '99')
  })

  it('ends with oomKilled when memory runs out', async () => {
    const base = await box.spec(['sh', '-c', 'x=$(yes | head -c 60000000); echo survived'])
    const { exit, stdout } = await box.run({
      ...base,
      cgroup: { ...base.cgroup, memory: 8 << 20, memorySwap: 8 << 20 },
    })
    assert.deepEqual({ stdout, oom: exit.oomKilled, failed: exit.code !== 0 }, { stdout: '', oom: true, failed: true })
  })

  it('sets the limits of every controller', async () => {
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
      (await readFile(`/sys/fs/cgroup/${controller}/${base.cgroup.path}/${controller}.${file}`, 'utf8')).trim()
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
      const waits = await Promise.all(pids.map(pid => readFile(`/proc/${pid}/wchan`, 'utf8')))
      return waits.some(wait => wait.includes('pipe_write'))
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

  it('leaks no descriptor into the command', async () => {
    const { stdout } = await box.shell('ls -l /proc/self/fd | grep -v -E " [012] -> (pipe:|/dev/null)| 3$|total"')
    assert.equal(stdout, '')
  })

  it('runs a root that is no overlay', async () => {
    const base = await box.spec(['sh', '-c', 'touch /x && echo made'])
    const upper = join(box.folder, 'plain')
    await mkdir(join(upper, 'bin'), { recursive: true })
    await copyFile('/bin/busybox', join(upper, 'bin/sh'))
    const { exit, stderr } = await box.run({
      ...base,
      process: { ...base.process, args: ['/bin/sh', '-c', 'echo y >/x'] },
      root: { ...base.root, kind: 'copy', upper },
    })
    assert.deepEqual([exit.code, stderr], [0, ''])
    assert.equal(await readFile(join(upper, 'x'), 'utf8'), 'y\n')
  })

  it('shares the namespaces and /dev/shm of another container', async () => {
    const first = await box.spec(['sh', '-c', 'echo shared >/dev/shm/f; echo ready; exec sleep 1000'])
    const running = await box.start(first)
    for await (const { data } of running.attached!.output) if (data.includes('ready')) break
    const join = { kind: 'join', pid: running.pid, cgroupPath: first.cgroup.path } as const
    const base = await box.spec(['sh', '-c', 'cat /dev/shm/f; ps | grep -c "[s]leep 1000"'])
    assert.ok(first.network.kind === 'create')
    const { stdout } = await box.run({
      ...base,
      namespaces: { ...base.namespaces, pid: join, ipc: join },
      network: { kind: 'join', path: first.network.path },
      sysctls: {},
    })
    assert.equal(stdout, 'shared\n1\n')
    // as when the pid has come to mean another container's process
    const stale = { ...join, cgroupPath: `${box.prefix}/gone` }
    for (const name of ['pid', 'ipc'])
      await assert.rejects(
        box.run({ ...(await box.spec(['true'])), namespaces: { ...base.namespaces, [name]: stale } }),
        { kind: 'conflict', message: new RegExp(`Cannot join process ${running.pid}: ESRCH`) },
      )
  })

  it('mounts its layers by one option string where the kernel wants that', async () => {
    const spec = await box.spec(['sh', '-c', 'echo works'])
    const nursery = new Nursery('tsct')
    const facts = { ...(await readFacts()), layerByLayer: false }
    const { control, pid, at } = await launch(
      nursery,
      compile({ ...spec, network: { kind: 'host' }, sysctls: {} }, { facts, filter: undefined, devices: [] }),
    )
    const running = new Running(control, {
      pid,
      at,
      directory: spec.supervise.directory,
      cgroup: undefined,
      attach: { stdin: true, stdout: true, stderr: true },
      say: () => undefined,
    })
    const { stdout } = await finish(running)
    nursery.close()
    assert.equal(stdout, 'works\n')
  })
})
