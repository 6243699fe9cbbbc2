import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { NetworkCreate } from '../../../src/api/networks.ts'
import type { FailureKind } from '../../../src/lib/failure.ts'
import { asks, open, rejected } from './networks-box.ts'

describe('Networks', () => {
  test('list() shows the three networks that are always there', async t => {
    const { networks } = await open(t)
    assert.deepEqual(
      networks.list().map(({ Name, Driver }) => [Name, Driver]),
      [
        ['bridge', 'bridge'],
        ['host', 'host'],
        ['none', 'null'],
      ],
    )
  })

  test('create() chooses a /24 that neither the host nor another network has, and touches no kernel', async t => {
    const { networks, operations, seen } = await open(t)
    const one = await networks.create({ Name: 'one', Labels: { a: 'b' } })
    await networks.create({ Name: 'two' })
    const inspected = networks.inspect('one')
    assert.deepEqual(inspected.IPAM, {
      Driver: 'default',
      Options: null,
      Config: [{ Subnet: '10.7.1.0/24', Gateway: '10.7.1.1' }],
    })
    assert.deepEqual(inspected.Labels, { a: 'b' })
    assert.equal(networks.inspect(one.id.slice(0, 5)).Id, one.id)
    assert.deepEqual(operations, [])
    assert.deepEqual(
      seen.map(({ action, attributes }) => [action, attributes.name]),
      [
        ['create', 'one'],
        ['create', 'two'],
      ],
    )
  })

  const base = { Driver: '' }
  for (const [what, body, kind, message] of [
    ['a taken name', { Name: 'there' }, 'conflict', 'network with name there already exists'],
    ['a predefined name', { Name: 'host' }, 'denied', /predefined host network/],
    ['an unknown driver', { Name: 'x', Driver: 'nosuch' }, 'not-found', 'plugin "nosuch" not found'],
    ['a driver that is not supported', { Name: 'x', Driver: 'macvlan' }, 'unsupported', /"macvlan" is not supported/],
    ['a driver of swarms', { Name: 'x', Driver: 'overlay' }, 'denied', /^This node is not a swarm manager/],
    ['an ingress network', { Name: 'x', Ingress: true }, 'denied', 'Ingress network can only be global scope network'],
    ['neither IPv4 nor IPv6', { Name: 'x', EnableIPv4: false }, 'invalid', 'IPv4 or IPv6 must be enabled'],
    [
      'a configuration network that is not there',
      { Name: 'x', ConfigFrom: { Network: 'no' } },
      'not-found',
      'configuration network "no" does not exist',
    ],
    [
      'an isolated gateway with a way out',
      { Name: 'x', Options: { 'com.docker.network.bridge.gateway_mode_ipv4': 'isolated' } },
      'internal',
      "gateway mode 'isolated' can only be used for an internal network",
    ],
    [
      'a gateway mode it does not honour',
      { Name: 'x', Options: { 'com.docker.network.bridge.gateway_mode_ipv6': 'routed' } },
      'unsupported',
      /gateway_mode_ipv6 "routed"/,
    ],
    ['settings of settings', { Name: 'x', ConfigOnly: true, ConfigFrom: { Network: 'y' } }, 'denied', /cannot depend/],
    ['settings with more than settings', { Name: 'x', ConfigOnly: true, Internal: true }, 'denied', /network specific/],
    [
      'a gateway mode nobody knows',
      { Name: 'x', Options: { 'com.docker.network.bridge.gateway_mode_ipv4': 'bogus' } },
      'invalid',
      /unknown gateway mode bogus/,
    ],
    [
      'a subnet that overlaps another',
      { Name: 'x', IPAM: { Config: [{ Subnet: '10.9.0.0/16' }] } },
      'denied',
      'invalid pool request: Pool overlaps with other one on this address space',
    ],
    [
      'a gateway outside',
      { Name: 'x', IPAM: { Config: [{ Subnet: '10.8.0.0/24', Gateway: '10.9.0.1' }] } },
      'invalid',
      /gateway/,
    ],
    ...[{}, { Gateway: '10.8.0.1' }].map(
      entry =>
        [
          `a subnet that is not named: ${JSON.stringify(entry)}`,
          { Name: 'x', IPAM: { Config: [entry] } },
          'invalid',
          'invalid network config:\ninvalid subnet : invalid CIDR block notation',
        ] as const,
    ),
    ['a name of two lines', { Name: 'a\nb' }, 'invalid', /invalid network name/],
    ['a name that no path can hold', { Name: 'a/b' }, 'invalid', /invalid network name/],
    ['the name that stands for the bridge', { Name: 'default' }, 'denied', /predefined default network/],
    [
      'two subnets of a family',
      { Name: 'x', IPAM: { Config: [{ Subnet: '10.8.0.0/24' }, { Subnet: '10.7.0.0/24' }] } },
      'denied',
      /multiple subnets/,
    ],
    [
      'a subnet by one of its addresses',
      { Name: 'x', IPAM: { Config: [{ Subnet: '10.8.0.1/24' }] } },
      'invalid',
      /invalid subnet 10.8.0.1\/24: it should be 10.8.0.0\/24/,
    ],
    ['the scope of a swarm', { Name: 'x', Scope: 'swarm' }, 'denied', /when swarm is not active/],
    [
      'a bridge name with a rule in it',
      { Name: 'x', Options: { 'com.docker.network.bridge.name': 'a"; flush ruleset' } },
      'invalid',
      /bridge.name/,
    ],
    ['an MTU that is no number', { Name: 'x', Options: { 'com.docker.network.driver.mtu': '1e3' } }, 'invalid', /mtu/],
  ] as ReadonlyArray<readonly [string, NetworkCreate, FailureKind, string | RegExp]>)
    test(`create() refuses ${what}`, async t => {
      const { networks } = await open(t)
      await networks.create({ Name: 'there', IPAM: { Config: [{ Subnet: '10.9.1.0/24' }] } })
      await rejected(networks.create({ ...base, ...body }), kind, message)
      assert.equal(networks.find('x'), undefined)
    })

  test('attach() makes the bridge once for many, and gives each its addresses, names and one default route', async t => {
    const { networks, operations, member, rules } = await open(t)
    await networks.create({ Name: 'zeta' })
    await networks.create({ Name: 'inner', Internal: true })
    await networks.create({ Name: 'alpha', EnableIPv6: true })
    const web = member('web')
    const [all] = await Promise.all([
      networks.attach(web, [
        asks({ network: 'zeta', aliases: ['www'] }),
        asks({ network: 'inner' }),
        asks({ network: 'alpha' }),
      ]),
      networks.attach(member('api'), [asks({ network: 'zeta' })]),
    ])
    assert.deepEqual(
      all.map(each => each.interface.name),
      ['eth0', 'eth1', 'eth2'],
    )
    assert.deepEqual(
      all.map(each => each.interface.gateways.length),
      [0, 0, 2],
    )
    assert.equal(all[1]!.gateway, undefined)
    assert.deepEqual(all[0]!.dnsNames, ['web', 'www', web.id.slice(0, 12)])
    assert.match(all[2]!.ipv6!, /^fd.*::2\/64$/)
    assert.equal(operations.filter(({ kind }) => kind === 'create-bridge').length, 3)
    assert.equal(rules.length, 1, 'one nft transaction for all of them')
    const [prior] = await networks.attach(member('p'), [
      asks({ network: 'alpha' }),
      asks({ network: 'zeta', gwPriority: 1 }),
    ])
    assert.deepEqual(prior!.interface.gateways, [])
  })

  test('attach() takes static addresses, refuses wrong ones, and a refused one leaves nothing reserved', async t => {
    const { networks, member } = await open(t)
    await networks.create({
      Name: 'n',
      IPAM: { Config: [{ Subnet: '10.8.0.0/24', IPRange: '10.8.0.128/25', AuxiliaryAddresses: { r: '10.8.0.9' } }] },
    })
    const web = member('web')
    const [attachment] = await networks.attach(web, [
      asks({ network: 'n', ipv4Address: '10.8.0.5', macAddress: '02:42:0a:08:00:05' }),
    ])
    assert.deepEqual([attachment!.ipv4, attachment!.mac], ['10.8.0.5/24', '02:42:0a:08:00:05'])
    const attach = (ipv4Address: string) => networks.attach(member('x'), [asks(asks({ network: 'n', ipv4Address }))])
    await rejected(attach('10.8.0.5'), 'denied', 'failed to set up container networking: Address already in use')
    await rejected(attach('10.8.0.9'), 'denied', /Address already in use/)
    await rejected(attach('10.99.0.5'), 'invalid', /no configured subnet contains IP address 10.99.0.5/)
    await rejected(
      networks.attach(member('x'), [asks({ network: 'n', ipv4Address: '10.8.0.7' }), asks({ network: 'gone' })]),
      'not-found',
      /network gone not found/,
    )
    assert.equal((await attach('10.8.0.7'))[0]!.ipv4, '10.8.0.7/24')
    await networks.detach(web.id)
    assert.equal((await attach('10.8.0.5'))[0]!.ipv4, '10.8.0.5/24')
  })

  test('remove() refuses while somebody is on it, then takes bridge, rules and record away', async t => {
    const { networks, member, links, paths, rules, seen } = await open(t)
    const network = await networks.create({ Name: 'n' })
    const web = member('web')
    const [attachment] = await networks.attach(web, [asks({ network: 'n' })])
    await rejected(
      networks.remove('n'),
      'denied',
      `error while removing network: network n has active endpoints (name:"web" id:"${attachment!.endpointId.slice(0, 12)}")`,
    )
    assert.deepEqual(Object.keys(networks.inspect('n').Containers!), [web.id])
    await networks.detach(web.id)
    await networks.remove('n')
    assert.equal(links.size, 0)
    assert.match(rules.at(-1)!, /delete table inet/)
    assert.deepEqual(readdirSync(paths.networks), [])
    assert.deepEqual(
      seen.map(({ action }) => action),
      ['create', 'connect', 'disconnect', 'destroy'],
    )
    await rejected(networks.remove('n'), 'not-found', 'network n not found')
    await rejected(networks.remove(network.id), 'not-found', /not found/)
    await rejected(networks.remove('bridge'), 'denied', 'bridge is a pre-defined network and cannot be removed')
  })

  test('the default bridge goes with its last container, and keeps its subnet for the next engine', async t => {
    const first = await open(t)
    const web = first.member('web')
    const [attachment] = await first.networks.attach(web, [asks({ network: 'bridge' })])
    assert.equal(first.links.size, 1)
    const next = await open(t, first)
    const saved = JSON.parse(JSON.stringify([attachment]))
    await next.networks.adopt(web, { attachments: saved, ports: [] })
    await next.networks.settle()
    assert.deepEqual(
      next.networks.attachments(web.id).map(({ ipv4 }) => ipv4),
      [attachment!.ipv4],
    )
    const [other] = await next.networks.attach(next.member('other'), [asks({ network: 'bridge' })])
    assert.notEqual(other!.ipv4, attachment!.ipv4)
    assert.ok(next.operations.every(({ kind }) => kind !== 'create-bridge'))
    await next.networks.detach(web.id)
    assert.equal(next.links.size, 1)
    for (const id of Object.keys(next.networks.inspect('bridge').Containers!)) await next.networks.detach(id)
    assert.equal(next.links.size, 0)
  })

  test('list() takes names and ids as regular expressions', async t => {
    const { networks } = await open(t)
    const { id } = await networks.create({ Name: 'shop_default' })
    await networks.create({ Name: 'shop_default2' })
    const names = (filters: Record<string, string[]>) => networks.list(filters).map(({ Name }) => Name)
    assert.deepEqual(names({ name: ['^shop_default$'] }), ['shop_default'])
    assert.deepEqual(names({ name: ['shop'] }), ['shop_default', 'shop_default2'])
    assert.deepEqual(names({ id: [`^${id.slice(0, 8)}`] }), ['shop_default'])
    assert.deepEqual(names({ name: ['['] }), [])
  })

  test('create() makes a network of IPv6 alone', async t => {
    const { networks, member } = await open(t)
    await networks.create({ Name: 'six', EnableIPv4: false, EnableIPv6: true })
    const { EnableIPv4, IPAM } = networks.inspect('six')
    assert.equal(EnableIPv4, false)
    assert.deepEqual(
      IPAM.Config?.map(({ Subnet }) => Subnet!.includes(':')),
      [true],
    )
    const [attachment] = await networks.attach(member('web'), [asks({ network: 'six' })])
    assert.equal(attachment!.ipv4, undefined)
    assert.equal(attachment!.interface.addresses.length, 1)
  })

  test('a subnet of a family that is off is shown, and an address in it that is asked for is not given', async t => {
    const { networks, member } = await open(t)
    const Config = [{ Subnet: '2001:389::/64' }]
    await networks.create({ Name: 'four', IPAM: { Config } })
    const { EnableIPv6, IPAM } = networks.inspect('four')
    assert.equal(EnableIPv6, false)
    assert.deepEqual(
      IPAM.Config!.filter(({ Subnet }) => Subnet!.includes(':')),
      Config,
    )
    assert.equal(IPAM.Config!.length, 2)
    const [attachment] = await networks.attach(member('web'), [
      asks({ network: 'four', ipv6Address: '2001:389::f00d' }),
    ])
    assert.equal(attachment!.ipv6, undefined)
    assert.match(attachment!.ipv4!, /^10\./)
    const outside = networks.attach(member('api'), [asks({ network: 'four', ipv6Address: '2001:38a::1' })])
    await rejected(
      outside,
      'invalid',
      'failed to set up container networking: invalid config for network four: invalid endpoint settings:\nno configured subnet contains IP address 2001:38a::1',
    )
  })

  test('create() makes networks of the settings of another, which stays as long as they do and takes nobody', async t => {
    const { networks, member } = await open(t)
    const Config = [{ Subnet: '10.40.0.0/24' }]
    await networks.create({ Name: 'settings', ConfigOnly: true, Options: { x: 'y' }, IPAM: { Config } })
    await networks.create({ Name: 'made', ConfigFrom: { Network: 'settings' } })
    const made = networks.inspect('made')
    assert.deepEqual([made.Options, made.ConfigFrom], [{ x: 'y' }, { Network: 'settings' }])
    assert.equal(made.IPAM.Config?.[0]?.Subnet, '10.40.0.0/24')
    await rejected(
      networks.attach(member('web'), [asks({ network: 'settings' })]),
      'denied',
      'failed to set up container networking: cannot create endpoint on configuration-only network',
    )
    await rejected(
      networks.remove('settings'),
      'denied',
      'error while removing network: configuration network "settings" is in use',
    )
    assert.deepEqual(await networks.prune({}, ({ name }) => name === 'made'), [])
    await networks.remove('made')
    await networks.remove('settings')
  })

  test('the host has no address on an isolated network', async t => {
    const { networks, member, operations } = await open(t)
    const Options = { 'com.docker.network.bridge.gateway_mode_ipv4': 'isolated' }
    await networks.create({ Name: 'n', Internal: true, Options })
    await networks.attach(member('web'), [asks({ network: 'n' })])
    const made = operations.find(operation => operation.kind === 'create-bridge')
    assert.deepEqual(made?.addresses, [])
  })

  test('where the host has no address and nothing leads out, the gateway’s address is one like the others', async t => {
    const { networks, member } = await open(t)
    const inhibited = { 'com.docker.network.bridge.inhibit_ipv4': 'true' }
    const isolated = { 'com.docker.network.bridge.gateway_mode_ipv4': 'isolated' }
    const create = (Name: string, Options: Record<string, string>, Internal: boolean) =>
      networks.create({ Name, Internal, IPAM: { Config: [{ Subnet: `10.${Name}.0.0/31` }] }, Options })
    const attach = async (name: string, network: string) =>
      (await networks.attach(member(name), [asks({ network })]))[0]!
    await create('41', inhibited, true)
    await create('42', isolated, true)
    for (const network of ['41', '42']) {
      const addresses = [(await attach('one', network)).ipv4, (await attach('two', network)).ipv4]
      assert.deepEqual(addresses, [`10.${network}.0.0/31`, `10.${network}.0.1/31`])
    }
    await create('43', inhibited, false)
    const { ipv4, gateway } = await attach('one', '43')
    assert.deepEqual([ipv4, gateway], ['10.43.0.1/31', '10.43.0.0'])
  })

  test('prune() removes what nobody is on or wants, by label', async t => {
    const { networks, member } = await open(t)
    for (const Name of ['used', 'wanted', 'free', 'kept'])
      await networks.create({ Name, Labels: Name === 'kept' ? { keep: '1' } : {} })
    await networks.attach(member('web'), [asks({ network: 'used' })])
    assert.deepEqual(await networks.prune({ 'label!': ['keep'] }, ({ name }) => name === 'wanted'), ['free'])
    assert.deepEqual(
      networks.list({ type: ['custom'] }).map(({ Name }) => Name),
      ['used', 'wanted', 'kept'],
    )
    assert.deepEqual(
      networks.list({ label: ['keep=1'] }).map(({ Name }) => Name),
      ['kept'],
    )
  })

  test('attach() of fifty containers takes less than a millisecond of CPU each', async t => {
    const { networks, member } = await open(t)
    await networks.create({ Name: 'n' })
    await networks.attach(member('first'), [asks({ network: 'n' })])
    // of this process alone, however busy the machine is
    const started = process.cpuUsage()
    await Promise.all(
      Array.from({ length: 50 }, (_, i) => networks.attach(member(`c${i}`), [asks({ network: 'n', aliases: ['c'] })])),
    )
    const { user, system } = process.cpuUsage(started)
    const each = (user + system) / 1000 / 50
    assert.ok(each < 1, `${each.toFixed(3)} ms`)
    t.diagnostic(`${each.toFixed(3)} ms each`)
  })
})
