/** Containers, commands and changes to the host whose programs stand beside this file: each way that a step depends on, at least once. */
import type { HostDevice, HostFacts } from '../../../src/runtime/host.ts'
import type { ContainerSpec, ExecSpec, HostOperation, InterfaceSpec, MountSpec } from '../../../src/runtime/spec.ts'

const all = (1n << 41n) - 1n

export const onV1: HostFacts = {
  cgroup: {
    version: 1,
    mounts: Object.fromEntries(
      ['memory', 'cpu', 'cpuset', 'devices', 'pids', 'blkio'].map(name => [name, `/sys/fs/cgroup/${name}`]),
    ),
  },
  capabilities: all,
  lastCapability: 40,
  layerByLayer: true,
  mqueue: true,
  rootless: false,
}

const unified = '/sys/fs/cgroup'
export const onV2: HostFacts = {
  ...onV1,
  cgroup: {
    version: 2,
    mounts: Object.fromEntries(
      ['memory', 'cpu', 'cpuset', 'pids', 'io', 'freezer', 'unified'].map(name => [name, unified]),
    ),
  },
}

const old: HostFacts = { ...onV1, layerByLayer: false, mqueue: false }
const rootless: HostFacts = { ...onV2, rootless: true }

const plain: ContainerSpec = {
  kind: 'container',
  id: 'f'.repeat(64),
  root: {
    layers: ['/layers/1/root', '/layers/2/root'],
    mountPoints: '/points/1/root',
    upper: '/c/upper',
    work: '/c/work',
    readonly: false,
    kind: 'overlay',
  },
  mounts: [],
  namespaces: { pid: { kind: 'new' }, ipc: { kind: 'new' }, uts: 'new', cgroup: 'new', user: { kind: 'host' } },
  network: { kind: 'create', path: '/run/netns/web', interfaces: [] },
  hostname: 'web',
  domainname: undefined,
  sysctls: {},
  cgroup: { path: 'tscompose/web', devices: [] },
  devices: [],
  privileged: false,
  writableCgroups: false,
  maskedPaths: ['/proc/keys'],
  readonlyPaths: ['/proc/sys'],
  shmSize: 67_108_864,
  init: false,
  oomScoreAdj: 0,
  process: {
    args: ['sh', '-c', 'exit 3'],
    env: ['PATH=/bin', 'PASSWORD=secret'],
    cwd: '/',
    user: { uid: 0, gid: 0, groups: [0] },
    capabilities: { bounding: ['CHOWN', 'KILL'], effective: ['CHOWN', 'KILL'] },
    noNewPrivileges: false,
    seccomp: { kind: 'default', capabilities: ['CHOWN', 'KILL'] },
    rlimits: [],
    umask: 0o22,
    apparmor: undefined,
  },
  stdio: { terminal: false, stdin: false, stdinOnce: false, size: [0, 0], attach: undefined },
  supervise: { directory: '/c/monitor', log: undefined },
}

const first: InterfaceSpec = {
  host: 'tsc1',
  name: 'eth0',
  bridge: 'br-front',
  mac: '02:42:ac:14:00:02',
  addresses: ['172.20.0.2/24', 'fd00::2/64'],
  gateways: ['172.20.0.1', 'fd00::1'],
  mtu: 1500,
  sysctls: [{ path: 'net/ipv4/conf/IFNAME/forwarding', value: '0' }],
  isolated: true,
  hairpin: true,
  cause: 'NetworkingConfig.front',
}
const second: InterfaceSpec = {
  ...first,
  ...{ host: 'tsc2', name: 'eth1', bridge: 'br-back', mac: '', addresses: ['10.9.0.2/16'], gateways: [], sysctls: [] },
  ...{ mac: 'AE:42:0a:09:00:02', isolated: false, hairpin: false, cause: 'NetworkingConfig.back' },
}

const bind = {
  kind: 'bind',
  source: '/srv/data',
  target: '/data',
  readonly: false,
  recursive: true,
  propagation: 'rprivate',
  directory: true,
  flags: [],
  cause: 'HostConfig.Binds[0]',
} as const satisfies MountSpec

/** Parents before children. */
const mounts: readonly MountSpec[] = [
  bind,
  {
    ...bind,
    source: '/etc/web.conf',
    target: '/etc/web.conf',
    directory: false,
    readonly: true,
    cause: 'HostConfig.Binds[1]',
  },
  {
    ...bind,
    ...{ source: '/srv/any', target: '/any', directory: undefined, recursive: false },
    ...{ propagation: 'shared', flags: ['nosuid', 'nodev', 'noexec'], cause: 'HostConfig.Mounts[0]' },
  },
  { ...bind, target: '/follows', propagation: 'rslave', cause: 'HostConfig.Mounts[1]' },
  { ...bind, target: '/top', readonly: true, writableBelow: true, cause: 'HostConfig.Mounts[2]' },
  { ...bind, source: '/volumes/v', beneath: 'sub/part', target: '/part', cause: 'HostConfig.Mounts[3]' },
  { kind: 'image', layers: ['/layers/7/root', '/layers/8/root'], target: '/image', cause: 'HostConfig.Mounts[4]' },
  { kind: 'image', layers: ['/layers/7/root'], beneath: 'usr', target: '/usr/image', cause: 'HostConfig.Mounts[5]' },
  {
    kind: 'image',
    layers: ['/layers/9/root'],
    changes: { upper: '/c/m6/upper', work: '/c/m6/work' },
    target: '/written',
    cause: 'HostConfig.Mounts[6]',
  },
  {
    kind: 'tmpfs',
    target: '/tmp',
    data: 'size=1024,mode=1770,uid=5,gid=6',
    flags: ['noexec', 'nosuid', 'nodev', 'ro'],
    cause: 'HostConfig.Tmpfs["/tmp"]',
  },
]

const limits = {
  ...{ memory: 67_108_864, memorySwap: 134_217_728, memoryReservation: 1024, cpuShares: 512, cpuPeriod: 100_000 },
  ...{ cpuQuota: 50_000, cpusetCpus: '0-1', cpusetMems: '0', pids: 100, blkioWeight: 300 },
  readBps: [{ major: 8, minor: 0, value: 1000 }],
}

const rich: ContainerSpec = {
  ...plain,
  mounts,
  network: { kind: 'create', path: '/run/netns/web', interfaces: [first, second] },
  domainname: 'example.org',
  sysctls: { 'net.ipv4.ip_forward': '1', 'kernel.shmmax': '4096' },
  cgroup: {
    path: 'tscompose/web',
    ...limits,
    devices: [
      { allow: true, type: 'c', major: 10, minor: 229, access: 'rw' },
      { allow: false, type: 'b', major: 8, minor: '*', access: 'm' },
    ],
  },
  devices: [
    {
      path: '/dev/fuse',
      type: 'c',
      major: 10,
      minor: 229,
      mode: 0o660,
      uid: 1,
      gid: 2,
      cause: 'HostConfig.Devices[0]',
    },
    {
      path: '/srv/disk',
      type: 'b',
      major: 259,
      minor: 300,
      mode: 0o600,
      uid: 0,
      gid: 6,
      cause: 'HostConfig.Devices[1]',
    },
  ],
  init: true,
  oomScoreAdj: 500,
  process: {
    ...plain.process,
    cwd: '/srv/app',
    user: { uid: 1000, gid: 1001, groups: [1001, 27] },
    noNewPrivileges: true,
    rlimits: [
      { name: 'nofile', soft: 1024, hard: 4096 },
      { name: 'cpu', soft: -1, hard: -1 },
    ],
    apparmor: 'docker-default',
  },
  root: { ...plain.root, readonly: true },
  stdio: {
    ...{ terminal: true, stdin: true, stdinOnce: true, size: [24, 80] },
    attach: { stdin: true, stdout: true, stderr: false },
  },
  supervise: {
    directory: '/c/monitor',
    log: { path: '/c/log.json', maxSize: 1_000_000, maxFiles: 3, attributes: { tag: '<web>&', env: 'a"b' } },
  },
}

const alone = { kind: 'create', path: '/run/netns/web' } as const
const ids = { uid: 1_000_000, gid: 2_000_000, size: 65_536 }
const joined = { kind: 'join', pid: 77, cgroupPath: 'tscompose/other' } as const
const host = { kind: 'host' } as const

export const ofHost: readonly HostDevice[] = [
  { path: '/dev/fuse', type: 'c', major: 10, minor: 229, mode: 0o666, uid: 0, gid: 0 },
  { path: '/dev/sda', type: 'b', major: 8, minor: 0, mode: 0o660, uid: 0, gid: 6 },
]

/** A container on a machine. */
export const containers: Readonly<Record<string, { readonly spec: ContainerSpec; readonly facts: HostFacts }>> = {
  plain: { spec: plain, facts: onV2 },
  'all-on-cgroup-1': { spec: rich, facts: onV1 },
  'all-on-cgroup-2': { spec: rich, facts: onV2 },
  'old-kernel': { spec: { ...plain, mounts: mounts.slice(6, 9) }, facts: old },
  privileged: { spec: { ...plain, privileged: true, maskedPaths: [], readonlyPaths: [] }, facts: onV2 },
  'privileged-on-cgroup-1': { spec: { ...plain, privileged: true, network: host }, facts: onV1 },
  'namespaces-of-the-host': {
    spec: {
      ...plain,
      namespaces: { pid: host, ipc: host, uts: 'host', cgroup: 'host', user: host },
      network: host,
      hostname: undefined,
      writableCgroups: true,
    },
    facts: onV2,
  },
  'namespaces-of-another': {
    spec: {
      ...plain,
      namespaces: { pid: joined, ipc: joined, uts: 'new', cgroup: 'new', user: host },
      network: { kind: 'join', path: '/run/netns/other' },
      shmSize: undefined,
      process: { ...plain.process, seccomp: { kind: 'unconfined' }, capabilities: { bounding: [], effective: [] } },
    },
    facts: onV1,
  },
  'user-namespace': {
    spec: {
      ...rich,
      mounts: [...mounts.slice(0, 2), ...mounts.slice(5, 7), ...mounts.slice(9)],
      devices: rich.devices.slice(0, 1),
      namespaces: { ...plain.namespaces, user: { kind: 'own', ids } },
    },
    facts: onV2,
  },
  'user-namespace-of-another': {
    spec: {
      ...plain,
      namespaces: { pid: { kind: 'new' }, ipc: joined, uts: 'new', cgroup: 'new', user: { ...joined, ids } },
      network: { kind: 'join', path: '/run/netns/other' },
    },
    facts: onV1,
  },
  'user-namespace-with-the-rest-of-the-host': {
    spec: {
      ...plain,
      namespaces: { pid: { kind: 'new' }, ipc: host, uts: 'host', cgroup: 'host', user: { kind: 'own', ids } },
      mounts: [{ ...bind, target: '/dev' }],
      hostname: undefined,
    },
    facts: onV1,
  },
  rootless: { spec: { ...rich, devices: rich.devices.slice(0, 1), mounts: mounts.slice(0, 2) }, facts: rootless },
  'rootless-privileged': { spec: { ...plain, privileged: true }, facts: rootless },
  'whole-root': { spec: { ...plain, root: { ...plain.root, kind: 'copy', readonly: true } }, facts: onV2 },
  'dev-of-its-own': { spec: { ...plain, mounts: [{ ...bind, target: '/dev' }] }, facts: onV2 },
}

/** What no program can be made of, by what is wrong with it. */
export const refused: Readonly<Record<string, { readonly spec: ContainerSpec; readonly facts: HostFacts }>> = {
  ...Object.fromEntries(
    Object.entries({
      'privileged in a user namespace': { privileged: true },
      'the host’s network in a user namespace': { network: host },
      'the host’s processes in a user namespace': {
        namespaces: { ...plain.namespaces, pid: host, user: { kind: 'own', ids } },
      },
      'a device beside /dev in a user namespace': { devices: rich.devices },
      'cgroups to write in a user namespace': { writableCgroups: true },
      'a user that the namespace has not': { process: { ...plain.process, user: { uid: 65_536, gid: 0, groups: [] } } },
      'a group that the namespace has not': {
        process: { ...plain.process, user: { uid: 0, gid: 70_000, groups: [] } },
      },
      'another group that it has not': { process: { ...plain.process, user: { uid: 0, gid: 0, groups: [0, 80_000] } } },
      'more binds than there is room for': {
        mounts: Array.from({ length: 300 }, (_, i) => ({ ...bind, target: `/data/${i}` })),
      },
    } satisfies Record<string, Partial<ContainerSpec>>).map(([name, change]) => [
      name,
      { spec: { ...plain, namespaces: { ...plain.namespaces, user: { kind: 'own', ids } }, ...change }, facts: onV2 },
    ]),
  ),
  'a user namespace on an old kernel': {
    spec: { ...plain, namespaces: { ...plain.namespaces, user: { kind: 'own', ids } } },
    facts: old,
  },
  'a device without root rights': { spec: { ...rich, mounts: [] }, facts: rootless },
  ...Object.fromEntries(
    Object.entries({
      'an unknown limit': { process: { ...plain.process, rlimits: [{ name: 'files', soft: 1, hard: 1 }] } },
      'an unknown capability': {
        process: { ...plain.process, capabilities: { bounding: ['FLY'], effective: [] } },
      },
      'an unknown option of a mount': { mounts: [{ ...bind, flags: ['noexecs'] }] },
      'more shared binds than there is room for': {
        mounts: Array.from({ length: 300 }, (_, i) => ({ ...bind, propagation: 'shared', target: `/data/${i}` })),
      },
      'a mount on the root': { mounts: [{ ...bind, target: '//' }] },
      'a mount below /proc': { mounts: [{ ...bind, target: '/proc/sys' }] },
      'an interface whose name is a path': { network: { ...alone, interfaces: [{ ...first, name: '..' }] } },
      'an interface without a MAC address': { network: { ...alone, interfaces: [{ ...first, mac: '02:42' }] } },
      'an interface of no network': { network: { ...alone, interfaces: [{ ...first, addresses: ['10.0.0.1/33'] }] } },
      'an interface of half a network': {
        network: { ...alone, interfaces: [{ ...first, addresses: ['10.0.0.1/x'] }] },
      },
      'a sysctl that is no interface’s': {
        network: { ...alone, interfaces: [{ ...first, sysctls: [{ path: 'net/ipv4/ip_forward', value: '1' }] }] },
      },
    } satisfies Record<string, Partial<ContainerSpec>>).map(([name, change]) => [
      name,
      { spec: { ...plain, ...change }, facts: onV2 },
    ]),
  ),
}

const exec: ExecSpec = {
  kind: 'exec',
  id: 'e'.repeat(64),
  pid: 77,
  cgroupPath: 'tscompose/web',
  process: plain.process,
  stdio: plain.stdio,
  supervise: { directory: '/c/exec', log: undefined },
  privileged: false,
}

export const execs: Readonly<Record<string, { readonly spec: ExecSpec; readonly facts: HostFacts }>> = {
  exec: { spec: exec, facts: onV2 },
  'exec-with-all': { spec: { ...exec, ids, process: rich.process, stdio: rich.stdio }, facts: onV1 },
}

export const operations: readonly HostOperation[] = [
  { kind: 'create-bridge', name: 'br-front', addresses: ['172.20.0.1/24', 'fd00::1/64'], mtu: 1500, mac: '' },
  { kind: 'create-bridge', name: 'br-back', addresses: ['10.9.0.1/16'], mtu: 9000, mac: '02:42:0a:09:00:01' },
  { kind: 'delete-link', name: 'br-back' },
  { kind: 'join-bridge', name: 'tsc1', bridge: 'br-front', isolated: true, hairpin: false },
  { kind: 'join-bridge', name: 'tsc2', bridge: 'br-back', isolated: false, hairpin: true },
  { kind: 'join-bridge', name: 'tsc3', bridge: 'br-back', isolated: false, hairpin: false },
  { kind: 'create-sandbox', path: '/run/netns/web', interfaces: [first] },
  { kind: 'create-sandbox', path: '/run/netns/own', interfaces: [], user: { kind: 'own', ids } },
  { kind: 'keep-sandbox', path: '/run/netns/web', pid: 77 },
  { kind: 'delete-sandbox', path: '/run/netns/web' },
  { kind: 'connect', path: '/run/netns/web', interface: second },
  { kind: 'disconnect', path: '/run/netns/web', name: 'eth1' },
  { kind: 'route', path: '/run/netns/web', name: 'eth0', gateways: ['172.20.0.1', 'fd00::1'] },
  { kind: 'sysctl', name: 'net.ipv4.ip_forward', value: '1' },
  { kind: 'delete-cgroup', path: 'tscompose/web' },
]
