import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ContainerInspect } from '../../../src/api/containers.ts'
import { rightsOf } from '../../../src/view/explain/security.ts'

const usual = new Set(['CHOWN', 'KILL', 'MKNOD'])
const container = (host: object, more: object = {}) =>
  ({
    Config: { User: '' },
    HostConfig: { NetworkMode: 'shop_default', PidMode: '', IpcMode: 'private', CgroupnsMode: 'private', ...host },
    Mounts: [],
    NetworkSettings: { Ports: {} },
    ...more,
  }) as unknown as ContainerInspect
const rights = (of: ContainerInspect, has: ReadonlySet<string> = usual) =>
  rightsOf({ container: of, capabilities: { has, usual } })
const different = (of: ContainerInspect, has?: ReadonlySet<string>) =>
  Object.fromEntries(
    rights(of, has)
      .filter(right => right.usual !== undefined)
      .map(({ topic, now }) => [topic, now]),
  )

describe('rightsOf()', () => {
  test('marks nothing of a container of which nothing was said', () => {
    assert.deepEqual(different(container({})), {})
    assert.deepEqual(rights(container({})).find(({ topic }) => topic === 'writes to')?.now, 'its root')
  })

  test('tells which capabilities are more and which less than usual', () => {
    const right = rights(container({}), new Set(['CHOWN', 'KILL', 'NET_ADMIN'])).find(
      ({ topic }) => topic === 'capabilities',
    )
    assert.equal(right?.now, 'CHOWN, KILL, NET_ADMIN')
    assert.equal(right?.usual, '3 of them: this has NET_ADMIN more, and MKNOD less')
    const none = rights(container({}), new Set()).find(({ topic }) => topic === 'capabilities')
    assert.equal(none?.now, 'none')
    assert.equal(none?.usual, '3 of them: this has all of the usual less')
  })

  test('a privileged container has everything, whatever else it says', () => {
    assert.deepEqual(different(container({ Privileged: true, SecurityOpt: ['seccomp=builtin'] })), {
      privileged: 'yes: all capabilities and devices, nothing hidden',
      capabilities: 'ALL',
      'system calls': 'not filtered',
      devices: 'all of the host',
      'kernel files': 'none hidden',
    })
  })

  test('namespaces of the host and of other containers are named', () => {
    const host = { NetworkMode: 'host', PidMode: `container:${'a'.repeat(64)}`, UTSMode: 'host', UsernsMode: 'auto' }
    assert.deepEqual(different(container(host)), {
      network: "the host's",
      'process ids': 'that of container aaaaaaaaaaaa',
      'host name': "the host's",
      users: 'its own',
    })
    assert.deepEqual(different(container({ UsernsMode: 'host', NetworkMode: 'none' })), { network: 'none' })
  })

  test('what can be written, read and reached is listed, volumes by their names', () => {
    const Mounts = [
      { Type: 'volume', Name: 'data', Source: '/v', Destination: '/data', RW: true },
      { Type: 'bind', Source: '/etc', Destination: '/host', RW: false },
      { Type: 'tmpfs', Source: '', Destination: '/tmp', RW: true },
    ]
    const Ports = {
      '80/tcp': [
        { HostIp: '127.0.0.1', HostPort: '8080' },
        { HostIp: '::', HostPort: '8081' },
      ],
      '443/tcp': null,
    }
    const host = { ReadonlyRootfs: true, Tmpfs: { '/tmp': '' }, SecurityOpt: ['no-new-privileges'], Memory: 2 ** 26 }
    assert.deepEqual(different(container(host, { Mounts, NetworkSettings: { Ports } })), {
      'new privileges': 'no: setuid programs run without',
      'writes to': '/tmp (memory), /data (volume data)',
      reads: '/host (/etc of the host)',
      'reached at':
        '127.0.0.1:8080 → 80/tcp (this machine alone), [::]:8081 → 80/tcp (everybody who reaches this machine)',
      memory: '64 MiB at most',
    })
  })
})
