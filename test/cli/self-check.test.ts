import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { atLeast, cgroupVersion, findings } from '../../src/cli/self/checks.ts'
import type { Machine } from '../../src/cli/self/machine.ts'
import { tscompose } from './fake-client.ts'

const unified = '30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw'
const legacy = [
  '30 23 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw',
  '31 23 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory',
  '32 23 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
].join('\n')

/** One that has everything. */
const whole: Machine = {
  architecture: 'x64',
  kernel: '6.6.1-generic',
  glibc: '2.36',
  uid: 0,
  filesystems: ['overlay', 'tmpfs'],
  hasModule: () => true,
  namespaces: ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts'],
  mountinfo: unified,
  setting: () => undefined,
  text: path =>
    ({
      '/sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory pids\n',
      '/proc/self/status': 'Name:\tx\nSeccomp:\t0\n',
      '/etc/subuid': 'me:100000:65536\n',
      '/etc/subgid': 'me:100000:65536\n',
    })[path],
  opens: () => true,
  hasLibrary: () => true,
  hasProgram: () => true,
  user: 'me',
}

function lacking(change: Partial<Machine>): readonly string[] {
  return findings({ ...whole, ...change }).flatMap(({ name, level, cost }) => {
    if (level === 'ok') return []
    assert.ok(cost, name)
    return [`${level} ${name}`]
  })
}

describe('findings()', () => {
  test('a machine that has everything lacks nothing', () => assert.deepEqual(lacking({}), []))

  for (const [what, change, expected] of [
    ['an old kernel', { kernel: '5.10.0-28-amd64' }, ['missing kernel', 'limited layers by one']],
    ['a kernel that mounts no layers one by one', { kernel: '6.1.0' }, ['limited layers by one']],
    ['another architecture', { architecture: 'arm64' }, ['missing architecture']],
    ['musl', { glibc: undefined }, ['missing glibc']],
    ['an old glibc', { glibc: '2.28' }, ['missing glibc']],
    ['a user', { uid: 1000 }, ['limited root rights']],
    ['cgroup version 1', { mountinfo: legacy }, ['limited cgroup cpuset', 'limited cgroup pids', 'limited cgroup io']],
    [
      'no cgroups',
      { mountinfo: '' },
      ['missing cgroups', ...['memory', 'cpu', 'cpuset', 'pids', 'io'].map(name => `limited cgroup ${name}`)],
    ],
    ['no user namespaces', { namespaces: ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'uts'] }, ['limited user namespaces']],
    ['no overlay', { filesystems: [], hasModule: (name: string) => name !== 'overlay' }, ['missing overlay']],
    ['no veth', { hasModule: (name: string) => name !== 'veth' }, ['limited bridge and veth']],
    ['no libnftables', { hasLibrary: (name: string) => !name.includes('nft') }, ['limited libnftables']],
    ['no libseccomp', { hasLibrary: (name: string) => !name.includes('seccomp') }, ['missing libseccomp']],
    ['no newgidmap', { hasProgram: (name: string) => name !== 'newgidmap' }, ['limited newuidmap']],
    ['no /dev/net/tun', { opens: () => false }, ['limited way out']],
    ['no pasta', { hasProgram: (name: string) => !/pasta|slirp/.test(name) }, ['limited way out']],
    ['a user without subordinate IDs', { user: 'm.' }, ['limited subordinate IDs']],
  ] as const)
    test(`${what}: ${expected.join(', ')}`, () => assert.deepEqual(lacking(change), expected))
})

test('versions compare by numbers', () => {
  assert.equal(atLeast('6.1.0-18-amd64', [5, 12]), true)
  assert.equal(atLeast('5.9', [5, 12]), false)
  assert.equal(atLeast('5.12', [5, 12]), true)
})

test('cgroups are of version 1 where that has the memory', () => {
  assert.deepEqual([cgroupVersion(unified), cgroupVersion(legacy), cgroupVersion('')], [2, 1, undefined])
})

test('self check prints what it found, and JSON that says the same', async () => {
  const { code, stdout } = await tscompose(['self', 'check', '--json'])
  const { version, ok, findings: told } = JSON.parse(stdout)
  assert.equal(version, 1)
  assert.equal(code, ok ? 0 : 1)
  const { stdout: text } = await tscompose(['self', 'check'])
  for (const { name, found } of told) assert.ok(text.includes(name) && text.includes(found), name)
})
