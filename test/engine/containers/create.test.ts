import assert from 'node:assert/strict'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ContainerCreate, HostConfig } from '../../../src/api/container-body.ts'
import { isFailure } from '../../../src/lib/failure.ts'
import type { ContainerSpec } from '../../../src/runtime/spec.ts'
import { EngineBox } from './engine-box.ts'

test('create takes command, environment and labels of the image where the body says nothing', async () => {
  await using box = await EngineBox.open()
  await box.create('web', { Env: ['MODE=mine', 'X=1'], Labels: { own: 'yes' } })
  const { Config, Path, Args } = await box.containers.inspect('web')
  assert.deepEqual([Path, Args], ['/entry', ['serve']])
  assert.deepEqual(Config.Env, ['MODE=mine', 'X=1', 'PATH=/bin'])
  assert.deepEqual(Config.Labels, { from: 'image', own: 'yes' })
})

test('an entrypoint of the body drops the command of the image, [] its entrypoint alone, and [""] both', async () => {
  await using box = await EngineBox.open()
  const command = async (name: string, body: ContainerCreate) => {
    await box.create(name, body)
    const { Path, Args } = await box.containers.inspect(name)
    return [Path, ...Args]
  }
  assert.deepEqual(await command('c1', { Entrypoint: ['/own'] }), ['/own'])
  assert.deepEqual(await command('c2', { Entrypoint: [''], Cmd: ['sh'] }), ['sh'])
  assert.deepEqual(await command('c3', { Cmd: ['other'] }), ['/entry', 'other'])
  assert.deepEqual(await command('c5', { Entrypoint: [], Cmd: ['sh'] }), ['sh'])
  assert.deepEqual(await command('c6', { Entrypoint: [], Cmd: [] }), ['serve'])
  await assert.rejects(box.create('c4', { Entrypoint: [''] }), /^Failure: no command specified$/)
})

test('a volume driver is looked for when a volume is made by it', async () => {
  await using box = await EngineBox.open()
  const HostConfig = { VolumeDriver: 'foo', Binds: ['/tmp:/tmp'] }
  await box.create('plain', { HostConfig })
  const { HostConfig: kept, Mounts } = await box.containers.inspect('plain')
  assert.deepEqual([kept.VolumeDriver, Mounts.map(({ Driver }) => Driver)], ['foo', [undefined]])
  const message = /^create \S+: error looking up volume plugin foo: plugin "foo" not found$/
  await assert.rejects(box.create('bad', { HostConfig, Volumes: { '/data': {} } }), { kind: 'not-found', message })
  await assert.rejects(box.create('bad', { HostConfig: { VolumeDriver: 'foo', Binds: ['data:/data'] } }), {
    kind: 'not-found',
    message,
  })
})

test('create shows the runtime by the name it was asked for, and the usual one by the name clients know', async () => {
  await using box = await EngineBox.open()
  const shown = async (name: string, Runtime?: string) => {
    await box.create(name, { HostConfig: { Runtime } })
    return (await box.containers.inspect(name)).HostConfig.Runtime
  }
  assert.deepEqual(
    [await shown('aa'), await shown('bb', 'tscompose'), await shown('cc', 'io.containerd.runc.v2')],
    ['runc', 'tscompose', 'io.containerd.runc.v2'],
  )
})

test('json-file keeps three files of 10 MB where nothing else is asked, other drivers five of 20 MB', async () => {
  await using box = await EngineBox.open()
  let count = 0
  const log = async (Type: string, Config: Record<string, string> = {}) => {
    const id = await box.run(`of-${++count}`, {
      HostConfig: { LogConfig: { Type, Config } },
    })
    const { maxSize, maxFiles } = box.containers.get(id).spec!.supervise.log!
    return [maxSize, maxFiles]
  }
  const usual = 10 * 1024 * 1024
  assert.deepEqual(await log('json-file'), [usual, 3])
  assert.deepEqual(await log('json-file', { 'max-file': '5' }), [usual, 5])
  assert.deepEqual(await log('json-file', { 'max-size': '1k' }), [1024, 1])
  assert.deepEqual(await log('json-file', { 'max-size': '-1' }), [-1, 1])
  assert.deepEqual(await log('gelf', { 'gelf-address': 'udp://127.0.0.1:9', 'cache-max-size': '1k' }), [1024, 5])
  assert.deepEqual(await log('local'), [20 * 1024 * 1024, 5])
  assert.deepEqual(await log('local', { 'max-size': '1k', 'max-file': '2' }), [1024, 2])
})

test('a container that a request names beside its own is the fault of the request when there is none', async () => {
  await using box = await EngineBox.open()
  for (const HostConfig of [{ VolumesFrom: ['nope'] }, { PidMode: 'container:nope' }, { IpcMode: 'container:nope' }])
    await assert.rejects(box.create('web', { HostConfig }), { kind: 'invalid', message: 'No such container: nope' })
})

test('containers of the same moment are listed newest first', async t => {
  t.mock.timers.enable({ apis: ['Date'] })
  await using box = await EngineBox.open()
  for (const name of ['one', 'two', 'three']) await box.create(name)
  const names = (await box.containers.list({ all: true })).map(({ Names }) => Names[0])
  assert.deepEqual(names, ['/three', '/two', '/one'])
})

test('create refuses in the words of Docker', async () => {
  await using box = await EngineBox.open()
  const notFor = (type: string, field: string) =>
    `invalid mount config for type "${type}": field ${field} must not be specified`
  const withoutLinks = (what: string) =>
    `conflicting options: ${what} can't be used with links. This would result in undefined behavior`
  const refused: ReadonlyArray<readonly [HostConfig, string]> = [
    [{ Memory: 1024 }, 'Minimum memory limit allowed is 6MB'],
    [{ Memory: 64e6, MemorySwap: 32e6 }, 'Minimum memoryswap limit should be larger than memory limit, see usage'],
    [{ CapAdd: ['CAP_X'] }, 'invalid CapAdd: unknown capability: "CAP_X"'],
    [
      { Mounts: [{ Type: 'bind', Source: '/no/such/folder', Target: '/x' }] },
      'invalid mount config for type "bind": bind source path does not exist: /no/such/folder',
    ],
    [{ Binds: ['/a:/x', '/b:/x'] }, 'Duplicate mount point: /x'],
    [{ Binds: ['/a:/'] }, "invalid volume specification: '/a:/': invalid specification: destination can't be '/'"],
    [{ Binds: ['/a:/x\0y'] }, 'invalid mount config: "/x\\u0000y" holds a NUL character'],
    [{ Binds: ['/a\0b:/x'] }, 'invalid mount config: "/a\\u0000b" holds a NUL character'],
    [{ Binds: ['/a:/x:nocopy'] }, `invalid volume specification: '/a:/x:nocopy': ${notFor('bind', 'VolumeOptions')}`],
    [
      { Binds: ['a:/x:ro,shared'] },
      `invalid volume specification: 'a:/x:ro,shared': ${notFor('volume', 'BindOptions')}`,
    ],
    [{ Binds: ['/a:/x:ro,rw'] }, 'invalid mode: ro,rw'],
    [{ VolumesFrom: ['nobody:bar'] }, 'invalid mode: bar'],
    [{ VolumesFrom: ['a:b:c'] }, "invalid volumes-from specification: 'a:b:c'"],
    [{ NetworkMode: 'host', Links: ['db:db'] }, withoutLinks('host type networking')],
    [{ NetworkMode: 'container:db', Links: ['db:db'] }, withoutLinks('container type network')],
    [{ Sysctls: { 'kernel.panic': '1' } }, 'sysctl "kernel.panic" is not in a separate kernel namespace'],
    [
      { NetworkMode: 'host', Sysctls: { 'net.core.somaxconn': '1' } },
      'sysctl "net.core.somaxconn" is not in a separate kernel namespace',
    ],
    [
      { AutoRemove: true, RestartPolicy: { Name: 'always' } },
      "can't create 'AutoRemove' container with restart policy",
    ],
    [{ Tmpfs: { '/t': 'sneaky=1' } }, 'invalid tmpfs option ["sneaky=1"]'],
    [{ OomScoreAdj: 2000 }, 'Invalid value 2000, range for oom score adj is [-1000, 1000]'],
    [{ Runtime: 'kata' }, 'unknown or invalid runtime name: kata'],
    [{ Isolation: 'hyperv' }, "invalid isolation (hyperv): linux only supports 'default'"],
    [{ IpcMode: 'odd' }, 'invalid IPC mode: odd'],
    [{ Annotations: { '': 'x' } }, 'invalid Annotations: the empty string is not permitted as an annotation key'],
    [{ IOMaximumIOps: 1 }, 'invalid option: QoS maximum IOPs configuration is not supported on linux'],
    [{ ExtraHosts: ['web'] }, 'bad format for add-host: "web"'],
    [{ ExtraHosts: ['web:x'] }, 'invalid IP address in add-host: "x"'],
    [{ Dns: ['dns.test'] }, 'bad nameserver address dns.test: ParseAddr("dns.test"): unable to parse IP'],
    [
      { RestartPolicy: { Name: 'allways' } },
      "invalid restart policy: unknown policy 'allways'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
    ],
  ]
  for (const [HostConfig, message] of refused)
    await assert.rejects(box.create('bad', { HostConfig }), error => {
      assert.ok(isFailure(error, 'invalid'), String(error))
      assert.equal(error.message, message)
      return true
    })
  assert.equal(box.containers.find('bad'), undefined)
})

test('names of the machine are what the kernel takes', async () => {
  await using box = await EngineBox.open()
  for (const name of ['d'.repeat(65), 'a\n127.0.0.1 bank.example', 'a b'])
    for (const field of ['Hostname', 'Domainname'])
      await assert.rejects(box.create('bad', { [field]: name }), {
        kind: 'invalid',
        message: /^invalid (hostname|domain name) format: /,
      })
})

test('what the engine does not honour is an error that names it', async () => {
  await using box = await EngineBox.open()
  for (const HostConfig of [
    { Cgroup: 'container:web' },
    { StorageOpt: { size: '1g' } },
    { KernelMemory: 64e6 },
    { LogConfig: { Type: 'splunk' } },
  ] satisfies HostConfig[])
    await assert.rejects(box.create('bad', { HostConfig }), error => isFailure(error, 'unsupported'))
})

test('a limit that the machine lacks is a warning, and an error for those who want what they ask for', async () => {
  await using box = await EngineBox.open()
  box.runtime.lacks.set('blkioWeight', 'no disk has the scheduler bfq (vda has mq-deadline)')
  const body = { Image: 'tiny:1', HostConfig: { BlkioWeight: 300, NetworkMode: 'none' } }
  const { Id, Warnings } = await box.containers.create({ body })
  assert.match(Warnings.join(), /^Your kernel does not support Block I\/O weight/)
  assert.equal((await box.containers.inspect(Id)).HostConfig.BlkioWeight, 0)
  await assert.rejects(box.containers.create({ body, strict: true }), {
    kind: 'unsupported',
    message: 'Cannot set HostConfig.BlkioWeight: no disk has the scheduler bfq (vda has mq-deadline)',
  })
})

test('an unknown image is not-found with its name as Docker writes it', async () => {
  await using box = await EngineBox.open()
  await assert.rejects(box.containers.create({ body: { Image: 'nope' } }), error => {
    assert.ok(isFailure(error, 'not-found'))
    assert.equal(error.message, 'No such image: nope:latest')
    return true
  })
})

test('names are checked, unique, and never the beginning of an id', async () => {
  await using box = await EngineBox.open()
  const id = await box.create('web')
  await assert.rejects(
    box.create('a/b'),
    /Invalid container name \(a\/b\), only \[a-zA-Z0-9\]\[a-zA-Z0-9_.-\] are allowed/,
  )
  await assert.rejects(
    box.create('/web'),
    new RegExp(`Conflict. The container name "/web" is already in use by container "${id}"`),
  )
  await assert.rejects(box.create(id.slice(0, 6)), error => isFailure(error, 'conflict'))
  await box.create('db')
})

test('a container is found by full id, then name, then unique prefix', async () => {
  await using box = await EngineBox.open()
  const ids = await Promise.all(Array.from({ length: 20 }, (_, i) => box.create(`c${i}x`)))
  const id = ids[3]!
  assert.equal(box.containers.get(id).id, id)
  assert.equal(box.containers.get('/c3x').id, id)
  assert.equal(box.containers.get(id.slice(0, 20)).id, id)
  const shared = ids.map(other => other[0]!).find((digit, i, all) => all.indexOf(digit) !== i)!
  assert.throws(() => box.containers.get(shared), {
    message: `multiple IDs found with provided prefix: ${shared}`,
    kind: 'invalid',
  })
  assert.throws(() => box.containers.get('nobody'), { message: 'No such container: nobody', kind: 'not-found' })
})

test('a volume of the image or body is anonymous unless a bind covers it', async () => {
  await using box = await EngineBox.open()
  await box.create('web', {
    Volumes: { '/data': {}, '/cache': {} },
    HostConfig: { Binds: ['named:/data:ro'] },
  })
  const { Mounts } = await box.containers.inspect('web')
  assert.deepEqual(
    Mounts.map(({ Type, Destination, RW, Name }) => [Type, Destination, RW, Name?.length === 64 ? 'anonymous' : Name]),
    [
      ['volume', '/data', false, 'named'],
      ['volume', '/cache', true, 'anonymous'],
    ],
  )
})

test('volumes_from takes the mounts of another container, read-only when asked', async () => {
  await using box = await EngineBox.open()
  await box.create('data', { HostConfig: { Binds: ['named:/data'] } })
  await box.create('reader', { HostConfig: { VolumesFrom: ['data:ro'] } })
  const { Mounts } = await box.containers.inspect('reader')
  assert.deepEqual([Mounts[0]?.Name, Mounts[0]?.Destination, Mounts[0]?.RW], ['named', '/data', false])
})

test('the spec of a start has everything looked up, and each mount its cause', async () => {
  await using box = await EngineBox.open()
  await box.run('web', {
    User: 'app',
    Env: ['MODE'],
    Hostname: 'front',
    WorkingDir: '/srv',
    HostConfig: {
      Binds: ['named:/data/deep'],
      Mounts: [{ Type: 'tmpfs', Target: '/data', TmpfsOptions: { SizeBytes: 4096, Mode: 0o700 } }],
      Memory: 64 * 1024 ** 2,
      NanoCpus: 5e8,
      CapDrop: ['ALL'],
      CapAdd: ['NET_BIND_SERVICE'],
      GroupAdd: ['777'],
    },
  })
  const spec = box.runtime.last.spec as ContainerSpec
  assert.deepEqual(spec.process.user, { uid: 1000, gid: 1000, groups: [1000, 2000, 777] })
  assert.deepEqual(spec.process.env, ['PATH=/bin', 'HOSTNAME=front', 'HOME=/home/app'])
  assert.deepEqual(spec.process.capabilities.bounding, ['NET_BIND_SERVICE'])
  assert.equal(spec.cgroup.cpuQuota, 50_000)
  assert.equal(spec.cgroup.memorySwap, 128 * 1024 ** 2)
  assert.deepEqual(
    spec.mounts.map(mount => [mount.kind, mount.target, mount.cause]),
    [
      ['tmpfs', '/data', 'HostConfig.Mounts[0]'],
      ['bind', '/data/deep', 'HostConfig.Binds[0]'],
      ['bind', '/etc/hosts', 'default'],
      ['bind', '/etc/hostname', 'default'],
      ['bind', '/etc/resolv.conf', 'default'],
    ],
  )
})

test('an unknown user keeps a container from starting, in the words of Docker', async () => {
  await using box = await EngineBox.open()
  await box.create('web', { User: 'nobody-here' })
  await assert.rejects(
    box.containers.start('web'),
    /unable to find user nobody-here: no matching entries in passwd file/,
  )
})

test('the json-file option max-file may stand alone; without a size nothing is rotated', async () => {
  await using box = await EngineBox.open()
  await box.run('web', { HostConfig: { LogConfig: { Type: 'json-file', Config: { 'max-file': '3' } } } })
  const { HostConfig } = await box.containers.inspect('web')
  assert.deepEqual(HostConfig.LogConfig, { Type: 'json-file', Config: { 'max-file': '3' } })
})

test('a log driver that does not exist is refused in the words of Docker, one that only Docker has by name', async () => {
  await using box = await EngineBox.open()
  const create = (Type: string) => box.create('web', { HostConfig: { LogConfig: { Type, Config: {} } } })
  await assert.rejects(create('asdf'), {
    kind: 'invalid',
    message: 'error looking up logging plugin asdf: plugin "asdf" not found',
  })
  await assert.rejects(create('awslogs'), {
    kind: 'unsupported',
    message:
      'Cannot log with driver "awslogs", which this engine does not have: use fluentd, and let Fluent Bit on this machine send to CloudWatch',
  })
})

test('an empty volume gets what the image has in its place when the container is made, and never again', async () => {
  await using box = await EngineBox.open()
  const content = (name: string) => readdirSync(box.engine.volumes.mountpoint(name))
  const HostConfig = { Binds: ['vol:/data'] }
  const id = await box.create('data', { HostConfig })
  assert.deepEqual(content('vol'), ['seed'])
  rmSync(join(box.engine.volumes.mountpoint('vol'), 'seed'))
  await box.containers.start(id)
  assert.deepEqual(content('vol'), [])
  await box.create('guest', { HostConfig: { VolumesFrom: ['data'] } })
  assert.deepEqual(content('vol'), [])
  await box.create('bare', { HostConfig: { Binds: ['other:/data:nocopy'] } })
  assert.deepEqual(content('other'), [])
})

test('a bind that holds the folder of the engine, or lies in it, lets go of what is unmounted there', async () => {
  await using box = await EngineBox.open()
  const data = join(box.folder, 'data')
  const propagations = async (name: string, HostConfig: HostConfig) => {
    await box.create(name, { HostConfig })
    return (await box.containers.inspect(name)).Mounts.map(({ Propagation }) => Propagation)
  }
  const mount = (Source: string, Propagation?: string) =>
    ({ Type: 'bind', Source, Target: '/m', BindOptions: { Propagation } }) as const
  assert.deepEqual(await propagations('whole', { Binds: ['/:/b'], Mounts: [mount(data)] }), ['rslave', 'rslave'])
  assert.deepEqual(await propagations('within', { Binds: [`${data}/containers:/b:rshared`] }), ['rshared'])
  assert.deepEqual(await propagations('beside', { Binds: [`${data}-other:/b`] }), ['rprivate'])
  const refused = {
    kind: 'invalid',
    message: /^invalid mount config: must use either propagation mode "rslave" or "rshared"/,
  }
  await assert.rejects(propagations('bind', { Binds: ['/:/b:rprivate'] }), refused)
  await assert.rejects(propagations('mount', { Mounts: [mount(data, 'slave')] }), refused)
})

test('create tells a body without a config from one without a command and from one without an image', async () => {
  await using box = await EngineBox.open()
  const refused = (body: ContainerCreate, message: string) =>
    assert.rejects(box.containers.create({ body }), { kind: 'invalid', message })
  await refused({}, 'config cannot be empty in order to create a container')
  await refused({ HostConfig: {} }, 'config cannot be empty in order to create a container')
  await refused({ Image: '' }, 'no command specified')
  await refused({ Cmd: ['true'] }, 'no image specified')
})
