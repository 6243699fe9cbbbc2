import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { asks, open, rejected } from './networks-box.ts'

describe('the default route', () => {
  test('moves to another network when its own is left, and published ports with it', async t => {
    const { networks, member, operations } = await open(t)
    for (const Name of ['a', 'b']) await networks.create({ Name })
    const web = member('web')
    const [first] = await networks.attach(web, [asks({ network: 'a' })])
    t.after(() => networks.detach(web.id))
    const [port] = await networks.publish(web.id, { '80/tcp': [{ HostIp: '127.0.0.1' }] })
    assert.equal(port!.address, first!.ipv4!.split('/')[0])
    const second = await networks.connect(web, asks({ network: 'b' }), { sandbox: '/sandbox' })
    assert.deepEqual(second.interface.gateways, [], 'it stays where it is')
    operations.length = 0
    await networks.disconnect('a', web.id, '/sandbox')
    assert.deepEqual(
      operations.filter(({ kind }) => kind === 'route'),
      [{ kind: 'route', path: '/sandbox', name: second.interface.name, gateways: [second.gateway] }],
    )
    assert.deepEqual(networks.attachments(web.id)[0]!.interface.gateways, [second.gateway])
    assert.equal(networks.ports(web.id)[0]!.address, second.ipv4!.split('/')[0])
    assert.equal(networks.ports(web.id)[0]!.hostPort, port!.hostPort)
  })

  test('moves to a network that is joined with a higher priority', async t => {
    const { networks, member, operations } = await open(t)
    for (const Name of ['a', 'b']) await networks.create({ Name })
    const web = member('web')
    await networks.attach(web, [asks({ network: 'a' })])
    await networks.connect(web, asks({ network: 'b', gwPriority: 1 }), { sandbox: '/sandbox' })
    assert.ok(operations.some(({ kind }) => kind === 'route'))
    const gateways = networks.attachments(web.id).map(attachment => attachment.interface.gateways.length)
    assert.deepEqual(gateways, [0, 1])
  })
})

describe('a configuration network', () => {
  test('gives its settings to those that are made from it, and stays while there is one', async t => {
    const { networks, member } = await open(t)
    const Config = [{ Subnet: '192.0.2.0/24' }]
    await networks.create({ Name: 'settings', ConfigOnly: true, IPAM: { Config }, Labels: { a: 'b' } })
    await networks.create({ Name: 'made', ConfigFrom: { Network: 'settings' } })
    const made = networks.inspect('made')
    assert.deepEqual(
      [made.ConfigFrom, made.Labels, made.IPAM.Config?.[0]?.Subnet],
      [{ Network: 'settings' }, { a: 'b' }, '192.0.2.0/24'],
    )
    await rejected(
      networks.attach(member('web'), [asks({ network: 'settings' })]),
      'denied',
      /configuration-only network/,
    )
    await rejected(
      networks.remove('settings'),
      'denied',
      'error while removing network: configuration network "settings" is in use',
    )
    await networks.remove('made')
    await networks.remove('settings')
  })
})

test('a network without IPv4 gives addresses of IPv6 alone', async t => {
  const { networks, member } = await open(t)
  await networks.create({ Name: 'six', EnableIPv4: false, EnableIPv6: true })
  const [attachment] = await networks.attach(member('web'), [asks({ network: 'six' })])
  assert.equal(attachment!.ipv4, undefined)
  assert.match(attachment!.ipv6!, /^fd/)
  assert.equal(networks.inspect('six').EnableIPv4, false)
})

test('networks are found by regular expressions, as with Docker', async t => {
  const { networks } = await open(t)
  for (const Name of ['front', 'frontier']) await networks.create({ Name })
  const names = (name: string) =>
    networks
      .list({ name: [name] })
      .map(({ Name }) => Name)
      .sort()
  assert.deepEqual(names('front'), ['front', 'frontier'])
  assert.deepEqual(names('^front$'), ['front'])
  assert.deepEqual(names('['), [])
})

test('whoever has an address has its link address too, so that neighbours find the next one at once', async t => {
  const { networks, member } = await open(t)
  await networks.create({ Name: 'n', IPAM: { Config: [{ Subnet: '10.7.9.0/24' }] } })
  await networks.create({ Name: 'm', IPAM: { Config: [{ Subnet: '10.7.10.0/24' }] } })
  const attached = async (network: string, ipv4Address: string) => {
    const who = member('web')
    const [attachment] = await networks.attach(who, [asks({ network, ipv4Address })])
    await networks.detach(who.id)
    return attachment!.interface.mac
  }
  const mac = await attached('n', '10.7.9.5')
  assert.match(mac, /^[0-9a-f][26ae](:[0-9a-f]{2}){5}$/)
  assert.equal(await attached('n', '10.7.9.5'), mac)
  assert.notEqual(await attached('n', '10.7.9.6'), mac)
  assert.notEqual(await attached('m', '10.7.10.5'), mac)
})
