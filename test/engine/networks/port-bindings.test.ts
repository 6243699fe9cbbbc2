import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { Firewall } from '../../../src/engine/networks/firewall.ts'
import { forgetFlowsOf } from '../../../src/engine/networks/flows.ts'
import { wantedPorts } from '../../../src/engine/networks/port-bindings.ts'
import { PublishedPorts } from '../../../src/engine/networks/publish.ts'
import { type PublishedPort, portList, portMap } from '../../../src/engine/networks/published-port.ts'
import { Ruleset } from '../../../src/engine/networks/ruleset.ts'
import { isFailure } from '../../../src/lib/failure.ts'

describe('wantedPorts()', () => {
  test('takes ranges, protocols, addresses and random ports', () => {
    assert.deepEqual(
      wantedPorts(
        {
          '80/tcp': [{ HostPort: '8080-8082' }, { HostIp: '127.0.0.1', HostPort: '' }],
          '53/udp': [{ HostPort: '53' }],
          '9/tcp': null,
        },
        { ipv6: 'none' },
      ),
      [
        { protocol: 'tcp', containerPort: 80, hostIps: ['0.0.0.0'], hostPorts: [8080, 8082] },
        { protocol: 'tcp', containerPort: 80, hostIps: ['127.0.0.1'], hostPorts: [0, 0] },
        { protocol: 'udp', containerPort: 53, hostIps: ['0.0.0.0'], hostPorts: [53, 53] },
      ],
    )
  })
  test('publishes on both families when the container has both, and where the network says', () => {
    assert.deepEqual(wantedPorts({ '80': [{}] }, { ipv6: 'direct' })[0]!.hostIps, ['0.0.0.0', '::'])
    assert.deepEqual(wantedPorts({ '80': [{}] }, { ipv6: 'direct', binding: '10.0.0.1' })[0]!.hostIps, ['10.0.0.1'])
  })
  test('publishes on both families when the host has both, but for SCTP, which nobody could relay', () => {
    const of = (key: string) => wantedPorts({ [key]: [{}] }, { ipv6: 'relayed' })[0]!.hostIps
    assert.deepEqual(of('80/tcp'), ['0.0.0.0', '::'])
    assert.deepEqual(of('80/sctp'), ['0.0.0.0'])
    const [six] = wantedPorts({ '80/tcp': [{}] }, { ipv4: false, ipv6: 'direct' })
    assert.deepEqual(six!.hostIps, ['::'])
  })
  test('publishes every exposed port with -P, those with a binding once', () => {
    const wanted = wantedPorts(
      { '80/tcp': [{ HostPort: '8080' }] },
      { ipv6: 'none', all: true, exposed: ['80/tcp', '443/tcp'] },
    )
    assert.deepEqual(
      wanted.map(({ containerPort, hostPorts }) => [containerPort, hostPorts[0]]),
      [
        [80, 8080],
        [443, 0],
      ],
    )
  })
  for (const [key, place] of [
    ['80;80/tcp', {}],
    ['0/tcp', {}],
    ['80/ip', {}],
    ['80/tcp', { HostPort: '80;x' }],
    ['80/tcp', { HostPort: '9-8' }],
    ['80/tcp', { HostPort: '70000' }],
    ['80/tcp', { HostIp: 'localhost' }],
    ['80/tcp', { HostIp: '::' }],
  ] as const)
    test(`refuses ${key} on ${JSON.stringify(place)}`, () =>
      assert.throws(
        () => wantedPorts({ [key]: [place] }, { ipv6: 'none' }),
        error => isFailure(error, 'invalid'),
      ))
})

describe('PublishedPorts', () => {
  const firewall = () =>
    new Firewall({
      table: 't',
      marker: '/nonexistent/marker',
      rules: new Ruleset({ runNft: () => '', firewallGeneration: () => 1, firewallDigest: () => undefined }),
      say: () => undefined,
    })
  const web = { id: 'a', name: 'web', endpointId: 'e1', ipv4: '10.1.0.2', ipv6: undefined, binding: undefined }

  /** A firewall that needs no file of its own. */
  function ports(said: string[] = []) {
    const wall = firewall()
    wall.flush = async () => void said.push('rules')
    return new PublishedPorts(wall, {
      forgetFlows: (address, protocol, port) => void said.push(`forget ${address.join('.')} ${protocol} ${port}`),
    })
  }

  test('flows of a UDP port are forgotten whenever the rules that led them have changed', async t => {
    const said: string[] = []
    const published = ports(said)
    t.after(() => published.close())
    const bindings = { '53/udp': [{ HostIp: '127.0.0.1' }], '80/tcp': [{ HostIp: '127.0.0.1' }] }
    const [{ hostPort }] = (await published.publish(web, bindings, {})).filter(port => port.protocol === 'udp') as [
      PublishedPort,
    ]
    await published.unpublish(web.id)
    assert.deepEqual(said, ['rules', `forget 127.0.0.1 17 ${hostPort}`, 'rules', `forget 127.0.0.1 17 ${hostPort}`])
  })

  test('a port of every address has its flows forgotten at each address of this host, and at no other', () => {
    const said: string[] = []
    const port = { protocol: 'udp' as const, hostIp: '0.0.0.0', hostPort: 53, containerPort: 53, address: '10.1.0.2' }
    forgetFlowsOf(
      [port],
      address => said.push(address.join('.')),
      () => ['127.0.0.1', '::1', '192.0.2.7'],
    )
    assert.deepEqual(said, ['127.0.0.1', '192.0.2.7'])
  })

  test("ports without an address go to the network's, or to the usual one, or everywhere", async t => {
    const placesOf = async (usual: string | undefined, binding: string | undefined) => {
      const wall = firewall()
      wall.flush = async () => undefined
      const published = new PublishedPorts(wall, { forgetFlows: () => undefined }, usual)
      t.after(() => published.close())
      const own = { ...web, binding }
      const ports = await published.publish(own, { '80/tcp': [{}], '81/tcp': [{ HostIp: '127.0.0.3' }] }, {})
      await published.unpublish(own.id)
      return ports.map(port => port.hostIp).filter(address => address !== '::')
    }
    assert.deepEqual(await placesOf(undefined, undefined), ['0.0.0.0', '127.0.0.3'])
    assert.deepEqual(await placesOf('127.0.0.1', undefined), ['127.0.0.1', '127.0.0.3'])
    assert.deepEqual(await placesOf('127.0.0.1', '127.0.0.2'), ['127.0.0.2', '127.0.0.3'])
    assert.deepEqual(await placesOf('127.0.0.1', '0.0.0.0'), ['0.0.0.0', '127.0.0.3'])
    assert.deepEqual(await placesOf('0.0.0.0', undefined), ['0.0.0.0', '127.0.0.3'])
  })

  test('publish() names the container that has the port', async t => {
    const published = ports()
    t.after(() => published.close())
    const [first] = await published.publish(web, { '80/tcp': [{ HostIp: '127.0.0.1' }] }, {})
    const hostPort = String(first!.hostPort)
    await assert.rejects(
      published.publish({ ...web, id: 'b', name: 'api', endpointId: 'e2' }, { '80/tcp': [{ HostPort: hostPort }] }, {}),
      error =>
        isFailure(error, 'internal') &&
        error.message ===
          `failed to set up container networking: driver failed programming external connectivity on endpoint api (e2): Bind for 0.0.0.0:${hostPort} failed: port is already allocated` &&
        /"web"/.test(error.hint ?? ''),
    )
    assert.deepEqual(published.of('b'), [])
  })

  test('publish() names the process that has the port, and takes it when it is free again', async t => {
    const published = ports()
    t.after(() => published.close())
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const wanted = { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: String(port) }] }
    await assert.rejects(
      published.publish(web, wanted, {}),
      error =>
        isFailure(error) &&
        /address already in use$/.test(error.message) &&
        error.hint!.includes(`(pid ${process.pid})`),
    )
    server.close()
    await once(server, 'close')
    assert.equal((await published.publish(web, wanted, {}))[0]!.hostPort, port)
  })

  test('a published port cannot be taken by another program until it is given back', async () => {
    const published = ports()
    const [port] = await published.publish(web, { '80/udp': [{ HostIp: '127.0.0.1' }] }, {})
    const socket = createSocket('udp4')
    socket.bind(port!.hostPort, '127.0.0.1')
    const [error] = await once(socket, 'error')
    assert.equal(error.code, 'EADDRINUSE')
    await published.unpublish('a')
    const other = createSocket('udp4').bind(port!.hostPort, '127.0.0.1')
    await once(other, 'listening')
    other.close()
  })

  test('a port of an IPv6 address reaches a container that has IPv4 alone: by TCP', async t => {
    const published = ports()
    t.after(() => published.close())
    const server = createServer({ allowHalfOpen: true }, socket => socket.pipe(socket)).listen(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const local = { ...web, ipv4: '127.0.0.1' }
    const [given] = await published.publish(local, { [`${port}/tcp`]: [{ HostIp: '::1' }] }, {})
    const client = connect({ host: '::1', port: given!.hostPort })
    client.end('hello')
    assert.equal(await text(client), 'hello')
  })

  test('a relayed port leads to the address that its container has now', async t => {
    const published = ports()
    t.after(() => published.close())
    const server = createServer(socket => socket.end(String(socket.localAddress))).listen(0, '0.0.0.0')
    t.after(() => server.close())
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const [given] = await published.publish({ ...web, ipv4: '127.0.0.2' }, { [`${port}/tcp`]: [{ HostIp: '::1' }] }, {})
    await published.lead({ ...web, ipv4: '127.0.0.3' })
    assert.equal(await text(connect({ host: '::1', port: given!.hostPort })), '127.0.0.3')
    assert.equal(published.of(web.id)[0]!.address, '127.0.0.3')
  })

  test('a port of an IPv6 address reaches a container that has IPv4 alone: by UDP, each client its own answers', async t => {
    const published = ports()
    t.after(() => published.close())
    const server = createSocket('udp4', (bytes, from) => server.send(bytes, from.port, from.address))
    server.bind(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    const local = { ...web, ipv4: '127.0.0.1' }
    const [given] = await published.publish(local, { [`${server.address().port}/udp`]: [{ HostIp: '::1' }] }, {})
    const answers = ['one', 'two'].map(async word => {
      const client = createSocket('udp6')
      t.after(() => client.close())
      client.send(word, given!.hostPort, '::1')
      const [bytes] = await once(client, 'message')
      return String(bytes)
    })
    assert.deepEqual(await Promise.all(answers), ['one', 'two'])
  })

  test('publish() takes the first free port of a range', async t => {
    const published = ports()
    t.after(() => published.close())
    const [first] = await published.publish(web, { '80/tcp': [{ HostIp: '127.0.0.1' }] }, {})
    const start = first!.hostPort
    const [second] = await published.publish(
      { ...web, id: 'b' },
      { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: `${start}-${start + 20}` }] },
      {},
    )
    assert.ok(second!.hostPort > start && second!.hostPort <= start + 20)
  })
})

test('portMap() and portList() show published and exposed ports as Docker does', () => {
  const port = { protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', hostPort: 8080, address: '10.1.0.2' } as const
  assert.deepEqual(portMap([port], ['80/tcp', '7000/tcp']), {
    '7000/tcp': null,
    '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }],
  })
  assert.deepEqual(portList([port], ['80/tcp', '7000/tcp']), [
    { IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
    { PrivatePort: 7000, Type: 'tcp' },
  ])
})
