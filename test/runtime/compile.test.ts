import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compile } from '../../src/runtime/compile.ts'
import { compileExec } from '../../src/runtime/exec.ts'
import { stepFailure } from '../../src/runtime/failure.ts'
import type { HostFacts } from '../../src/runtime/host.ts'
import { capabilityMask } from '../../src/runtime/parts/capabilities.ts'
import { sysctlPath } from '../../src/runtime/parts/namespaces.ts'
import { printProgram, programLines } from '../../src/runtime/print.ts'
import type { ContainerSpec, MountSpec } from '../../src/runtime/spec.ts'

const facts: HostFacts = {
  cgroup: {
    version: 1,
    mounts: { memory: '/sys/fs/cgroup/memory', devices: '/sys/fs/cgroup/devices', pids: '/sys/fs/cgroup/pids' },
  },
  capabilities: (1n << 41n) - 1n,
  lastCapability: 40,
  layerByLayer: true,
  mqueue: true,
  rootless: false,
}

function spec(change: Partial<ContainerSpec> = {}): ContainerSpec {
  return {
    kind: 'container',
    id: 'f'.repeat(64),
    root: {
      layers: ['/layers/low', '/layers/high'],
      upper: '/c/upper',
      work: '/c/work',
      readonly: false,
      kind: 'overlay',
    },
    mounts: [],
    namespaces: { pid: { kind: 'new' }, ipc: { kind: 'new' }, uts: 'new', cgroup: 'host', user: { kind: 'host' } },
    network: { kind: 'host' },
    hostname: 'web',
    domainname: undefined,
    sysctls: {},
    cgroup: { path: 'tscompose/x', memory: 1024, pids: 5, devices: [] } as unknown as ContainerSpec['cgroup'],
    devices: [],
    privileged: false,
    writableCgroups: false,
    maskedPaths: ['/proc/keys'],
    readonlyPaths: ['/proc/sys'],
    shmSize: 1024,
    init: false,
    oomScoreAdj: 0,
    process: {
      args: ['sh'],
      env: ['PASSWORD=secret'],
      cwd: '/',
      user: { uid: 1, gid: 2, groups: [2] },
      capabilities: { bounding: ['CHOWN'], effective: ['CHOWN'] },
      noNewPrivileges: false,
      seccomp: { kind: 'unconfined' },
      rlimits: [],
      umask: 0o22,
      apparmor: undefined,
    },
    stdio: { terminal: false, stdin: false, stdinOnce: false, size: [0, 0], attach: undefined },
    supervise: { directory: '/c/monitor', log: undefined },
    ...change,
  }
}

const build = (change: Partial<ContainerSpec> = {}) =>
  compile(spec(change), { facts, filter: Buffer.alloc(16), devices: [] })
const names = (change: Partial<ContainerSpec> = {}) => build(change).child.map(({ name }) => name)
const bind = {
  kind: 'bind',
  source: '/s',
  target: '/t',
  readonly: false,
  recursive: true,
  propagation: 'rprivate',
  directory: true,
  flags: [],
  cause: 'HostConfig.Binds[0]',
} as const satisfies MountSpec

describe('compile()', () => {
  it('ends host steps with clone and child steps with exec', () => {
    const program = build()
    assert.deepEqual(
      [program.host[0]?.name, program.host.at(-1)?.name, program.child.at(-1)?.name],
      ['supervise', 'clone', 'exec'],
    )
  })

  it('enters the cgroup first, masks after all mounts, and leaves the host’s root before anything of the process', () => {
    const order = names({ mounts: [bind] })
    assert.equal(order[0], 'join-cgroup')
    const at = (name: string) => order.lastIndexOf(name as never)
    assert.ok(at('place') < at('mask') && at('mask') < at('pivot') && at('pivot') < at('identity'))
  })

  it('adds the topmost layer first', () => {
    const layers = build().child.flatMap(step =>
      step.name === 'fs-set' && step.args.key === 'lowerdir+' ? [step.args.value] : [],
    )
    assert.deepEqual(layers, ['/layers/high', '/layers/low'])
  })

  it('puts what is mounted over beneath the layers, and not to their cost where names are short of room', () => {
    const root = { ...spec().root, mountPoints: '/points/1/root' }
    const lowest = build({ root }).child.findLast(step => step.name === 'fs-set' && step.args.key === 'lowerdir+')
    assert.deepEqual([lowest?.args, lowest?.cause], [{ key: 'lowerdir+', value: '/points/1/root' }, 'default'])
    const old = compile(spec({ root }), { facts: { ...facts, layerByLayer: false }, filter: undefined, devices: [] })
    assert.ok(!JSON.stringify(old.child).includes('/points'))
  })

  it('gives all the layers that an overlay has to an image of 500, and puts nothing beneath them', () => {
    for (const [count, isBeneath] of [
      [499, true],
      [500, false],
    ] as const) {
      const layers = Array.from({ length: count }, (_, i) => `/l/${i}/root`)
      const { child } = build({ root: { ...spec().root, layers, mountPoints: '/points/1/root' } })
      const lower = child.filter(({ name, args }) => name === 'fs-set' && 'key' in args && args.key === 'lowerdir+')
      assert.deepEqual([lower.length, JSON.stringify(lower).includes('/points')], [500, isBeneath])
    }
  })

  it('installs the filter before the capabilities go, but after no_new_privs where that is set', () => {
    const order = names()
    assert.ok(order.indexOf('seccomp') < order.indexOf('identity'))
    const strict = names({ process: { ...spec().process, noNewPrivileges: true } })
    assert.ok(
      strict.indexOf('capabilities') < strict.indexOf('no-new-privileges') &&
        strict.indexOf('no-new-privileges') < strict.indexOf('seccomp'),
    )
  })

  it('replaces its own mount by one asked for at the same place', () => {
    const shm = (change: Partial<ContainerSpec>) =>
      build(change).child.filter(step => step.name === 'place' && step.args.path === '/dev/shm').length
    assert.deepEqual([shm({}), shm({ mounts: [{ ...bind, target: '/dev/shm' }] })], [1, 1])
  })

  it('makes a read-only bind read-only all the way down, or at its top alone where that is asked', () => {
    const readonly = 1
    const changes = (change: Partial<typeof bind | { writableBelow: boolean; readonly: boolean }>) =>
      build({ mounts: [{ ...bind, ...change }] }).child.flatMap(step =>
        step.name === 'attributes' && step.cause === bind.cause
          ? [[step.args.set & readonly, step.args.recursive]]
          : [],
      )
    assert.deepEqual(changes({ readonly: true }), [[1, 1]])
    assert.deepEqual(changes({ readonly: true, writableBelow: true }), [
      [0, 1],
      [1, 0],
    ])
    assert.deepEqual(changes({ writableBelow: true }), [[0, 1]])
  })

  it('refuses mount targets in /proc, on / and with dots', () => {
    for (const target of ['/', '/proc/sys', '/proc/1/attr/exec', 'relative', '/a/../proc', '/a/./b'])
      assert.throws(() => build({ mounts: [{ ...bind, target }] }), { kind: 'invalid' }, target)
    assert.throws(() => build({ mounts: [{ kind: 'tmpfs', cause: '', target: '/proc', data: '', flags: [] }] }))
  })

  it('covers /proc by nothing but procfs, and of its files only those that show numbers', () => {
    const place = (target: string) =>
      build({ mounts: [{ ...bind, target }] }).child.find(s => s.name === 'place' && s.args.path === target)?.args
    assert.deepEqual(place('/proc'), { slot: 3, path: '/proc', make: 9 })
    assert.deepEqual(place('/proc/uptime'), { slot: 3, path: '/proc/uptime', make: 0 })
  })

  it('writes no host device and no deny-all for a privileged container', () => {
    assert.ok(
      !build({ privileged: true }).host.some(step => step.name === 'write' && step.args.path.includes('devices.')),
    )
    assert.ok(
      build().host.some(
        step => step.name === 'write' && step.args.path.endsWith('devices.deny') && step.args.value === 'a',
      ),
    )
  })

  it('packs layers into one option string on older kernels, relative to their common folder', () => {
    const old = compile(spec(), { facts: { ...facts, layerByLayer: false }, filter: undefined, devices: [] })
    const step = old.child.find(({ name }) => name === 'mount-overlay')
    assert.deepEqual(step?.args, {
      folder: '/layers',
      data: 'lowerdir=high:low,upperdir=/c/upper,workdir=/c/work',
      target: '/c/monitor',
      slot: 0,
    })
  })
})

describe('compile() of a container in a user namespace', () => {
  const ids = { uid: 1_000_000, gid: 2_000_000, size: 65_536 }
  const own = {
    pid: { kind: 'new' },
    ipc: { kind: 'new' },
    uts: 'new',
    cgroup: 'new',
    user: { kind: 'own', ids },
  } as const
  const root = {
    layers: ['/images/layers/low/root', '/build/tmp/high/root'],
    mountPoints: '/points/1/root',
    upper: '/c/upper',
    work: '/c/work',
    readonly: false,
    kind: 'overlay',
  } as const
  const change = {
    namespaces: own,
    root,
    network: { kind: 'create', path: '/run/netns/x', interfaces: [] },
    mounts: [bind],
    sysctls: { 'net.ipv4.ip_forward': '0' },
    process: { ...spec().process, rlimits: [{ name: 'nofile', soft: 1, hard: 2 }] },
  } as const satisfies Partial<ContainerSpec>

  it('does what needs the host before it enters', () => {
    const { host, child } = build(change)
    const text = printProgram({ host, child }).split('\n')
    const after = (name: string) => text.findIndex(line => line.includes(` ${name} `))
    const mapped = text.filter(line => line.includes(' map-ids ')).map(line => /"([^"]+)"/.exec(line)?.[1] ?? '')
    assert.deepEqual(mapped, ['/build/tmp', '/images/layers', '/points', '/c', '/dev', '/s'])
    assert.deepEqual(
      text
        .filter(line => /lowerdir|upperdir|workdir/.test(line))
        .map(line => /\w+dir\+?" "[^"]+"/.exec(line)?.[0] ?? ''),
      [
        'lowerdir+" "/c/monitor/high/root"',
        'lowerdir+" "/c/monitor/low/root"',
        'lowerdir+" "/c/monitor/1/root"',
        'upperdir" "/c/monitor/upper"',
        'workdir" "/c/monitor/work"',
      ],
    )
    for (const name of ['fs-mount-as', 'node', 'map-ids', 'raise-limit', 'tree'])
      assert.ok(after(name) > 0 && after(name) < after('user-enter'), name)
    assert.ok(after('user-enter') < after('hostname'))
    assert.deepEqual(
      child
        .slice(child.findIndex(({ name }) => name === 'user-enter'))
        .map(({ name }) => name)
        .slice(0, 5),
      ['user-enter', 'fork', 'hostname', 'write', 'attach-root'],
    )
  })

  it('makes the namespace once, with the network that belongs to it', () => {
    const names = (program: Partial<ContainerSpec>) => build({ ...change, ...program }).host.map(({ name }) => name)
    assert.deepEqual(
      names({}).filter(name => /user|netns|clone/.test(name)),
      ['user-new', 'netns-owned', 'netns-keep', 'clone'],
    )
    assert.deepEqual(
      names({ network: { kind: 'create', path: '/run/netns/x', interfaces: [], yields: true } }).slice(-4),
      ['netns-keep', 'link-up', 'yield', 'clone'],
    )
    assert.deepEqual(
      names({ network: { kind: 'join', path: '/run/netns/x' } }).filter(name => /user|netns|clone/.test(name)),
      ['netns-enter', 'user-of-netns', 'clone'],
    )
    const user = { kind: 'join', ids, pid: 7, cgroupPath: 'tscompose/x' } as const
    assert.deepEqual(
      names({ namespaces: { ...own, user } }).filter(name => /user|netns|target|clone/.test(name)),
      ['target', 'user-of-target', 'netns-owned', 'netns-keep', 'clone'],
    )
    const made = build(change).host.find(({ name }) => name === 'user-new')
    assert.deepEqual(made?.args, { uids: '0 1000000 65536\n', gids: '0 2000000 65536\n', flags: 0x40000000 })
  })

  it('gives streams to the user as the host counts', () => {
    const stdio = build(change).host.find(({ name }) => name === 'stdio')!
    assert.equal((stdio.args as { uid: number }).uid, 1_000_001)
  })

  it('needs overlay layers one by one', () => {
    const old = { ...facts, layerByLayer: false }
    assert.throws(() => compile(spec(change), { facts: old, filter: undefined, devices: [] }), {
      kind: 'unsupported',
      message: 'Cannot make a user namespace: overlay of this kernel takes no layers with mapped ids',
    })
  })
})

describe('compileExec()', () => {
  it('joins by a verified process and ends like a container', () => {
    const { process, stdio, supervise } = spec()
    const program = compileExec(
      { kind: 'exec', id: 'e', pid: 7, cgroupPath: 'tscompose/x', process, stdio, supervise, privileged: false },
      facts,
      undefined,
    )
    assert.deepEqual(
      program.host.map(({ name }) => name),
      ['supervise', 'stdio', 'target', 'clone'],
    )
    assert.equal(program.child.at(-1)?.name, 'exec')
  })

  it('enters the pid namespace last, when namespaces are joined and rights given up', () => {
    const { process, stdio, supervise } = spec()
    const base = { kind: 'exec', id: 'e', pid: 7, cgroupPath: 'tscompose/x', supervise, privileged: false } as const
    for (const yes of [true, false]) {
      const changed = { process: { ...process, noNewPrivileges: yes }, stdio: { ...stdio, terminal: yes } }
      const { child } = compileExec({ ...base, ...changed }, facts, Buffer.alloc(8))
      const names = child.map(({ name }) => name)
      assert.deepEqual(names.slice(-3), ['fork', yes ? 'terminal' : 'session', 'exec'])
      for (const name of ['join', 'identity', 'capabilities', 'bound', 'seccomp'] as const)
        assert.ok(names.includes(name) && names.indexOf(name) < names.indexOf('fork'), name)
    }
  })
})

describe('printProgram()', () => {
  it('shows every step with its cause, and no environment', () => {
    const text = printProgram(build())
    assert.match(
      text,
      /host {2}write "\/sys\/fs\/cgroup\/memory\/tscompose\/x\/memory\.limit_in_bytes" "1024" {3}# HostConfig\.Memory\n/,
    )
    assert.match(text, /child exec "sh" 1 variables/)
    assert.doesNotMatch(text, /secret/)
    assert.equal(programLines(build()).length, text.trim().split('\n').length)
  })
})

describe('stepFailure()', () => {
  const program = build()
  const index = (test: (step: (typeof program.host)[number]) => boolean) =>
    [...program.host, ...program.child].findIndex(test)

  it('names the limit, the value and the errno', () => {
    const failure = stepFailure(
      program,
      index(step => step.name === 'write' && step.args.path.includes('memory.limit')),
      22,
    )
    assert.deepEqual(
      [failure.kind, failure.message],
      ['invalid', 'Cannot set Memory to 1024: EINVAL (HostConfig.Memory)'],
    )
  })

  it('speaks Docker’s words for a command that is not there', () => {
    const failure = stepFailure(program, program.host.length + program.child.length - 1, 2)
    assert.match(failure.message, /exec: "sh": executable file not found in \$PATH$/)
    assert.equal(failure.exitCode, 127)
  })

  it('says so when the monitor refused the program', () => {
    assert.match(stepFailure(program, -1, 22).message, /the monitor refused it with EINVAL/)
  })
})

describe('capabilityMask()', () => {
  it('counts bits as the kernel does', () => {
    assert.equal(capabilityMask(['CHOWN', 'NET_ADMIN', 'CHECKPOINT_RESTORE']), 1n | (1n << 12n) | (1n << 40n))
    assert.throws(() => capabilityMask(['CAP_CHOWN']), { kind: 'invalid' })
  })
})

describe('sysctlPath()', () => {
  it('refuses paths in disguise', () => {
    assert.equal(sysctlPath('net.ipv4.ip_forward'), '/proc/sys/net/ipv4/ip_forward')
    for (const name of ['kernel/core_pattern', 'net.ipv4.../../kernel.core_pattern', '..', 'net', 'net..x', ''])
      assert.throws(() => sysctlPath(name), { kind: 'invalid' })
  })
})
