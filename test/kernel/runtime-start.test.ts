import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { copyFile, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Failure } from '../../src/lib/failure.ts'
import { compile } from '../../src/runtime/compile.ts'
import { readFacts } from '../../src/runtime/host.ts'
import { launch, Nursery, Running } from '../../src/runtime/monitor.ts'
import { lockFile } from '../../src/runtime/native.ts'
import { eventually } from '../support/eventually.ts'
import { groupFolder } from '../support/groups.ts'
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

  it('writes what was asked for beside each line as Docker does', async () => {
    const base = await box.spec(['echo', 'hi'])
    const attributes = { 'b c': 'ü&=,\u2028', X: '1 & <2>"', 10: 'ten', 2: 'two' }
    await box.run({ ...base, supervise: { ...base.supervise, log: { ...base.supervise.log!, attributes } } })
    const text = await readFile(base.supervise.log!.path, 'utf8')
    assert.match(
      text,
      /^{"log":"hi\\n","stream":"stdout","attrs":{"10":"ten","2":"two","X":"[^{}]*},"time":"[^"]*"}\n$/,
    )
    assert.match(text, /"X":"1 \\u0026 \\u003c2\\u003e\\"","b c":"ü\\u0026=,\\u2028"/)
    assert.deepEqual(JSON.parse(text).attrs, attributes)
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

  it('loses no line of many that are written at once, and no file is larger than it may be', async () => {
    const numbers = Array.from({ length: 5000 }, (_, i) => `${i + 1}\n`)
    const base = await box.spec(['sh', '-c', 'echo "$1"', 'sh', numbers.join('').trim()])
    const log = { ...base.supervise.log!, maxSize: 20_000, maxFiles: 100 }
    await box.run({ ...base, supervise: { ...base.supervise, log } })
    const names = Array.from({ length: log.maxFiles }, (_, i) => (i === 0 ? log.path : `${log.path}.${i}`))
    const files = names.filter(name => existsSync(name)).map(name => readFileSync(name, 'utf8'))
    assert.ok(files.length > 10 && files.every(text => text.length <= log.maxSize && text.endsWith('}\n')))
    const lines = files.toReversed().join('').trim().split('\n')
    assert.deepEqual(
      lines.map(line => JSON.parse(line).log),
      numbers,
    )
  })

  it('moves compressed files of a log as it moves plain ones, and does not rotate while somebody has the lock', async () => {
    const base = await box.spec(['sh', '-c', 'for i in 1 2 3 4; do echo $i; read x; done'])
    const attached = { stdin: true, stdout: true, stderr: false }
    const log = { ...base.supervise.log!, maxSize: 1, maxFiles: 3 }
    const { path } = log
    const spec = {
      ...base,
      stdio: { ...base.stdio, stdin: true, attach: attached },
      supervise: { ...base.supervise, log },
    }
    const running = await box.start(spec)
    const logged = (file: string) =>
      existsSync(file)
        ? readFileSync(file, 'utf8')
            .match(/(?<="log":")\d/g)
            ?.join('')
        : undefined
    const names = () => ['', '.1', '.1.gz', '.2', '.2.gz'].filter(suffix => existsSync(path + suffix))
    await eventually('the first line', () => logged(path) === '1')
    await writeFile(`${path}.1.gz`, 'packed')
    await running.attached!.write(Buffer.from('\n'))
    await eventually('the second line', () => logged(path) === '2')
    assert.deepEqual(names(), ['', '.1', '.2.gz'])
    assert.equal(logged(`${path}.1`), '1')
    const lock = lockFile(path, { existing: true })!
    await running.attached!.write(Buffer.from('\n'))
    await eventually('the third line', () => logged(path) === '23')
    assert.deepEqual(names(), ['', '.1', '.2.gz'])
    lock.release()
    await running.attached!.write(Buffer.from('\n'))
    await eventually('the fourth line', () => logged(path) === '4')
    assert.deepEqual(names(), ['', '.1', '.2'])
    assert.deepEqual([logged(`${path}.2`), logged(`${path}.1`)], ['1', '23'])
    await running.attached!.write(Buffer.from('\n'))
    await running.exited
  })

  it('says "executable file not found in $PATH" with exit code 127 and leaves nothing', async () => {
    const spec = await box.spec(['nonesuch'])
    await assert.rejects(box.start(spec), (error: Failure) => {
      assert.match(error.message, /exec: "nonesuch": executable file not found in \$PATH$/)
      return error.exitCode === 127 && error.kind === 'invalid'
    })
    await assert.rejects(stat(groupFolder('memory', spec.cgroup.path)), { code: 'ENOENT' })
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
    const found = await readFacts()
    // as a runtime has it where systemd manages groups: those of this box stand in its scope
    const scope = box.runtime.cgroups.driver === 'systemd' ? spec.cgroup.path.split('/')[0] : undefined
    const facts = { ...found, cgroup: { ...found.cgroup, scope }, layerByLayer: false }
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
