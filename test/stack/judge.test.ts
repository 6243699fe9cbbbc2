import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { at, load } from './stacks.ts'

const blocking = async (yaml: string) => (await load(yaml)).warnings.filter(({ blocks }) => blocks !== undefined)

/** [a service's own lines, place, message, hint] */
const refused: ReadonlyArray<readonly [field: string, place: string, message: RegExp, hint?: RegExp]> = [
  ['restart: allways', '4:14', /"allways".*no, always, on-failure\[:N\] or unless-stopped/, /"always"/],
  ['restart: always:3', '4:14', /"always" alone/],
  ['restart: on-failure:x', '4:14', /number of attempts/],
  ['cap_add: [NET_ADMINN]', '4:15', /"NET_ADMINN"/, /"NET_ADMIN"/],
  ['cap_drop: [CAP_CHWON]', '4:16', /"CAP_CHWON"/, /"CHOWN"/],
  ['container_name: "ab c"', '4:21', /letters, digits/],
  ['stop_signal: SIGFOO', '4:18', /no such signal/],
  ['stop_signal: SIGTREM', '4:18', /no such signal/, /"SIGTERM"/],
  ['mem_limit: 1m', '4:16', /6m at least/],
  ['mem_reservation: 1024', '4:22', /6m at least/],
  ['deploy: {resources: {limits: {memory: 1m}}}', '4:43', /6m at least/],
  ['mem_swappiness: 200', '4:21', /between -1 and 100/],
  ['memswap_limit: 64m', '4:5', /"memswap_limit" alone/, /"mem_limit"/],
  ['cpu_period: 5', '4:17', /between 1000 and 1000000/],
  ['cpu_quota: 5', '4:16', /at least 1000/],
  ['cpus: -1', '4:11', /at least 0/],
  ['cpuset: 0-x', '4:13', /"0-2,4"/],
  ['shm_size: -1', '4:15', /at least 0/],
  ['working_dir: srv/app', '4:18', /absolute path/, /"\/srv\/app"/],
  ['user: "a:b:c"', '4:11', /a user and a group/],
  ['user: "4294967296"', '4:11', /ids are from 0/],
  ['group_add: [a:b]', '4:17', /a group alone/],
  ['dns: ns.example', '4:10', /IP address/],
  ['extra_hosts: ["a:somewhere"]', '4:19', /"somewhere".*host-gateway/],
  ['mac_address: "02:42"', '4:18', /MAC address/],
  ['ipc: shared', '4:10', /private, shareable, host/],
  ['pid: hosts', '4:10', /"hosts"/, /"host"/],
  ['network_mode: "container:"', '4:19', /container:NAME/],
  ['pull_policy: alwayss', '4:18', /"alwayss"/, /"always"/],
  ['security_opt: ["no-new-priveleges:true"]', '4:20', /no security option/, /"no-new-privileges"/],
  ['sysctls: {vm.swappiness: 1}', '4:15', /whole machine/, /net\.\*/],
  ['ulimits: {nofiles: 3}', '4:15', /"nofiles"/, /"nofile"/],
  ['ulimits: {nofile: {soft: 5, hard: 3}}', '4:5', /above its hard limit/],
  ['tmpfs: run', '4:12', /absolute path/],
  ['tmpfs: "/run:noexek"', '4:12', /"noexek"/, /"noexec"/],
  ['volumes: ["data:data"]', '4:15', /absolute path/],
  ['volumes: ["data:/"]', '4:15', /root of the container/],
  ['volumes: [{type: bind, source: /a, target: /b, bind: {propagation: rprivat}}]', '4:72', /"rprivat"/, /"rprivate"/],
  ['volumes_from: ["container:n:rx"]', '4:20', /ro or rw/],
  ['ports: [{target: 80, published: "9000-8000"}]', '4:37', /ends after it begins/, /8000-9000/],
  ['ports: [{target: 80, protocol: tpc}]', '4:36', /tcp, udp or sctp/],
  ['expose: ["80/tpc"]', '4:14', /tcp, udp or sctp/],
  ['devices: ["/dev/null:/dev/x:rwx"]', '4:15', /r, w and m/],
  ['device_cgroup_rules: ["c 1:3"]', '4:27', /"c 1:3 mr"/],
  ['healthcheck: {test: x, interval: 100us}', '4:38', /1ms at least/],
  ['secrets: [{source: token, uid: app}]', '4:36', /a number/],
  ['secrets: [{source: token, mode: 0o17777}]', '4:37', /between 0 and 4095/],
  ['networks: {default: {ipv4_address: ten}}', '4:40', /IPv4 address/],
  ['networks: {default: {interface_name: a-name-too-long-for-linux}}', '4:42', /15 characters/],
  ['network_mode: host\n    sysctls: {net.ipv4.ip_forward: 1}', '5:5', /not the service's own/],
  ['network_mode: container:n\n    sysctls: {net.core.somaxconn: 1}', '5:5', /not the service's own/],
  ['network_mode: container:n\n    ports: ["80:80"]', '5:5', /that of another container/],
  ['network_mode: container:n\n    dns: 1.1.1.1', '5:5', /that of another container/],
  ['deploy: {mode: globall}', '4:20', /"globall"/, /"global"/],
  ['deploy: {restart_policy: {condition: alway}}', '4:42', /"alway"/],
]

describe('what no engine takes is told when the file is read', () => {
  for (const [field, place, message, hint] of refused)
    test(field.replaceAll('\n    ', ' and '), async () => {
      const yaml = `services:\n  b:\n    image: x\n    ${field}\nvolumes: {data: {}}\nsecrets: {token: {file: /token}}\n`
      const found = await blocking(yaml)
      assert.equal(found.length, 1, JSON.stringify(found))
      assert.deepEqual([at(found[0]), found[0]!.blocks], [`compose.yaml:${place}`, ['b']])
      assert.match(found[0]!.message, message)
      if (hint) assert.match(found[0]!.hint ?? '', hint)
      assert.equal(found[0]!.severity, 'warning')
    })

  for (const image of ['busybox:', 'Busybox', 'a//b', 'a b', ':x', 'x@sha256:12'])
    test(`image: ${image}`, async () => {
      assert.match((await blocking(`services: {a: {image: "${image}"}}\n`))[0]?.message ?? '', /name of an image/)
    })

  for (const image of [
    'busybox',
    'a/b:1.2-x',
    'localhost:5000/a__b',
    'ghcr.io/A/b'.toLowerCase(),
    '[::1]:5000/x',
    `x:1@sha256:${'a'.repeat(64)}`,
  ])
    test(`but not image: ${image}`, async () => {
      assert.deepEqual(await blocking(`services: {a: {image: "${image}"}}\n`), [])
    })

  test('a variable longer than the kernel takes', async () => {
    const [found] = await blocking(`services: {a: {image: x, environment: {BIG: "${'x'.repeat(131_068)}"}}}\n`)
    assert.match(found?.message ?? '', /"BIG": it is 131,072 bytes long, and the kernel takes 131,071 at most/)
    assert.deepEqual(await blocking(`services: {a: {image: x, environment: {BIG: "${'x'.repeat(131_067)}"}}}\n`), [])
  })

  test('a network that blocks the services on it', async () => {
    const [found] = await blocking(
      'services: {a: {image: x, networks: [n]}, b: {image: x}, c: {image: x, networks: [n]}}\nnetworks: {n: {ipam: {config: [{subnet: 10.0.0.0/64}]}}}\n',
    )
    assert.deepEqual([found?.path.join('.'), found?.blocks], ['networks.n.ipam.config.0.subnet', ['a', 'c']])
  })

  test('but nothing of a sound stack', async () => {
    const sound = `services:
  a:
    image: "registry.example:5000/team/app:1.2"
    restart: on-failure:3
    cap_add: [cap_net_admin, ALL]
    stop_signal: rtmin+3
    mem_limit: 6m
    cpus: 99
    user: "1000:staff"
    working_dir: /srv
    dns: [1.1.1.1, "::1"]
    extra_hosts: ["host:host-gateway", "six=[::1]"]
    ipc: service:b
    security_opt: [no-new-privileges, "seccomp=unconfined", "label:disable"]
    sysctls: {net.core.somaxconn: 1, kernel.shmmax: 1}
    ulimits: {nofile: {soft: 1, hard: -1}, core: 0}
    tmpfs: ["/run:size=64m,mode=1777,noexec,uid=1000"]
    volumes: ["./a:/a:ro,z", "/anonymous"]
    ports: ["8000-8010:80", "127.0.0.1::53/udp"]
    expose: [80, "53/udp", "100-110"]
    pull_policy: every_12h
    device_cgroup_rules: ["c 1:* rwm"]
  b: {image: b}
`
    assert.deepEqual(await blocking(sound), [])
  })
})
