import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as values from '../../src/stack/fields/values.ts'

/** What fits, and what does not, at the edges. */
const judges: Readonly<
  Record<string, readonly [judge: values.Judge, fits: readonly string[], not: readonly string[]]>
> = {
  word: [values.word(['a', 'b']), ['a', 'b'], ['', 'A', 'ab', 'c']],
  mode: [
    values.mode(['host', 'none'], ['service', 'container']),
    ['host', 'none', 'service:a', 'container:a', 'service:a:b'],
    ['hosts', 'service', 'service:', 'container:', 'other:a'],
  ],
  pullPolicy: [
    values.pullPolicy,
    [
      'always',
      'never',
      'missing',
      'if_not_present',
      'build',
      'refresh',
      'daily',
      'weekly',
      'every_12h',
      'every_1w2d3h4m5s',
    ],
    ['', 'every_', 'every_5', 'every_h', 'every_5x', 'every_5hx', 'xevery_5h', 'daily '],
  ],
  restartPolicy: [
    values.restartPolicy,
    ['no', 'always', 'unless-stopped', 'on-failure', 'on-failure:0', 'on-failure:12'],
    ['', 'No', 'on-failure:', 'on-failure:x', 'on-failure:1x', 'on-failure:x1', 'on-failure:1:2', 'always:1', 'no:1'],
  ],
  capability: [
    values.capability,
    ['ALL', 'all', 'CAP_ALL', 'NET_ADMIN', 'cap_net_admin', 'CAP_CHOWN'],
    ['', 'NET', 'CAP_', 'CAP_NETADMIN', 'ALLS'],
  ],
  signal: [values.signal, ['SIGTERM', 'TERM', 'term', '9', 'RTMIN+3', 'SIGRTMAX-1'], ['TREM', '0x9', '99', '-1']],
  engineName: [
    values.engineName,
    ['ab', 'a-', 'a_b.c-d', '0a', 'A9'],
    ['', 'a', '-ab', '_ab', '.ab', 'a b', 'a/b', 'ab ', 'ä9'],
  ],
  absolutePath: [values.absolutePath, ['/', '/a'], ['', 'a', './a', '~/a', ' /a']],
  deviceTarget: [
    values.deviceTarget,
    ['/dev/a', 'vendor.com/class=one', 'v/c=d'],
    ['dev/a', 'vendor.com/class', 'vendor.com/class=', 'vendor.com=one', 'v/c=d/e', 'v/c/d=e', 'a=b/c=d', 'v/=d'],
  ],
  image: [
    values.image,
    [
      'a',
      'a/b',
      'a/b/c:1',
      'host:80/a',
      'Host.Example/a',
      '[::1]:5000/a',
      'a.b/c__d--e.f_g',
      'a:A_b.c-9',
      `a:${'t'.repeat(128)}`,
      `a@sha256:${'0'.repeat(32)}`,
      `a:1@sha256+b64:${'aF'.repeat(16)}`,
    ],
    [
      '/a',
      'a/',
      'a//b',
      'a:',
      'a:-b',
      'a:.b',
      `a:${'t'.repeat(129)}`,
      `a@sha256:${'0'.repeat(31)}`,
      `a@:${'0'.repeat(32)}`,
      `a@sha256:${'g'.repeat(32)}`,
      'a___b',
      'a..b',
      '-a',
      'a-',
      'A',
      'host-/a',
      'a b',
      ' a',
      'a ',
    ],
  ],
  address: [values.address, ['1.2.3.4', '::1'], ['', '1.2.3', '1.2.3.256', 'a', '1.2.3.4/8']],
  address4: [values.address4, ['1.2.3.4'], ['::1', '1.2.3']],
  address6: [values.address6, ['::1', 'fe80::1'], ['1.2.3.4', ':1']],
  subnet: [
    values.subnet,
    ['10.0.0.0/8', '10.0.0.0/0', '10.0.0.0/32', 'fd00::/64', '::/128'],
    ['10.0.0.0', '10.0.0.0/', '10.0.0.0/33', 'fd00::/129', 'x/8', '10.0.0.0/8x', '10.0.0.0/x8', '/8'],
  ],
  hostEntry: [
    values.hostEntry,
    ['a=1.2.3.4', 'a=::1', 'a=host-gateway'],
    ['a=', 'a=b', 'a=gateway', 'a=1.2.3.4=5', 'a=host-gateway '],
  ],
  macAddress: [
    values.macAddress,
    ['02:42:ac:11:00:02', '02-42-AC-11-00-02'],
    [
      '02:42:ac:11:00',
      '02:42:ac:11:00:02:03',
      '02:42-ac:11:00:02',
      '0242.ac11.0002',
      'g2:42:ac:11:00:02',
      'x02:42:ac:11:00:02',
    ],
  ],
  interfaceName: [
    values.interfaceName,
    ['eth0', 'a', 'a.b', '...', '..a', 'x'.repeat(15)],
    ['', '.', '..', 'a b', 'a/b', 'a:b', 'x'.repeat(16)],
  ],
  portRange: [
    values.portRange,
    ['0', '80', '65535', '80-80', '80-81', '9-10'],
    ['', '65536', '-80', '80-', '80-81-82', '81-80', '80a', 'a80', '80-65536', '000080', '8 0', '10-9'],
  ],
  exposed: [
    values.exposed,
    ['80', '80-90', '53/udp', '53/UDP', '5/sctp', '80-90/tcp'],
    ['', '/tcp', '80/', '80/icmp', '80/tcp/udp', '90-80', 'a/tcp'],
  ],
  user: [
    values.user,
    ['', 'a', 'a:b', '0', '0:0', '2147483647', '1:2147483647', 'a-1'],
    ['a:b:c', 'a b', 'a:\tb', '-1', '1:-1', '2147483648', '1:2147483648'],
  ],
  group: [values.group, ['a', '0', '2147483647'], ['a:b', ':', '-1', '2147483648', 'a b']],
  id: [values.id, ['0', '1000', '1234567890'], ['', 'a', '-1', '1a', 'a1', '12345678901']],
  cpus: [
    values.cpus,
    ['0', '0-2', '0,1', '0-2,4', '0-2,4-5,17'],
    ['', '-', '0-', '-1', '0,', ',0', '0-1-2', 'a', '0 ,1', '0-2x'],
  ],
  deviceRule: [
    values.deviceRule,
    ['a *:* rwm', 'c 1:3 r', 'b 8:* mr', 'c *:10 w'],
    [
      'c 1:3',
      'c 1:3 ',
      'd 1:3 r',
      'c 1 r',
      'c 1:3 x',
      'c 1:3 rwmr',
      'c a:3 r',
      'c 1:a r',
      ' c 1:3 r',
      'c 1:3 r ',
      'c  1:3 r',
      'c **:1 r',
    ],
  ],
  securityOption: [
    values.securityOption,
    [
      'no-new-privileges',
      'no-new-privileges:true',
      'no-new-privileges=false',
      'seccomp=unconfined',
      'seccomp:a=b',
      'apparmor=x',
      'label:type:x',
      'label=disable',
      'systempaths=unconfined',
      'systempaths:unconfined',
      'writable-cgroups=true',
    ],
    [
      '',
      'no-new-privilege',
      'no-new-privileges:yes',
      'no-new-privileges:',
      'systempaths',
      'systempaths=x',
      'selinux=x',
      '=x',
    ],
  ],
  sysctl: [
    values.sysctl,
    [
      'net.core.somaxconn',
      'net/ipv4/ip_forward',
      'fs.mqueue.msg_max',
      ...'msgmax msgmnb msgmni sem shmall shmmax shmmni shm_rmid_forced domainname hostname'
        .split(' ')
        .map(each => `kernel.${each}`),
      'kernel/shmmax',
    ],
    [
      'net',
      'net.',
      'netx.a',
      'a.net.b',
      'fs.mqueue',
      'fs.mqueue.',
      'fs.file-max',
      'kernel.panic',
      'kernel.shmmaxx',
      'xkernel.sem',
      'vm.swappiness',
    ],
  ],
  tmpfs: [
    values.tmpfs,
    [
      '/run',
      '/run:',
      '/run:size=64m',
      '/run:ro,noexec,nosuid,nodev',
      '/run:mode=1777,uid=0,gid=0,nr_inodes=1k,nr_blocks=5,mpol=x:y',
      ...'rw exec suid dev sync async dirsync mand nomand atime noatime diratime nodiratime relatime norelatime strictatime nostrictatime defaults private rprivate shared rshared slave rslave unbindable runbindable bind rbind remount'
        .split(' ')
        .map(each => `/run:${each}`),
    ],
    ['', 'run', 'run:ro', '/run:size', '/run:ro=1', '/run:sizes=1', '/run:ro,x', '/run: ro'],
  ],
  mountTarget: [values.mountTarget, ['/a', 'C:/a', 'ä:x'], ['/', '', 'a', './a', 'CC:/a', '1:/a']],
  link: [values.link, ['a', 'a:b'], ['', ':b', 'a:', 'a:b:c']],
  volumesFrom: [
    values.volumesFrom,
    ['a', 'a:ro', 'a:rw', 'container:a', 'container:a:ro', 'container:a:rw'],
    [
      '',
      ':ro',
      'a:',
      'a:rx',
      'a:ro:b',
      'container',
      'container:',
      'container:a:',
      'container:a:rx',
      'container:a:ro:b',
    ],
  ],
}

describe('of the words, names, addresses and amounts of a stack', () => {
  for (const [name, [judge, fits, not]] of Object.entries(judges))
    test(`${name}() tells what no engine takes`, () => {
      for (const text of fits) assert.deepEqual(judge(text), undefined, text)
      for (const text of not) assert.ok(judge(text), `"${text}" is taken`)
    })
})
