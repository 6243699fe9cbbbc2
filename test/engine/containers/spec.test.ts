/** What the runtime is told of a container, by what its record says and what was looked up. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { HostConfig as Asked } from '../../../src/api/container-body.ts'
import { nothingInjected } from '../../../src/engine/containers/cdi/inject.ts'
import { fillHostConfig } from '../../../src/engine/containers/config/host-config.ts'
import { type ConfigRequest, mergeConfig } from '../../../src/engine/containers/config/merge-config.ts'
import { checkSysctls, containerSpec, type Resolved } from '../../../src/engine/containers/config/spec.ts'
import { usualLog } from '../../../src/engine/logs/log-defaults.ts'
import type { MountSpec } from '../../../src/runtime/spec.ts'

const id = 'f'.repeat(64)
const resolved: Resolved = {
  ...{ layers: ['/layers/1'], mountPoints: '/points', upper: '/c/upper', work: '/c/work', mounts: [] },
  ...{ network: { kind: 'join', path: '/run/netns/web' }, userNamespace: { kind: 'host' }, lastGroup: 4_294_967_294 },
  user: { uid: 5, gid: 6, groups: [6, 7], home: '/home/web' },
  ...{ devices: { nodes: [], rules: [], numberOf: () => ({ major: 8, minor: 0 }) }, injected: nothingInjected },
  joined: (mode, what) => ({ pid: what === 'PID' ? 10 : 20, cgroupPath: mode }),
  ...{
    links: [],
    hostname: 'web',
    monitor: '/c/monitor',
    log: undefined,
    cgroup: 'tscompose/web',
    attach: undefined,
    masked: [],
  },
}

function filled(asked: Asked) {
  return fillHostConfig(asked, { cpus: 4, logs: usualLog, nodes: () => 1, lacking: () => undefined }).hostConfig
}

function spec(asked: Asked = {}, found: Partial<Resolved> = {}, body: ConfigRequest = {}) {
  const config = mergeConfig({ Cmd: ['serve'], ...body }, {}, { hostname: 'web' })
  return containerSpec({ id, config, hostConfig: filled(asked), root: undefined }, { ...resolved, ...found })
}

describe('a namespace', () => {
  test('is the container’s own unless another one’s is asked for', () => {
    const { namespaces } = spec({ CgroupnsMode: 'private' })
    assert.deepEqual(namespaces, {
      ...{ pid: { kind: 'new' }, ipc: { kind: 'new' }, uts: 'new', cgroup: 'new', user: { kind: 'host' } },
    })
  })

  test('may be the host’s', () => {
    const { namespaces, hostname, domainname } = spec(
      { PidMode: 'host', IpcMode: 'host', UTSMode: 'host', CgroupnsMode: 'host' },
      {},
      { Domainname: 'example.org' },
    )
    assert.deepEqual(namespaces, {
      ...{ pid: { kind: 'host' }, ipc: { kind: 'host' }, uts: 'host', cgroup: 'host', user: { kind: 'host' } },
    })
    assert.deepEqual([hostname, domainname], [undefined, undefined])
  })

  test('may be another container’s, found by its process', () => {
    const { pid, ipc } = spec({ PidMode: 'container:a', IpcMode: 'container:b' }).namespaces
    assert.deepEqual(pid, { kind: 'join', pid: 10, cgroupPath: 'container:a' })
    assert.deepEqual(ipc, { kind: 'join', pid: 20, cgroupPath: 'container:b' })
  })

  test('of names has those of the container', () => {
    const { hostname, domainname } = spec({}, {}, { Domainname: 'example.org' })
    assert.deepEqual([hostname, domainname, spec().domainname], ['web', 'example.org', undefined])
  })
})

describe('sysctls', () => {
  const free = 'net.ipv4.ip_unprivileged_port_start'
  const ping = 'net.ipv4.ping_group_range'

  test('let everyone ping and take low ports where the network is the container’s own, and the author’s stand over them', () => {
    assert.deepEqual(spec().sysctls, { [free]: '0', [ping]: '0 2147483647' })
    assert.deepEqual(spec({ Sysctls: { [free]: '80', 'kernel.shmmax': '1' } }).sysctls, {
      ...{ [free]: '80', [ping]: '0 2147483647', 'kernel.shmmax': '1' },
    })
  })

  test('name no group that there is not', () => {
    assert.equal(spec({}, { lastGroup: 65_535 }).sysctls[ping], '0 65535')
    const ids = { uid: 1e6, gid: 1e6, size: 1000 }
    assert.equal(spec({}, { userNamespace: { kind: 'own', ids } }).sysctls[ping], '0 999')
  })

  test('are not touched in a network that is another’s', () => {
    assert.deepEqual(spec({ NetworkMode: 'host' }, { network: { kind: 'host' } }).sysctls, {})
    assert.deepEqual(spec({ NetworkMode: 'container:a' }).sysctls, {})
  })

  const shared = { NetworkMode: 'host', IpcMode: 'host' }
  const joined = { NetworkMode: 'container:a', IpcMode: 'container:a' }
  for (const [name, own, others] of [
    ['net.core.somaxconn', true, false],
    ['kernel.shmmax', true, false],
    ['kernel.msgmax', true, false],
    ['fs.mqueue.msg_max', true, false],
    ['kernel.hostname', false, false],
    ['kernel.shmmaximal', false, false],
    ['vm.swappiness', false, false],
    ['xnet.a', false, false],
  ] as const)
    test(`${name} is ${own ? 'a container’s where its namespace is' : 'never a container’s'}`, () => {
      const isTaken = (asked: Asked) => {
        try {
          checkSysctls(filled({ ...asked, Sysctls: { [name]: '1' } }))
          return true
        } catch (error) {
          assert.equal((error as Error).message, `sysctl "${name}" is not in a separate kernel namespace`)
          return false
        }
      }
      assert.deepEqual([isTaken({}), isTaken(shared), isTaken(joined)], [own, others, others])
    })
})

test('a process runs entrypoint and command, with what is set and injected, as who was looked up', () => {
  const injected = { ...nothingInjected, env: ['GPU=1'], groups: [7, 44] }
  const { process } = spec({ Init: true }, { injected, links: ['DB_PORT=1'] }, { Entrypoint: ['/init'], Env: ['A=1'] })
  assert.deepEqual(process.args, ['/init', 'serve'])
  for (const variable of ['HOSTNAME=web', 'HOME=/home/web', 'DB_PORT=1', 'A=1', 'GPU=1'])
    assert.ok(process.env.includes(variable), variable)
  assert.deepEqual([process.user.uid, process.user.gid, process.user.groups], [5, 6, [6, 7, 44]])
  assert.equal(process.cwd, '/')
  assert.equal(spec({}, {}, { WorkingDir: '/srv' }).process.cwd, '/srv')
})

test('a privileged container has no rule and no mask, and changes its groups; a security option says otherwise', () => {
  const node = { path: '/dev/a', type: 'c', major: 1, minor: 2, mode: 0o600, uid: 0, gid: 0, cause: 'x' } as const
  const rule = { allow: true, type: 'c', major: 1, minor: 2, access: 'r' } as const
  const devices = { ...resolved.devices, nodes: [node], rules: [rule] }
  const injected = { ...nothingInjected, nodes: [{ ...node, path: '/dev/b' }], rules: [{ ...rule, minor: 3 }] }
  const plain = spec({}, { devices, injected })
  assert.deepEqual(
    plain.devices.map(({ path }) => path),
    ['/dev/a', '/dev/b'],
  )
  assert.deepEqual(
    plain.cgroup.devices.map(({ minor }) => minor),
    [2, 3],
  )
  assert.equal(plain.cgroup.path, 'tscompose/web')
  const privileged = spec({ Privileged: true }, { devices, injected })
  assert.deepEqual([privileged.cgroup.devices, privileged.privileged], [[], true])
  const writable = (asked: Asked) => spec(asked).writableCgroups
  assert.deepEqual(
    [
      writable({}),
      writable({ Privileged: true }),
      writable({ SecurityOpt: ['writable-cgroups'] }),
      writable({ Privileged: true, SecurityOpt: ['writable-cgroups=false'] }),
    ],
    [false, true, true, false],
  )
})

test('paths are masked as the record says, and the sensors of each CPU with them', () => {
  const masked = ['/sys/devices/system/cpu/cpu0/thermal_throttle']
  const { maskedPaths, readonlyPaths } = spec({ MaskedPaths: ['/proc/keys'], ReadonlyPaths: ['/proc/sys'] }, { masked })
  assert.deepEqual([maskedPaths, readonlyPaths], [['/proc/keys', ...masked], ['/proc/sys']])
  assert.deepEqual(spec({ MaskedPaths: [], ReadonlyPaths: [] }, { masked }).maskedPaths, [])
})

test('where a device brings a mount for a place, that one is meant', () => {
  const mount = (target: string, source: string): MountSpec => ({
    kind: 'bind',
    source,
    target,
    readonly: false,
    recursive: true,
    propagation: 'rprivate',
    directory: true,
    flags: [],
    cause: 'x',
  })
  const mounts = [mount('/a', '/one'), mount('/b', '/two')]
  assert.deepEqual(spec({}, { mounts }).mounts, mounts)
  const injected = { ...nothingInjected, mounts: [mount('/a/b', '/three'), mount('/b', '/four')] }
  assert.deepEqual(
    spec({}, { mounts, injected }).mounts.map(({ target, ...rest }) => [target, 'source' in rest && rest.source]),
    [
      ['/a', '/one'],
      ['/b', '/four'],
      ['/a/b', '/three'],
    ],
  )
})

test('shared memory is as large as asked for, and none where there is no namespace for it', () => {
  assert.deepEqual([spec({ ShmSize: 4096 }).shmSize, spec({ IpcMode: 'none' }).shmSize], [4096, undefined])
})
