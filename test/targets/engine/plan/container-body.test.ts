import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProblemsFailure } from '../../../../src/lib/problems.ts'
import type { Service } from '../../../../src/model/service.ts'
import { labels } from '../../../../src/targets/engine/labels.ts'
import { type ContainerBody, containerBody, originsOf } from '../../../../src/targets/engine/plan/container-body.ts'
import { attachment, network, project, service, volume, volumeMount } from './project.ts'

const files = new Map([['/srv/key', 'abc']])

const own = {
  networks: {
    default: network('default'),
    front: network('front', { name: 'edge', external: true }),
  },
  volumes: { data: volume('data') },
  secrets: {
    key: { key: 'key', name: 'key', labels: {}, source: { kind: 'file', file: '/srv/key' } },
    token: { key: 'token', name: 'token', labels: {}, source: { kind: 'environment', variable: 'TOKEN', value: 't' } },
  },
} as const

function body(part: Partial<Service>, more: object = {}): ContainerBody {
  const web = service('web', part)
  return containerBody({
    project: project([web], own),
    service: web,
    name: 'shop-web-1',
    number: 1,
    files,
    image: 'sha256:1',
    container: name => ({ node: name === 'vpn' ? 7 : 8 }),
    containerNames: name => [`shop-${name}-1`],
    ...more,
  })
}

test('containerBody() of a plain service says no more than it must', () => {
  const { body: made, late, uploads } = body({ command: ['sleep', '1'] })
  const { Labels, ...rest } = made
  assert.deepEqual(rest, {
    Image: 'busybox',
    Cmd: ['sleep', '1'],
    HostConfig: { NetworkMode: 'shop_default' },
    NetworkingConfig: { EndpointsConfig: { shop_default: { Aliases: ['shop-web-1', 'web'] } } },
  })
  assert.equal(Labels![labels.image], 'sha256:1')
  assert.equal(Labels![labels.oneOff], 'False')
  assert.equal(Labels![labels.directory], '/srv/shop')
  assert.deepEqual([late, uploads], [[], []])
})

test('containerBody() keeps an empty command and an empty entrypoint', () => {
  const { body: made } = body({ command: [], entrypoint: [] })
  assert.deepEqual([made.Cmd, made.Entrypoint], [[], []])
})

test('containerBody() maps limits, privileges and the rest to HostConfig', () => {
  const { body: made } = body({
    limits: {
      oomKillDisable: false,
      memory: 64 << 20,
      cpus: 0.5,
      pids: 50,
      cpuset: '0',
      cpuShares: 512,
      oomScoreAdj: 5,
    },
    capAdd: ['NET_ADMIN'],
    capDrop: ['ALL'],
    securityOpt: ['no-new-privileges:true'],
    readOnly: true,
    init: false,
    sysctls: { 'net.core.somaxconn': '1024' },
    ulimits: [{ name: 'nofile', soft: 1, hard: 2 }],
    devices: [{ source: '/dev/null', target: '/dev/x', permissions: 'r' }],
    extraHosts: [{ host: 'gw', address: 'host-gateway' }],
    restart: { kind: 'on-failure', maxRetries: 3 },
    stopGracePeriod: 1.5e9,
    logging: { driver: 'json-file', options: { 'max-size': '1m' } },
    ports: [
      { target: 80, published: '8080', hostIp: '127.0.0.1', protocol: 'tcp', mode: 'ingress', path: ['p0'] },
      { target: 80, protocol: 'tcp', mode: 'ingress', path: ['p1'] },
    ],
    expose: ['7000', '53/udp'],
  })
  assert.deepEqual(made.HostConfig, {
    PortBindings: {
      '80/tcp': [
        { HostIp: '127.0.0.1', HostPort: '8080' },
        { HostIp: '', HostPort: '' },
      ],
    },
    NetworkMode: 'shop_default',
    Memory: 67108864,
    OomScoreAdj: 5,
    NanoCpus: 500000000,
    CpuShares: 512,
    CpusetCpus: '0',
    PidsLimit: 50,
    CapAdd: ['NET_ADMIN'],
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges:true'],
    ReadonlyRootfs: true,
    Sysctls: { 'net.core.somaxconn': '1024' },
    Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 2 }],
    Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/x', CgroupPermissions: 'r' }],
    ExtraHosts: ['gw:host-gateway'],
    Init: false,
    RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 },
    LogConfig: { Type: 'json-file', Config: { 'max-size': '1m' } },
  })
  assert.equal(made.StopTimeout, 2)
  assert.deepEqual(Object.keys(made.ExposedPorts!), ['53/udp', '7000/tcp', '80/tcp'])
})

test('containerBody() maps every kind of mount, and knows the stack path of each', () => {
  const at = (i: number) => ['services', 'web', 'volumes', String(i)]
  const bind = { kind: 'bind', readOnly: true, createHostPath: true } as const
  const tmpfs = { kind: 'tmpfs', readOnly: false } as const
  const { body: made, origins } = body({
    mounts: [
      { ...bind, source: '/srv/a', target: '/a', path: at(0) },
      { ...bind, source: '/srv/b', target: '/b', createHostPath: false, selinux: 'z', path: at(1) },
      { ...volumeMount('data', '/data'), path: at(2) },
      { ...volumeMount(undefined, '/anon'), path: at(3) },
      { ...tmpfs, target: '/t', size: 1024, mode: 0o700, options: [], path: at(4) },
      { ...tmpfs, target: '/o', options: ['noexec'], mode: 0o700, path: at(5) },
    ],
    secrets: [{ source: 'key', target: '/run/secrets/key', path: ['services', 'web', 'secrets', '0'] }],
  })
  assert.deepEqual(made.HostConfig?.Mounts, [
    { Type: 'bind', Source: '/srv/a', Target: '/a', ReadOnly: true, BindOptions: { CreateMountpoint: true } },
    { Type: 'volume', Source: 'shop_data', Target: '/data' },
    { Type: 'volume', Target: '/anon' },
    { Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 1024, Mode: 0o700 } },
    { Type: 'bind', Source: '/srv/key', Target: '/run/secrets/key', ReadOnly: true },
  ])
  assert.deepEqual(made.HostConfig.Binds, ['/srv/b:/b:ro,z'])
  assert.deepEqual(made.HostConfig.Tmpfs, { '/o': 'noexec,mode=700' })
  assert.deepEqual(origins['HostConfig.Mounts[1]'], at(2))
  assert.deepEqual(origins['HostConfig.Binds[0]'], at(1))
  assert.deepEqual(origins['HostConfig.Mounts[4]'], ['services', 'web', 'secrets', '0'])
})

test('containerBody() gives links to the container itself on the bridge of the engine', () => {
  const part = {
    networkMode: { kind: 'other', value: 'bridge' },
    networks: {},
    links: [{ service: 'db', alias: 'database' }],
    externalLinks: [{ container: 'old', alias: 'other' }],
  } as const
  const { body: made } = body(part)
  assert.deepEqual(made.HostConfig, { NetworkMode: 'bridge', Links: ['shop-db-1:database', 'old:other'] })
  assert.equal(made.NetworkingConfig, undefined)
})

test('containerBody() puts each network under its real name, the first as the mode', () => {
  const { body: made } = body({
    networks: {
      front: attachment('front', { ipv4Address: '10.0.0.5', aliases: ['www'], gwPriority: 1 }),
      default: attachment('default', { interfaceName: 'lan0' }),
    },
    macAddress: '02:00:00:00:00:01',
    links: [{ service: 'db', alias: 'database' }],
  })
  assert.equal(made.HostConfig?.NetworkMode, 'edge')
  assert.deepEqual(made.NetworkingConfig?.EndpointsConfig, {
    edge: {
      Aliases: ['shop-web-1', 'web', 'www'],
      IPAMConfig: { IPv4Address: '10.0.0.5' },
      Links: ['shop-db-1:database'],
      MacAddress: '02:00:00:00:00:01',
      GwPriority: 1,
    },
    shop_default: {
      Aliases: ['shop-web-1', 'web'],
      Links: ['shop-db-1:database'],
      DriverOpts: { 'com.docker.network.endpoint.ifname': 'lan0' },
    },
  })
})

test('containerBody() leaves shared namespaces and unknown images to the results of other nodes', () => {
  const { body: made, late } = body(
    {
      networkMode: { kind: 'service', service: 'vpn' },
      networks: {},
      pid: { kind: 'service', service: 'db' },
      ipc: { kind: 'host' },
      volumesFrom: [{ kind: 'service', name: 'db', readOnly: true }],
    },
    { image: { node: 3 } },
  )
  assert.equal(made.NetworkingConfig, undefined)
  assert.deepEqual(made.HostConfig, { IpcMode: 'host' })
  assert.deepEqual(late, [
    { path: ['Labels', labels.image], ref: { node: 3 }, before: '', after: '' },
    { path: ['HostConfig', 'NetworkMode'], ref: { node: 7 }, before: 'container:', after: '' },
    { path: ['HostConfig', 'PidMode'], ref: { node: 8 }, before: 'container:', after: '' },
    { path: ['HostConfig', 'VolumesFrom'], ref: { node: 8 }, before: '', after: ':ro', list: true },
  ])
})

test('containerBody() uploads what a variable holds, and lets no one-off container answer for its service', () => {
  const made = body(
    { secrets: [{ source: 'token', target: '/run/secrets/token', uid: '5', mode: 0o400, path: [] }] },
    { slug: 'a'.repeat(64), number: undefined },
  )
  assert.deepEqual(made.uploads, [{ target: '/run/secrets/token', content: 't', uid: 5, gid: 0, mode: 0o400 }])
  assert.equal(made.body.Labels![labels.oneOff], 'True')
  assert.equal(made.body.Labels![labels.number], undefined)
  assert.deepEqual(made.body.NetworkingConfig?.EndpointsConfig?.['shop_default']?.Aliases, ['shop-web-1'])
  assert.doesNotMatch(JSON.stringify(made.body), /"t"/)
})

test('containerBody() copies a file that is to have an owner or mode, and binds any other', () => {
  const reference = { source: 'key', target: '/run/secrets/key', path: [] }
  const bound = body({ secrets: [reference] })
  assert.deepEqual([bound.uploads, bound.body.HostConfig!.Mounts?.length], [[], 1])
  const copied = body({ secrets: [{ ...reference, gid: '7', mode: 0o440 }] })
  assert.deepEqual(copied.uploads, [
    { target: '/run/secrets/key', content: { file: '/srv/key' }, uid: 0, gid: 7, mode: 0o440 },
  ])
  assert.equal(copied.body.HostConfig!.Mounts, undefined)
  assert.throws(
    () => body({ secrets: [{ ...reference, mode: 0o440 }] }, { files: new Map([['/srv/key', 'folder']]) }),
    {
      message: /is a folder/,
    },
  )
})

test('containerBody() tells every config and secret that is not to be had at once', () => {
  const secrets = {
    a: { key: 'a', name: 'a', labels: {}, source: { kind: 'file', file: '/none' } },
    b: { key: 'b', name: 'b', labels: {}, source: { kind: 'environment', variable: 'B', value: undefined } },
    c: { key: 'c', name: 'c', labels: {}, source: { kind: 'external' } },
  } as const
  const web = service('web', {
    secrets: Object.keys(secrets).map(source => ({ source, target: `/${source}`, path: [] })),
  })
  const input = { project: project([web], { secrets }), service: web, name: 'x', number: 1, files, image: undefined }
  assert.throws(
    () => containerBody({ ...input, container: name => name, containerNames: () => [] }),
    (error: unknown) =>
      error instanceof ProblemsFailure &&
      error.problems.map(({ code, path }) => `${code} ${path.join('.')}`).join(', ') ===
        'missing-file secrets.a, unset-variable secrets.b, content-elsewhere secrets.c',
  )
})

test('originsOf() points a limit to where it stands: under deploy or as a key of its own', () => {
  const web = service('web', { limits: { oomKillDisable: false, memory: 1, cpus: 1 }, environment: { A: '1' } })
  const lines: Readonly<Record<string, number>> = {
    'services.web': 2,
    'services.web.deploy.resources.limits.memory': 5,
  }
  const shop = project([web], {
    place: path => {
      for (let length = path.length; length > 0; length--) {
        const line = lines[path.slice(0, length).join('.')]
        if (line !== undefined) return { file: 'compose.yaml', line, column: 1 }
      }
      return undefined
    },
  })
  const origins = originsOf(shop, web, files)
  assert.deepEqual(origins['HostConfig.Memory'], ['services', 'web', 'deploy', 'resources', 'limits', 'memory'])
  assert.deepEqual(origins['HostConfig.NanoCpus'], ['services', 'web', 'cpus'])
  assert.deepEqual(origins['Env'], ['services', 'web', 'environment'])
})
