import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { audit, count, rank } from '../../src/audit/audit.ts'
import { capabilitiesOf } from '../../src/audit/capabilities.ts'
import { type Finding, severities } from '../../src/audit/finding.ts'
import { capabilityNames } from '../../src/lib/capabilities.ts'
import { load } from '../stack/stacks.ts'

/** Nothing to be said of it. */
const hardened = `
    image: x:1
    read_only: true
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    mem_limit: 64m
    pids_limit: 64`

/** Findings of a service of which nothing else would be said, as "severity rule path". */
async function found(fields: string, rest = ''): Promise<readonly string[]> {
  return (await findings(fields, rest)).map(show)
}

async function findings(fields: string, rest = ''): Promise<readonly Finding[]> {
  const { project } = await load(
    `name: shop\nservices:\n  web:${hardened}\n${fields.replace(/^(?=.)/gm, '    ')}\n${rest}`,
  )
  return audit(project)
}

const show = ({ severity, rule, path }: Finding): string => [severity, rule, path.join('.')].join(' ').trimEnd()

describe('audit()', () => {
  test('finds nothing in a service behind all walls', async () => {
    assert.deepEqual(await found('user: "1000"'), [])
  })

  test('of a service that says nothing names the walls it could have', async () => {
    const { project } = await load('services: { web: { image: x } }')
    assert.deepEqual(audit(project).map(show), [
      'low default-capabilities',
      'low new-privileges',
      'low writable-root',
      'low no-limit',
      'low no-limit',
    ])
  })

  const rows: readonly (readonly [fields: string, ...expected: string[]])[] = [
    ['privileged: true', 'critical privileged privileged'],
    ['use_api_socket: true', 'critical engine-socket use_api_socket'],
    ['cap_add: [cap_sys_admin]', 'critical capability cap_add.0'],
    ['cap_add: [CHOWN, NET_ADMIN]', 'high capability cap_add.1'],
    ['cap_add: [CHOWN, NET_BIND_SERVICE]'],
    ['pid: host', 'high host-namespace pid'],
    ['ipc: host', 'medium host-namespace ipc'],
    ['uts: host', 'low host-namespace uts'],
    ['cgroup: host', 'medium host-namespace cgroup'],
    ['network_mode: host', 'high host-namespace network_mode'],
    ['network_mode: none'],
    ['volumes: ["/var/run/docker.sock:/var/run/docker.sock:ro"]', 'critical host-path volumes.0'],
    ['volumes: ["/run:/host/run:ro"]', 'critical host-path volumes.0'],
    ['volumes: ["/:/host"]', 'critical host-path volumes.0'],
    ['volumes: ["/:/host:ro"]', 'high host-path volumes.0'],
    ['volumes: ["/etc/../etc/:/host"]', 'critical host-path volumes.0'],
    ['volumes: ["/etc/localtime:/etc/localtime:ro"]'],
    ['volumes: ["/etc/shadow:/s:ro"]', 'high host-path volumes.0'],
    ['volumes: ["/proc:/host/proc:ro"]', 'medium host-path volumes.0'],
    ['volumes: ["/srv/www:/www", "~/.ssh:/keys:ro"]', 'high host-path volumes.1'],
    ['volumes: ["/var/lib/docker/volumes:/v"]', 'critical host-path volumes.0'],
    [
      'volumes: [{ type: bind, source: /srv, target: /srv, bind: { propagation: rshared } }]',
      'medium shared-propagation volumes.0',
    ],
    ['devices: ["/dev/sda:/dev/xvda:r"]', 'critical device devices.0'],
    ['devices: ["/dev/null", "/dev/kmsg"]', 'high device devices.1'],
    ['device_cgroup_rules: ["c 1:3 mr", "a *:* rwm"]', 'critical device-rule device_cgroup_rules.1'],
    ['device_cgroup_rules: ["c 13:* rwm"]', 'medium device-rule device_cgroup_rules.0'],
    ['ports: ["8080:80"]', 'low published-port ports.0'],
    ['ports: ["127.0.0.1:8080:80", "[::1]:8080:80"]'],
    ['ports: ["127.0.0.1:1:1", "5432:5432"]', 'high published-port ports.1'],
    ['ports: ["8000-8009:8000-8009"]', 'low published-port ports.0'],
    ['environment: { DB_PASSWORD: hush }', 'medium secret-in-environment environment.DB_PASSWORD'],
    ['environment: ["URL=postgres://me:hush@db/shop"]', 'medium secret-in-environment environment.URL'],
    ['environment: { DB_PASSWORD: "", DB_PASSWORD_FILE: /run/secrets/db, TOKENS: 5, MONKEY: 1 }'],
    ['build: { context: ., args: { API_KEY: hush } }', 'medium secret-in-build build.args.API_KEY'],
    ['build: { context: ., privileged: true }', 'high insecure-build build.privileged'],
    ['build: { context: ., entitlements: [network.host] }', 'medium insecure-build build.entitlements'],
    ['post_start: [{ command: ls, privileged: true }]', 'high privileged-hook post_start'],
  ]
  for (const [fields, ...expected] of rows)
    test(`${fields} → ${expected.join(', ') || 'nothing'}`, async () => {
      assert.deepEqual(await found(fields), expected)
    })

  test('names security options that take a wall down', async () => {
    const { project } = await load(`services:
  web:
    image: x
    read_only: true
    cap_drop: [ALL]
    mem_limit: 64m
    pids_limit: 64
    security_opt: ["seccomp:unconfined", "systempaths=unconfined", "apparmor=unconfined", "no-new-privileges=false"]
`)
    assert.deepEqual(audit(project).map(show), [
      'high security-option security_opt.0',
      'high security-option security_opt.1',
      'medium security-option security_opt.2',
      'low security-option security_opt.3',
    ])
  })

  test('sees through a volume that the local driver binds to a folder', async () => {
    const volumes = 'volumes: { host: { driver_opts: { type: none, o: bind, device: / } } }'
    assert.deepEqual(await found('volumes: ["host:/host"]', volumes), ['critical host-path volumes.0'])
    assert.deepEqual(await found('volumes: ["host:/host"]', 'volumes: { host: {} }'), [])
  })

  test('warns of set-uid files where root of the container can leave them in a folder of the host', async () => {
    const { project } = await load(`services:
  web: { image: x, volumes: ["./data:/data"] }
  user: { image: x, volumes: ["./data:/data"], user: "1000" }
  reader: { image: x, volumes: ["./data:/data:ro"] }
  weak: { image: x, volumes: ["./data:/data"], cap_drop: [FSETID] }
`)
    const services = audit(project).flatMap(each => (each.rule === 'set-uid-files' ? [each.service] : []))
    assert.deepEqual(services, ['web'])
  })

  test('has places, worst first, of the services named', async () => {
    const { project } = await load(`services:
  b: { image: x, ports: ["80:80"] }
  a:
    image: x
    privileged: true
`)
    const all = audit(project)
    assert.deepEqual(all[0]?.place && [all[0].service, all[0].place.line, all[0].place.column], ['a', 5, 5])
    assert.deepEqual(
      all.map(each => rank(each.severity)),
      all.map(each => rank(each.severity)).sort(),
    )
    assert.ok(all.every(each => each.place))
    assert.deepEqual(new Set(audit(project, ['b']).map(each => each.service)), new Set(['b']))
    assert.deepEqual(
      severities.map(each => count(all)[each]),
      severities.map(each => all.filter(({ severity }) => severity === each).length),
    )
  })

  test('shows no value that may be secret', async () => {
    const text = JSON.stringify(
      await findings(
        'environment: { DB_PASSWORD: hush, URL: "a://b:hush@c" }\nbuild: { context: ., args: { TOKEN: hush } }',
      ),
    )
    assert.doesNotMatch(text, /hush/)
    assert.match(text, /DB_PASSWORD/)
  })
})

describe('capabilitiesOf()', () => {
  const rows: readonly (readonly [add: readonly string[], drop: readonly string[], has: string, lacks: string])[] = [
    [[], [], 'SETUID', 'SYS_ADMIN'],
    [['ALL'], ['SYS_ADMIN'], 'BPF', 'SYS_ADMIN'],
    [['CHOWN'], ['ALL'], 'CHOWN', 'SETUID'],
    [['cap_bpf'], ['cap_setuid'], 'BPF', 'SETUID'],
  ]
  for (const [add, drop, has, lacks] of rows)
    test(`+${add} -${drop} has ${has} and lacks ${lacks}`, async () => {
      const { project } = await load(
        `services: { web: { image: x, cap_add: ${JSON.stringify(add)}, cap_drop: ${JSON.stringify(drop)} } }`,
      )
      const own = capabilitiesOf(project.services['web']!)
      assert.deepEqual([own.has(has), own.has(lacks)], [true, false])
      assert.ok([...own].every(name => capabilityNames.includes(name)))
    })
})
