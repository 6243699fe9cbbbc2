import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { Names } from '../../../src/engine/dns/names.ts'
import { Firewall } from '../../../src/engine/networks/firewall.ts'
import { inherit } from '../../../src/engine/networks/inherit.ts'
import type { WantedPort } from '../../../src/engine/networks/port-bindings.ts'
import { PublishedPorts } from '../../../src/engine/networks/publish.ts'
import type { PublishedPort } from '../../../src/engine/networks/published-port.ts'
import { Ruleset } from '../../../src/engine/networks/ruleset.ts'
import { isFailure } from '../../../src/lib/failure.ts'

const held = (hostIp: string, hostPort: number, containerPort = 80): PublishedPort => ({
  protocol: 'tcp',
  hostIp,
  hostPort,
  containerPort,
  address: '10.1.0.2',
})
const want = (hostPorts: readonly [number, number], own: Partial<WantedPort> = {}): WantedPort => ({
  protocol: 'tcp',
  containerPort: 80,
  hostIps: ['0.0.0.0', '::'],
  hostPorts,
  ...own,
})
const both = [held('0.0.0.0', 8080), held('::', 8080)]

describe('inherit()', () => {
  const rows = [
    ['the same port of both families passes', [want([8080, 8080])], both, [0, 1], 0, []],
    ['a port of a range passes', [want([8000, 8090])], both, [0, 1], 0, []],
    ['any port is the one that led to the same port of the container', [want([0, 0])], both, [0, 1], 0, []],
    ['any port is none that led elsewhere', [want([0, 0], { containerPort: 81 })], both, [], 1, []],
    ['another port does not pass', [want([9000, 9000])], both, [], 1, []],
    ['another protocol does not pass', [want([8080, 8080], { protocol: 'udp' })], both, [], 1, []],
    ['one address in the way of all of them', [want([8080, 8080])], [held('127.0.0.1', 8080)], [], 1, [0]],
    ['all addresses in the way of one', [want([8080, 8080], { hostIps: ['127.0.0.1'] })], both, [], 1, [0, 1]],
    ['each place passes once', [want([8000, 8090]), want([8000, 8090])], both, [0, 1], 1, []],
  ] as const
  for (const [title, wanted, ports, passing, open, inTheWay] of rows)
    test(title, () => {
      const found = inherit(wanted, ports)
      assert.deepEqual(
        [found.passing.map(each => each.index), found.open.length, found.inTheWay],
        [passing, open, inTheWay],
      )
    })
})

describe('PublishedPorts.takeOver()', () => {
  const old = { id: 'old', name: 'web', endpointId: 'e1', ipv4: '10.1.0.2', ipv6: undefined, binding: undefined }
  const next = { id: 'new', name: 'web2', endpointId: 'e2', ipv4: '10.1.0.3', ipv6: undefined, binding: undefined }
  const place = (port: number, containerPort = 80) => ({
    [`${containerPort}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: String(port) }],
  })

  /** What it told the firewall and the kernel; `refuse`: the firewall does. */
  function ports(said: string[], { refuse = false } = {}) {
    const rules = { runNft: () => '', firewallGeneration: () => 1, firewallDigest: () => undefined }
    const wall = new Firewall({ table: 't', marker: '/nonexistent/m', rules: new Ruleset(rules), say: () => undefined })
    const wanted = new Map<string, readonly string[]>()
    wall.want = (owner, elements) =>
      void wanted.set(
        owner,
        elements.flatMap(({ key, value }) => (value === undefined ? [] : [`${key} : ${value}`])),
      )
    let flushes = 0
    wall.flush = async () => {
      if (refuse && ++flushes === 2) throw new Error('no room')
      said.push(`rules ${[...wanted.values()].flat().join(', ')}`)
    }
    return new PublishedPorts(wall, {
      forgetFlows: (_, protocol, port) => void said.push(`forget ${protocol} ${port}`),
    })
  }

  test('leads the place to the other container in one change of the rules, with its socket kept', async t => {
    const said: string[] = []
    const published = ports(said)
    t.after(() => published.close())
    const [{ hostPort }] = (await published.publish(old, place(0), {})) as [PublishedPort]
    said.length = 0
    const recorded: unknown[] = []
    await published.takeOver(next, place(hostPort, 8000), {
      from: 'old',
      record: async (taken, left) => void recorded.push([taken.length, left.length, said.length]),
    })
    // recorded before the rules
    assert.deepEqual(recorded, [[1, 0, 0]])
    assert.deepEqual(said, [`rules tcp . 127.0.0.1 . ${hostPort} : 10.1.0.3 . 8000`])
    assert.deepEqual(published.of('old'), [])
    assert.equal(published.of('new')[0]!.hostPort, hostPort)
    const other = createServer().listen(hostPort, '127.0.0.1')
    const [error] = await once(other, 'error')
    assert.equal(error.code, 'EADDRINUSE')
  })

  test('relays what reaches the socket while the rules change', async t => {
    const published = ports([])
    t.after(() => published.close())
    const server = createServer(socket => socket.end('new')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const { port } = server.address() as { port: number }
    const [{ hostPort }] = (await published.publish(old, place(0), {})) as [PublishedPort]
    const local = { ...next, ipv4: '127.0.0.1' }
    await published.takeOver(local, place(hostPort, port), { from: 'old', record: async () => undefined })
    assert.equal(await text(connect(hostPort, '127.0.0.1')), 'new')
  })

  test('takes what the other one does not have, and nothing at all when that is taken', async t => {
    const said: string[] = []
    const published = ports(said)
    t.after(() => published.close())
    const [{ hostPort }] = (await published.publish(old, place(0), {})) as [PublishedPort]
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const { port: taken } = server.address() as { port: number }
    const recorded: unknown[] = []
    const record = async (now: readonly PublishedPort[], left: readonly PublishedPort[]) =>
      void recorded.push([now.length, left.length])
    await assert.rejects(
      published.takeOver(next, { ...place(hostPort), ...place(taken, 81) }, { from: 'old', record }),
      error => isFailure(error, 'internal') && /address already in use/.test(error.message),
    )
    assert.deepEqual(recorded, [[0, 1]])
    assert.equal(published.of('old')[0]!.hostPort, hostPort)
    assert.deepEqual(published.of('new'), [])
    await published.takeOver(next, { ...place(hostPort), '81/tcp': [{ HostIp: '127.0.0.1' }] }, { from: 'old', record })
    assert.deepEqual(recorded[1], [2, 0])
  })

  test('is as it was before when the firewall refuses', async t => {
    const said: string[] = []
    const published = ports(said, { refuse: true })
    t.after(() => published.close())
    const [{ hostPort }] = (await published.publish(old, place(0), {})) as [PublishedPort]
    const recorded: unknown[] = []
    const record = async (now: readonly PublishedPort[], left: readonly PublishedPort[]) =>
      void recorded.push([now.length, left.length])
    await assert.rejects(published.takeOver(next, place(hostPort), { from: 'old', record }), /no room/)
    assert.deepEqual(recorded, [
      [1, 0],
      [0, 1],
    ])
    assert.equal(said.at(-1), `rules tcp . 127.0.0.1 . ${hostPort} : 10.1.0.2 . 80`)
  })

  test('UDP senders go on to the other container once the first has gone', async t => {
    const said: string[] = []
    const published = ports(said)
    t.after(() => published.close())
    const udp = (port: string) => ({ '53/udp': [{ HostIp: '127.0.0.1', HostPort: port }] })
    const [{ hostPort }] = (await published.publish(old, udp(''), {})) as [PublishedPort]
    await published.takeOver(next, udp(String(hostPort)), { from: 'old', record: async () => undefined })
    said.length = 0
    published.forget(published.release('old'))
    assert.deepEqual(said, [`forget 17 ${hostPort}`])
  })

  test('a second time changes nothing', async t => {
    const published = ports([])
    t.after(() => published.close())
    const [{ hostPort }] = (await published.publish(old, place(0), {})) as [PublishedPort]
    for (let time = 0; time < 2; time++)
      await published.takeOver(next, place(hostPort), { from: 'old', record: async () => undefined })
    assert.equal(published.of('new').length, 1)
  })
})

test('Names: who steps back answers where nobody else does, and to itself', () => {
  const names = new Names()
  const entry = (containerId: string, ipv4: string) => ({
    containerId,
    networkId: 'n',
    networkName: 'net',
    names: ['web'],
    ipv4,
    internal: false,
  })
  names.add(entry('old', '10.1.0.2'))
  names.add(entry('new', '10.1.0.3'))
  names.add({ ...entry('other', '10.1.0.4'), names: ['other'] })
  names.stepBack('new', true)
  assert.deepEqual(names.resolve('other', 'web')!.ipv4, ['10.1.0.2'])
  assert.deepEqual(names.resolve('new', 'web')!.ipv4.toSorted(), ['10.1.0.2', '10.1.0.3'])
  names.remove('old')
  assert.deepEqual(names.resolve('other', 'web')!.ipv4, ['10.1.0.3'])
})
