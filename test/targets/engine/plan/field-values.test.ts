import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fieldValue } from '../../../../src/targets/engine/plan/field-values.ts'
import type { Made } from '../../../../src/targets/engine/plan/made.ts'

const made = (own: Partial<Made>): Made => ({ name: '', config: {}, host: {}, endpoints: {}, ...own })

/** As engines of several ages show what nobody has asked for. */
const bare: readonly Made[] = [
  made({}),
  made({
    config: {
      ...{ Image: '', Cmd: null, Entrypoint: null, Env: null, WorkingDir: '', User: '', Hostname: '', Domainname: '' },
      ...{ Tty: false, OpenStdin: false, StopSignal: '', StopTimeout: null, Labels: null, Healthcheck: null },
      ExposedPorts: null,
    },
    host: {
      ...{
        Annotations: null,
        GroupAdd: null,
        Init: null,
        PortBindings: null,
        Links: null,
        ExtraHosts: null,
        Dns: null,
      },
      ...{ DnsSearch: null, DnsOptions: null, VolumesFrom: null, ReadonlyRootfs: false, StorageOpt: null },
      ...{ Privileged: false, CapAdd: null, CapDrop: null, SecurityOpt: null, Sysctls: null, Ulimits: null },
      ...{ Devices: null, DeviceRequests: null, DeviceCgroupRules: null, NetworkMode: '', IpcMode: '', PidMode: '' },
      ...{ UTSMode: '', UsernsMode: '', CgroupnsMode: null, CgroupParent: '', Runtime: '', Isolation: null },
      ...{ RestartPolicy: { Name: '', MaximumRetryCount: 0 }, LogConfig: null, Mounts: null, Binds: null, Tmpfs: null },
      ...{ Memory: 0, NanoCpus: 0, BlkioWeight: 0, BlkioDeviceReadBps: null, OomKillDisable: null, ShmSize: 0 },
    } as Made['host'],
    endpoints: { shop_default: null },
  }),
  made({ host: { RestartPolicy: { Name: 'no' }, LogConfig: { Type: '', Config: {} } } }),
]

const fields = [
  ...['image', 'command', 'entrypoint', 'environment.A', 'working_dir', 'user', 'hostname', 'domainname', 'tty'],
  ...['stdin_open', 'stop_signal', 'stop_grace_period', 'labels.a', 'container_name', 'expose', 'annotations.a'],
  ...['healthcheck.test', 'healthcheck.disable', 'healthcheck.interval', 'healthcheck.retries', 'group_add', 'init'],
  ...['deploy.restart_policy.delay', 'deploy.restart_policy.window', 'deploy.mode', 'ports', 'links', 'extra_hosts'],
  ...['dns', 'dns_search', 'dns_opt', 'volumes./d', 'volumes_from', 'read_only', 'storage_opt', 'privileged'],
  ...['cap_add', 'cap_drop', 'security_opt', 'sysctls.a', 'ulimits.nofile', 'devices', 'device_cgroup_rules', 'gpus'],
  ...['network_mode', 'ipc', 'pid', 'uts', 'userns_mode', 'cgroup', 'cgroup_parent', 'runtime', 'isolation', 'restart'],
  ...['logging', 'mem_limit', 'cpus', 'blkio_config.weight', 'blkio_config.device_read_bps', 'oom_kill_disable'],
  ...['shm_size', 'platform', 'toString', ''],
]

test('fieldValue() of what nobody has asked for is nothing, in whatever way an engine shows that', () => {
  for (const [index, each] of bare.entries())
    for (const field of fields) {
      const value = fieldValue(each, field)
      assert.ok(value === undefined || (Array.isArray(value) && value.length === 0), `${field} of ${index}: ${value}`)
    }
})

describe('fieldValue() tells what an engine shows in the notation of a stack file', () => {
  const health = { Test: ['CMD-SHELL', 'a b'], Interval: 90e9, Timeout: 1e9, StartPeriod: 0, Retries: 3 }
  const hex = 'a1b2c3d4e5f6'.padEnd(64, '0')
  const bound = {
    '80/tcp': [{ HostIp: '', HostPort: '8080' }],
    '81/udp': [
      { HostIp: '1.2.3.4', HostPort: '' },
      { HostIp: '::1', HostPort: '8081' },
    ],
    '82/tcp': null,
    '83/tcp': [{}],
  }
  const cases: readonly (readonly [Partial<Made>, field: string, value: unknown])[] = [
    [
      { config: { Cmd: ['a', 'b c', '', 'x="y"', 'A=b@c%d+e:f,g./h-i'] } },
      'command',
      'a "b c" "" "x=\\"y\\"" A=b@c%d+e:f,g./h-i',
    ],
    [{ config: { Entrypoint: [] } }, 'entrypoint', '[]'],
    [{ config: { Env: ['AB=c', 'A=b=c', 'A=d', 'B'] } }, 'environment.A', 'b=c'],
    [{ config: { Env: ['B'] } }, 'environment.B', undefined],
    [{ config: { StopTimeout: 0 } }, 'stop_grace_period', '0s'],
    [{ config: { Labels: { 'a.b': 'c' } } }, 'labels.a.b', 'c'],
    [{ config: { Labels: { a: '' } } }, 'labels.a', ''],
    [{ name: 'shop-web-1' }, 'container_name', 'shop-web-1'],
    [{ config: { Healthcheck: health } }, 'healthcheck.test', 'CMD-SHELL "a b"'],
    [{ config: { Healthcheck: health } }, 'healthcheck.interval', '1m30s'],
    [{ config: { Healthcheck: health } }, 'healthcheck.timeout', '1s'],
    [{ config: { Healthcheck: health } }, 'healthcheck.start_period', undefined],
    [{ config: { Healthcheck: health } }, 'healthcheck.start_interval', undefined],
    [{ config: { Healthcheck: health } }, 'healthcheck.retries', '3'],
    [{ config: { Healthcheck: health } }, 'healthcheck.disable', undefined],
    [{ config: { Healthcheck: health } }, 'healthcheck.other', undefined],
    [{ config: { Healthcheck: { Test: ['NONE'] } } }, 'healthcheck.disable', 'true'],
    [{ config: { ExposedPorts: { '80/tcp': {}, '90/tcp': {} } }, host: { PortBindings: bound } }, 'expose', ['90/tcp']],
    [
      { host: { PortBindings: bound } as Made['host'] },
      'ports',
      ['8080:80', '1.2.3.4:81/udp', '[::1]:8081:81/udp', '83'],
    ],
    [{ host: { Init: false } }, 'init', 'false'],
    [
      { host: { Links: ['a:b'] }, endpoints: { x: { Links: ['a:b', 'c:d'] }, y: null, z: { Links: ['c:d'] } } },
      'links',
      ['a:b', 'c:d'],
    ],
    [{ host: { StorageOpt: { size: '1G', a: 'b' } } }, 'storage_opt', ['size=1G', 'a=b']],
    [{ host: { CapAdd: ['CAP_KILL', 'NET_CAP_X', 'ALL'] } }, 'cap_add', ['KILL', 'NET_CAP_X', 'ALL']],
    [{ host: { Ulimits: [{ Name: 'nofile', Soft: 5, Hard: 5 }] } }, 'ulimits.nofile', '5'],
    [{ host: { Ulimits: [{ Name: 'nofile', Soft: 5, Hard: 6 }] } }, 'ulimits.nofile', '5:6'],
    [{ host: { Ulimits: [{ Name: 'core', Soft: 5, Hard: 6 }] } }, 'ulimits.nofile', undefined],
    [
      {
        host: {
          Devices: [{ PathOnHost: '/dev/a', PathInContainer: '/dev/b', CgroupPermissions: 'r' }],
          DeviceRequests: [
            { Driver: 'cdi', DeviceIDs: ['v/c=d'] },
            { Driver: 'nvidia', Count: 1 },
          ],
        },
      },
      'devices',
      ['/dev/a:/dev/b:r', 'v/c=d'],
    ],
    [
      { host: { DeviceRequests: [{ Driver: 'cdi' }, { Driver: 'x', Count: 1 }] } },
      'gpus',
      ['{"Driver":"x","Count":1}'],
    ],
    [{ host: { NetworkMode: `container:${hex}` } }, 'network_mode', 'container:a1b2c3d4e5f6'],
    [{ host: { IpcMode: `container:${hex}0` } }, 'ipc', `container:${hex}0`],
    [{ host: { PidMode: 'container:db' } }, 'pid', 'container:db'],
    [{ host: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 0 } } }, 'restart', 'on-failure'],
    [{ host: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } } }, 'restart', 'on-failure:2'],
    [{ host: { LogConfig: { Type: 'local', Config: { a: 'b' } } } }, 'logging', ['local', 'a=b']],
    // mounts, of whichever form
    [{ host: { Mounts: [{ Type: 'volume', Source: 'v', Target: '/d' }] } }, 'volumes./d', 'v'],
    [{ host: { Mounts: [{ Type: 'volume', Target: '/d' }] } }, 'volumes./d', 'anonymous volume'],
    [{ host: { Mounts: [{ Type: 'bind', Source: '/s', Target: '/d', ReadOnly: true }] } }, 'volumes./d', '/s (ro)'],
    [
      { host: { Mounts: [{ Type: 'tmpfs', Target: '/d', TmpfsOptions: { SizeBytes: 1024 } }] } },
      'volumes./d',
      'tmpfs 1k',
    ],
    [
      { host: { Mounts: [{ Type: 'volume', Source: 'v', Target: '/d', VolumeOptions: { Subpath: 'a' } }] } },
      'volumes./d',
      'v/a',
    ],
    [
      { host: { Mounts: [{ Type: 'image', Source: 'i', Target: '/d', ImageOptions: { Subpath: 'a' } }] } },
      'volumes./d',
      'i/a',
    ],
    [{ host: { Binds: ['/s:/other', '/s:/d'] } }, 'volumes./d', '/s'],
    [{ host: { Binds: ['/s:/d:ro,z'] } }, 'volumes./d', '/s (ro,z)'],
    [{ host: { Tmpfs: { '/d': '' } } }, 'volumes./d', 'tmpfs'],
    [{ host: { Tmpfs: { '/d': 'size=1m' } } }, 'volumes./d', 'tmpfs size=1m'],
    [{ host: { Tmpfs: { '/e': '' } } }, 'volumes./d', undefined],
    // limits
    [{ host: { Memory: 64 * 1024 ** 2 } }, 'mem_limit', '64m'],
    [{ host: { Memory: 3 * 1024 ** 3 } }, 'mem_limit', '3g'],
    [{ host: { Memory: 1025 } }, 'mem_limit', '1025'],
    [{ host: { MemorySwap: -1 } }, 'memswap_limit', '-1'],
    [{ host: { NanoCpus: 1.5e9 } }, 'cpus', '1.5'],
    [{ host: { BlkioWeightDevice: [{ Path: '/a', Weight: 5 }] } }, 'blkio_config.weight_device', ['/a:5']],
    [{ host: { BlkioDeviceWriteIOps: [{ Path: '/a', Rate: 0 }] } }, 'blkio_config.device_write_iops', ['/a:0']],
  ]
  for (const [own, field, value] of cases)
    test(`${field}: ${JSON.stringify(value)}`, () => assert.deepEqual(fieldValue(made(own), field), value))
})
