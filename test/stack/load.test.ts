import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isFailure } from '../../src/lib/failure.ts'
import { at, config, load, loadFiles, problems } from './stacks.ts'

describe('loadStack()', () => {
  test('gives the long form of every short form', async () => {
    const { project } = await load(
      `
services:
  web:
    image: busybox
    command: sh -c "echo hi"
    ports: ["127.0.0.1:8080-8081:80-81/udp"]
    volumes: ["data:/data:ro", "./src:/src", /anonymous]
    environment: [A=1, B]
    mem_limit: 1.5g
    stop_grace_period: 1m30s
    ulimits: {nofile: 100}
    secrets: [token]
    depends_on: [db]
    tmpfs: "/run:size=1m,mode=1770,noexec"
    deploy: {resources: {limits: {cpus: "0.5"}}}
  db: {image: busybox}
volumes: {data: {}}
secrets: {token: {environment: TOKEN}}
`,
      { env: { B: 'two', TOKEN: 'secret' } },
    )
    const web = project.services.web!
    assert.equal(project.name, 'shop')
    assert.deepEqual(web.command, ['sh', '-c', 'echo hi'])
    assert.deepEqual(
      web.ports.map(({ path, ...port }) => port),
      [
        {
          target: 80,
          published: '8080',
          protocol: 'udp',
          hostIp: '127.0.0.1',
          mode: 'ingress',
          name: undefined,
          appProtocol: undefined,
        },
        {
          target: 81,
          published: '8081',
          protocol: 'udp',
          hostIp: '127.0.0.1',
          mode: 'ingress',
          name: undefined,
          appProtocol: undefined,
        },
      ],
    )
    assert.deepEqual(
      web.mounts.map(mount => [mount.kind, mount.target, mount.readOnly]),
      [
        ['volume', '/data', true],
        ['bind', '/src', false],
        ['volume', '/anonymous', false],
        ['tmpfs', '/run', false],
      ],
    )
    const tmpfs = web.mounts[3]!
    assert.ok(tmpfs.kind === 'tmpfs')
    assert.deepEqual([tmpfs.size, tmpfs.mode, tmpfs.options], [1048576, 0o1770, ['noexec']])
    assert.deepEqual({ ...web.environment }, { A: '1', B: 'two' })
    assert.equal(web.limits.memory, 1.5 * 1024 ** 3)
    assert.equal(web.limits.cpus, 0.5)
    assert.equal(web.stopGracePeriod, 90e9)
    assert.deepEqual(web.ulimits, [{ name: 'nofile', soft: 100, hard: 100 }])
    assert.equal(web.secrets[0]?.target, '/run/secrets/token')
    assert.deepEqual(project.secrets.token?.source, { kind: 'environment', variable: 'TOKEN', value: 'secret' })
    assert.deepEqual(
      { ...web.dependsOn },
      { db: { service: 'db', condition: 'started', required: true, restart: false } },
    )
    assert.deepEqual(Object.keys(web.networks), ['default'])
    assert.equal(project.networks.default?.name, 'shop_default')
    assert.deepEqual(project.place(['services', 'web', 'mem_limit']), { file: 'compose.yaml', line: 9, column: 5 })
  })

  test('names every problem of a file at once', async () => {
    const found = await problems('services:\n  a: {imag: x}\n  b: {image: [y]}\n  c: {image: z, tty: {}}\n')
    assert.deepEqual(found.map(at), ['compose.yaml:2:7', 'compose.yaml:3:14', 'compose.yaml:4:22'])
  })

  test('keeps the place of a value through include, extends and a second file', async () => {
    const found = await problems({
      'compose.yaml': 'include: [sub/compose.yaml]\nservices:\n  web:\n    extends: {file: base.yaml, service: web}\n',
      'base.yaml': 'services:\n  web:\n    image: x\n    networks: [nowhere]\n',
      'sub/compose.yaml': 'services:\n  inner:\n    image: y\n    volumes: ["gone:/data"]\n',
    })
    assert.deepEqual(
      found.filter(p => p.severity === 'error').map(p => [at(p), p.place?.via]),
      [
        ['base.yaml:4:16', ['extended by compose.yaml:4:21']],
        ['sub/compose.yaml:4:15', ['included by compose.yaml:1:11']],
      ],
    )
  })

  test('names a circle of dependencies in full', async () => {
    const [found] = await problems(
      'services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, depends_on: [c]}\n  c: {image: x, depends_on: [a]}\n',
    )
    assert.match(found?.message ?? '', /a → b → c → a/)
  })

  test('names circles of extends and include', async () => {
    const [service] = await problems('services:\n  a: {extends: b}\n  b: {extends: a}\n')
    assert.match(service?.message ?? '', /circle: a → b → a/)
    const [file] = await problems({ 'compose.yaml': 'include: [b.yaml]\n', 'b.yaml': 'include: [compose.yaml]\n' })
    assert.equal(file?.code, 'include-cycle')
  })

  test('takes the environment before .env, and a later --env-file before an earlier one', async () => {
    const yaml = 'services: {a: {image: "${A}-${B}-${C:-none}"}}\n'
    const files = { 'compose.yaml': yaml, '.env': 'A=dot\nB=dot\n', one: 'A=1\nB=1\n', two: 'B=2\n' }
    const image = async (options = {}) => (await loadFiles(files, options)).project.services.a?.image
    assert.equal(await image(), 'dot-dot-none')
    assert.equal(await image({ env: { A: 'os' } }), 'os-dot-none')
    assert.equal(await image({ envFiles: ['one', 'two'] }), '1-2-none')
  })

  test('refuses an unset required variable with its message and place', async () => {
    const [found] = await problems('services:\n  a:\n    image: x:${A:?needed here}\n')
    assert.equal(at(found), 'compose.yaml:3:14')
    assert.match(found?.message ?? '', /"A" is not set: needed here/)
  })

  test('leaves variables as they stand with interpolate: false', async () => {
    const data = await config('services: {a: {image: "x:${TAG}", ports: ["${P}:80"]}}\n', { interpolate: false })
    assert.equal(data.services.a.image, 'x:${TAG}')
  })

  test('merges files by the rule of each field', async () => {
    const files = {
      'a.yaml':
        'services: {a: {image: x, command: [one], environment: {A: 1, B: 2}, ports: ["80:80"], volumes: ["vol:/data"], dns: 1.1.1.1}}\nvolumes: {vol: {}, two: {}}\n',
      'b.yaml':
        'services: {a: {command: null, environment: [B=3], ports: ["81:81"], volumes: ["two:/data"], dns: [1.1.1.1, 8.8.8.8]}}\n',
    }
    const { project } = await loadFiles(files, { files: ['a.yaml', 'b.yaml'] })
    const a = project.services.a!
    assert.equal(a.command, undefined)
    assert.deepEqual({ ...a.environment }, { A: '1', B: '3' })
    assert.deepEqual(
      a.ports.map(port => port.target),
      [80, 81],
    )
    assert.deepEqual(
      a.mounts.map(mount => mount.kind === 'volume' && mount.source),
      ['two'],
    )
    assert.deepEqual(a.dns, ['1.1.1.1', '8.8.8.8'])
    assert.deepEqual(Object.keys(project.volumes), ['two'])
  })

  test('takes away what a later file marks !reset and replaces what it marks !override', async () => {
    const files = {
      'a.yaml': 'services: {a: {image: x, ports: ["80:80"], dns: [1.1.1.1], tty: true}}\n',
      'b.yaml': 'services: {a: {ports: !override ["81:81"], dns: !reset [], tty: !reset null}}\n',
    }
    const { project } = await loadFiles(files, { files: ['a.yaml', 'b.yaml'] })
    const a = project.services.a!
    assert.deepEqual([a.ports.map(port => port.target), a.dns, a.tty], [[81], [], false])
  })

  test('leaves out services of profiles not in force, and brings in those named', async () => {
    const yaml = 'services:\n  a: {image: x}\n  b: {image: x, profiles: [debug]}\n'
    assert.deepEqual(Object.keys((await load(yaml)).project.services), ['a'])
    assert.deepEqual(Object.keys((await load(yaml)).project.disabledServices), ['b'])
    assert.deepEqual(Object.keys((await load(yaml, { services: ['b'] })).project.services), ['a', 'b'])
    assert.deepEqual(Object.keys((await load(yaml, { env: { COMPOSE_PROFILES: 'x,debug' } })).project.services), [
      'a',
      'b',
    ])
  })

  test('refuses a required dependency on a service that is left out', async () => {
    const [found] = await problems('services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, profiles: [debug]}\n')
    assert.match(found?.message ?? '', /none of its profiles \(debug\) is in force/)
  })

  test('joins names by "_" with --compatibility or COMPOSE_COMPATIBILITY', async () => {
    const yaml = 'services: {a: {image: x}}\n'
    const seen = async (options: Parameters<typeof load>[1]) => {
      const { project } = await load(yaml, options)
      return [project.separator, Object.keys(project.networks)]
    }
    assert.deepEqual(await seen({}), ['-', ['default']])
    assert.deepEqual(await seen({ compatibility: true }), ['_', ['default']])
    assert.deepEqual(await seen({ env: { COMPOSE_COMPATIBILITY: 'true' } }), ['_', ['default']])
  })

  test('reads the env files only of services that containers are made of', async () => {
    const files = {
      'compose.yaml': `services:
  a: {image: x, depends_on: [b]}
  b: {image: x, env_file: b.env}
  c: {image: x, env_file: missing.env, label_file: missing.labels}
`,
      'b.env': 'K=v\n',
    }
    const made = await loadFiles(files, { making: { services: ['a'] } })
    assert.equal(made.project.services.b!.environment.K, 'v')
    await loadFiles(files, { making: { services: ['a'], alone: true } })
    await loadFiles(files, { making: { services: [] } })
    assert.deepEqual(
      (await problems(files)).map(({ code, path }) => [code, path.join('.')]),
      [
        ['missing-file', 'services.c.env_file.0'],
        ['missing-file', 'services.c.label_file.0'],
      ],
    )
  })

  test('gives secrets and configs of an included stack the variables of its own env file', async () => {
    const { project } = await loadFiles(
      {
        'compose.yaml':
          'include: [{path: sub/s.yaml, env_file: sub/s.env}]\nservices: {a: {image: x, secrets: [mine]}}\nsecrets: {mine: {environment: TOKEN}}\n',
        'sub/s.yaml':
          'services: {b: {image: x, secrets: [one, two], configs: [three]}}\nsecrets: {one: {environment: TOKEN}, two: {environment: OUTER}}\nconfigs: {three: {environment: TOKEN}}\n',
        'sub/s.env': 'TOKEN=inner\nOUTER=inner\n',
      },
      { env: { OUTER: 'outer' } },
    )
    const value = (object: { source: { kind: string; value?: string } } | undefined) => object?.source.value
    const { secrets, configs } = project
    assert.deepEqual(
      [secrets.one, secrets.two, configs.three, secrets.mine].map(object => value(object as never)),
      ['inner', 'outer', 'inner', undefined],
    )
  })

  test('takes a tag on an anchored value for every alias of it, and !reset below it for its own place alone, as the reference', async () => {
    const { project } = await loadFiles(
      {
        'a.yaml': `services:
  a: {image: x, ports: ["80:80"], environment: {A: 1, C: 3}, command: x}
  b: {image: x, ports: ["81:81"], environment: {A: 1, B: 1}, command: y}
  c: {image: x, ports: ["82:82"], command: z}
`,
        'b.yaml': `services:
  a: {ports: &p !override ["90:90"], environment: &e {A: !reset null, Z: 1}, command: &c !reset null}
  b: {ports: *p, environment: *e, command: *c}
  c: {<<: {ports: *p}}
`,
      },
      { files: ['a.yaml', 'b.yaml'] },
    )
    const seen = Object.values(project.services).map(({ ports, environment, command }) => [
      ports.map(port => port.published).join(),
      Object.keys(environment).join(),
      command,
    ])
    assert.deepEqual(seen, [
      ['90', 'C,Z', undefined],
      ['90', 'A,B,Z', undefined],
      ['90', '', ['z']],
    ])
  })

  test('takes the device of a local bind volume from the folder of the project, an empty one for the folder itself', async () => {
    const bind = (device: string) => `{driver: local, driver_opts: {type: none, o: bind, device: ${device}}}`
    const { project } = await load(
      `services: {a: {image: x, volumes: ["va:/a", "vb:/b", "vc:/c"]}}\nvolumes: {va: ${bind('data')}, vb: ${bind('""')}, vc: ${bind('/x')}}\n`,
    )
    assert.deepEqual(
      Object.values(project.volumes).map(volume => volume.driverOpts.device?.replace(project.directory, 'HERE')),
      ['HERE/data', 'HERE', '/x'],
    )
  })

  test('lets an empty value of a later file change nothing, but clear a command', async () => {
    const { project } = await loadFiles(
      {
        'a.yaml':
          'services: {a: {image: x, hostname: h, command: c, entrypoint: e, cap_add: [KILL], labels: {l: "1"}, environment: {A: "1"}}}\n',
        'b.yaml':
          'services: {a: {image: null, hostname: null, command: null, entrypoint: null, cap_add: null, labels: null, environment: {A: null}}}\n',
      },
      { files: ['a.yaml', 'b.yaml'] },
    )
    const { image, hostname, command, entrypoint, capAdd, labels, environment } = project.services.a!
    assert.deepEqual([image, hostname, command, entrypoint, capAdd], ['x', 'h', undefined, undefined, ['KILL']])
    assert.deepEqual([{ ...labels }, { ...environment }], [{ l: '1' }, { A: null }])
  })

  test('takes deploy.restart_policy before restart', async () => {
    const restart = async (service: string) =>
      (await load(`services: {a: {image: x, ${service}}}\n`)).project.services.a!.restart
    const policy = (text: string) => `restart: always, deploy: {restart_policy: {${text}}}`
    assert.deepEqual(await restart('restart: "on-failure:3"'), { kind: 'on-failure', maxRetries: 3 })
    assert.deepEqual(await restart(policy('condition: none')), { kind: 'no' })
    assert.deepEqual(await restart(policy('condition: on-failure, max_attempts: 5')), {
      kind: 'on-failure',
      maxRetries: 5,
    })
    assert.deepEqual(await restart('restart: "no", deploy: {restart_policy: {condition: any}}'), { kind: 'always' })
    assert.deepEqual(await restart(policy('')), { kind: 'no' })
    assert.deepEqual(await restart('restart: unless-stopped, deploy: {}'), { kind: 'unless-stopped' })
  })

  test('brings in every service by the profile "*", and by no other sign of the kind', async () => {
    const yaml = 'services:\n  a: {image: x}\n  b: {image: x, profiles: [p]}\n  c: {image: x, profiles: [q]}\n'
    const services = async (options: Parameters<typeof load>[1]) =>
      Object.keys((await load(yaml, options)).project.services)
    assert.deepEqual(await services({ profiles: ['*'] }), ['a', 'b', 'c'])
    assert.deepEqual(await services({ env: { COMPOSE_PROFILES: '*' } }), ['a', 'b', 'c'])
    assert.deepEqual(await services({ profiles: ['?'] }), ['a'])
    assert.deepEqual(await services({ profiles: ['p,q'] }), ['a'])
  })

  test('says not-found where there is no stack file', async () => {
    await assert.rejects(loadFiles({ 'other.txt': '' }), error => isFailure(error, 'not-found'))
  })

  test('reads standard input under the name "-"', async () => {
    const { project } = await loadFiles(
      { x: '' },
      { files: ['-'], stdin: async () => Buffer.from('services: {a: {image: x}}\n') },
    )
    assert.deepEqual(Object.keys(project.services), ['a'])
  })
})

describe('where Compose surprises, loadStack() agrees and warns', () => {
  const surprises: ReadonlyArray<readonly [what: string, yaml: string, code: string]> = [
    ['a command cut at &&', 'services: {a: {image: x, command: "echo hi && ls"}}\n', 'command-cut'],
    ['a one-letter volume', 'services: {a: {image: x, volumes: ["v:/v"]}}\nvolumes: {v: {}}\n', 'drive-letter'],
    ['the obsolete version', 'version: "3"\nservices: {a: {image: x}}\n', 'obsolete-key'],
    [
      'a fixed port of several containers',
      'services: {a: {image: x, scale: 2, ports: ["80:80"]}}\n',
      'port-of-several',
    ],
  ]
  for (const [what, yaml, code] of surprises)
    test(what, async () => {
      const { warnings } = await load(yaml)
      assert.deepEqual(
        warnings.map(warning => warning.code),
        [code],
      )
      assert.match(at(warnings[0]), /^compose\.yaml:\d+:\d+$/)
    })

  test('the former name of initial_sync', async () => {
    const rule = (words: string) =>
      load(`services: {a: {image: x, develop: {watch: [{path: ., action: sync, target: /a, ${words}}]}}}\n`)
    const { project, warnings } = await rule('x-initialSync: true')
    assert.equal(project.services.a?.watch[0]?.initialSync, true)
    assert.deepEqual(
      warnings.map(warning => [warning.code, at(warning)]),
      [['obsolete-key', 'compose.yaml:1:80']],
    )
    assert.equal(
      (await rule('initial_sync: false, x-initialSync: true')).project.services.a?.watch[0]?.initialSync,
      false,
    )
  })

  test('a bare key that hides the value of the env_file', async () => {
    const { project, warnings } = await loadFiles({
      'compose.yaml': 'services: {a: {image: x, env_file: e, environment: [K]}}\n',
      e: 'K=v\n',
    })
    assert.equal(project.services.a?.environment.K, null)
    assert.deepEqual(
      warnings.map(warning => warning.code),
      ['hidden-env-file-value'],
    )
  })
})
