/** What a container, or a neighbour of this machine, can reach and upset by the network. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { command } from '../../support/command.ts'
import { eventually } from '../../support/eventually.ts'
import { all, Hostile, hostileSkip } from '../../support/hostile.ts'
import { lacking, program, shared } from '../../support/needs.ts'
import { patience } from '../../support/patience.ts'

const checks = shared('security/nettest.sh')

describe('no way out by the network:', { skip: hostileSkip(program('python3')), timeout: 300_000 * patience }, () => {
  let at: Hostile
  before(async () => {
    at = await Hostile.start()
  })
  after(() => at.stop())

  test('a neighbour, other networks and the host are reached as Docker lets them be, and not further', {
    skip: checks ? lacking(program('ip')) : 'needs ../shared/security, which is not here',
  }, async () => {
    const said = await command('bash', [checks!, 'docker'], { env: at.engine.env, timeout: 240_000 })
    assert.equal(said.code, 0, all(said))
    assert.ok(said.stdout.match(/^ok /gm)!.length >= 24, said.stdout)
  })

  test('a container on the network of the host sees no socket of the engine, and gets into none', async () => {
    const seen = await at.run('--network', 'host', 'busybox', 'cat', '/proc/net/unix')
    assert.equal(seen.code, 0)
    const own = [String(at.engine.pid), ...monitors()].flatMap(inodes)
    const lines = seen.stdout.split('\n').filter(line => own.includes(line.trim().split(/\s+/)[6] ?? ''))
    assert.ok(own.length > 0)
    assert.deepEqual(
      lines.filter(line => line.includes('@')),
      [],
    )
  })

  /** The processes of the engine that have to do with containers. */
  function monitors(): string[] {
    return readdirSync('/proc').filter(
      pid => /^\d+$/.test(pid) && text(`/proc/${pid}/status`).includes(`PPid:\t${at.engine.pid}\n`),
    )
  }

  function text(path: string): string {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      // it has ended
      return ''
    }
  }

  function inodes(pid: string): string[] {
    return readdirSync(`/proc/${pid}/fdinfo`).flatMap(
      fd => /^ino:\t(\d+)$/m.exec(text(`/proc/${pid}/fdinfo/${fd}`))?.[1] ?? [],
    )
  }

  test('the API is at no address that a container reaches', async () => {
    const listening = await command('sh', ['-c', `ss -Htlnp 2>/dev/null | grep "pid=${at.engine.pid}," ; true`])
    assert.equal(listening.stdout, '')
    const said = await at.run(
      'busybox',
      'sh',
      '-c',
      'ip route | sed -n "s/default via \\([^ ]*\\).*/\\1/p" | while read gateway; do for port in 2375 2376; do nc -w 1 $gateway $port </dev/null && echo open; done; done; ls /var/run/docker.sock /run/tscompose* 2>/dev/null',
    )
    assert.equal(said.stdout, '')
  })

  test('rules cannot be told by names, ports and addresses', async () => {
    await at.begin('ruled', 'busybox', 'sleep', '1000')
    // others come and go with the engines of others
    const { tables } = await at.engine.stock()
    assert.equal(tables.length, 1)
    const evil = ['a; flush ruleset', 'a"\n}', '$(touch /tmp/x)', '`id`', '{ }', '-j ACCEPT']
    for (const word of evil) {
      // a network may be called so, as Docker's may: nothing that is told to the kernel has its name
      const named = await at.raw('POST', '/networks/create', { Name: word })
      if (named.status === 201) await at.raw('DELETE', `/networks/${JSON.parse(named.text).Id}`)
      else assert.equal(named.status, 400, named.text)
      for (const body of [
        { Name: 'evil', Options: { 'com.docker.network.bridge.name': word } },
        { Name: 'evil', IPAM: { Config: [{ Subnet: word }] } },
        { Name: 'evil', IPAM: { Config: [{ Subnet: '10.213.0.0/24', Gateway: word }] } },
        { Name: 'evil', Options: { 'com.docker.network.bridge.host_binding_ipv4': word } },
      ]) {
        const { status, text } = await at.raw('POST', '/networks/create', body)
        assert.equal(status, 400, `${JSON.stringify(body)}: ${text}`)
      }
      for (const PortBindings of [{ [`80; ${word}`]: [{}] }, { '80/tcp': [{ HostPort: word }] }]) {
        const made = await at.raw('POST', '/containers/create', { Image: 'busybox', HostConfig: { PortBindings } })
        assert.equal(made.status, 400, `${JSON.stringify(PortBindings)}: ${made.text}`)
      }
    }
    for (const HostIp of evil) {
      const HostConfig = { PortBindings: { '80/tcp': [{ HostIp }] } }
      const made = await at.raw('POST', '/containers/create?name=bound', { Image: 'busybox', HostConfig })
      if (made.status !== 201) continue
      const { status, text } = await at.raw('POST', '/containers/bound/start')
      assert.equal(status, 400, text)
      await at.raw('DELETE', '/containers/bound')
    }
    assert.deepEqual((await at.engine.stock()).tables, tables)
    await at.remove('ruled')
  })

  test('questions for names that are no questions, floods of them and connections that say nothing upset nobody', async () => {
    await at.engine.runDocker('network', 'create', 'asked')
    await at.begin('neighbour', '--network', 'asked', 'busybox', 'sleep', '1000')
    const flood = `for i in $(seq 30); do
        head -c 512 /dev/urandom | nc -u -w 1 127.0.0.11 53 >/dev/null &
        head -c 65000 /dev/urandom | nc -u -w 1 127.0.0.11 53 >/dev/null &
        (sleep 20) | nc 127.0.0.11 53 >/dev/null &
        (printf '\\377\\377'; sleep 20) | nc 127.0.0.11 53 >/dev/null &
        printf '\\000\\001\\001\\000\\000\\001\\000\\000\\000\\000\\000\\000\\300\\014\\000\\001\\000\\001' | nc -u -w 1 127.0.0.11 53 >/dev/null &
      done; sleep 5`
    const before = readdirSync(`/proc/${at.engine.pid}/fd`).length
    const flooding = at.engine.docker(
      ['run', '--rm', '--name', 'flooding', '--network', 'asked', 'busybox', 'sh', '-c', flood],
      { timeout: 60_000 },
    )
    const slowest = await at.slowestPing(flooding)
    assert.ok(slowest < 3000 * patience, `${slowest.toFixed(0)} ms`)
    assert.match((await at.engine.docker(['exec', 'neighbour', 'nslookup', 'neighbour'])).stdout, /Address/)
    await at.remove('neighbour')
    await at.engine.runDocker('network', 'rm', 'asked')
    const after = readdirSync(`/proc/${at.engine.pid}/fd`).length
    assert.ok(after <= before + 8, `${before} descriptors, then ${after}`)
  })

  test('what listens on the loopback of the host is not reached by packets that a container addresses to it', async () => {
    await at.begin('local', 'busybox', 'sleep', '1000')
    const heard: string[] = []
    const tcp = createServer(socket => {
      heard.push('tcp')
      socket.on('error', () => undefined).end('host')
    }).listen(0, '127.0.0.1')
    await once(tcp, 'listening')
    const { port } = tcp.address() as AddressInfo
    const udp = createSocket('udp4', message => heard.push(String(message))).bind(port, '127.0.0.1')
    await once(udp, 'listening')
    try {
      const { Pid } = (await at.inspect('local')).State
      const inside = (script: string) => command('nsenter', ['-t', String(Pid), '-n', 'bash', '-c', script])
      const prepared = await inside(`gateway=$(ip route | sed -n 's/default via \\([^ ]*\\).*/\\1/p')
        for dev in all eth0; do echo 1 > /proc/sys/net/ipv4/conf/$dev/route_localnet; echo 0 > /proc/sys/net/ipv4/conf/$dev/rp_filter; done
        ip addr del 127.0.0.1/8 dev lo; ip route flush table local dev lo
        ip route add 127.0.0.1/32 via $gateway dev eth0; ip route get 127.0.0.1`)
      assert.match(prepared.stdout, /127\.0\.0\.1 via .* dev eth0/, all(prepared))
      await inside(
        `timeout 3 bash -c 'exec 3<>/dev/tcp/127.0.0.1/${port} && cat <&3'; echo udp > /dev/udp/127.0.0.1/${port}; sleep 0.5`,
      )
      assert.equal(heard.join(), '')
      // who listens there does hear what comes from here
      udp.send('own', port, '127.0.0.1')
      await eventually('its own', () => heard.includes('own'))
    } finally {
      tcp.close()
      udp.close()
    }
    await at.remove('local')
  })

  test('IPv6 is off where it was not asked for, and no route is taken from neighbours', async () => {
    await at.begin('plain', 'busybox', 'sleep', '1000')
    const { Pid } = (await at.inspect('plain')).State
    const inside = await command('nsenter', [
      '-t',
      String(Pid),
      '-n',
      'sh',
      '-c',
      'cat /proc/sys/net/ipv6/conf/eth0/disable_ipv6',
    ])
    assert.equal(inside.stdout, '1\n', all(inside))
    const bridges = (await at.engine.stock()).interfaces.filter(link => existsSync(`/sys/class/net/${link}/bridge`))
    assert.ok(bridges.length > 0)
    for (const link of bridges) assert.match(text(`/proc/sys/net/ipv6/conf/${link}/accept_ra`) || '0', /^0/, link)
    await at.remove('plain')
  })
})
