import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { endpointRequest, interfaceSysctls } from '../../../src/engine/networks/endpoint-request.ts'
import { isFailure } from '../../../src/lib/failure.ts'
import { asks, open } from './networks-box.ts'

const sysctls = (text: string) => ({ DriverOpts: { 'com.docker.network.endpoint.sysctls': text } })
const named = (name: string) => ({ 'com.docker.network.endpoint.ifname': name })

describe('endpointRequest()', () => {
  test('keeps every member of EndpointSettings that is asked', () => {
    const settings = {
      IPAMConfig: { IPv4Address: '10.1.0.9', IPv6Address: 'fd00::9', LinkLocalIPs: ['169.254.9.9'] },
      Links: ['db:database'],
      Aliases: ['web'],
      MacAddress: '02:00:00:00:00:01',
      GwPriority: 7,
      DriverOpts: { 'com.example.mine': 'kept' },
    }
    assert.deepEqual(endpointRequest('front', settings), {
      network: 'front',
      aliases: ['web'],
      links: ['db:database'],
      ipv4Address: '10.1.0.9',
      ipv6Address: 'fd00::9',
      linkLocalIPs: ['169.254.9.9'],
      macAddress: '02:00:00:00:00:01',
      gwPriority: 7,
      driverOpts: { 'com.example.mine': 'kept' },
    })
  })

  test('reads sysctls of the interface, whatever it will be called', () => {
    const asked = endpointRequest(
      'n',
      sysctls('net.ipv4.conf.IFNAME.log_martians=1,net.ipv6.neigh.ifname.gc_stale_time=5'),
    )
    assert.deepEqual(interfaceSysctls(asked), [
      { path: 'net/ipv4/conf/IFNAME/log_martians', value: '1' },
      { path: 'net/ipv6/neigh/IFNAME/gc_stale_time', value: '5' },
    ])
  })

  for (const text of ['net.ipv4.conf.eth0.log_martians=1', 'kernel.x=1', 'bogus', 'net.ipv4.conf.IFNAME.../../x=1'])
    test(`refuses "${text}" as Docker does`, () =>
      assert.throws(
        () => endpointRequest('n', sysctls(text)),
        error =>
          isFailure(error, 'invalid') &&
          error.message.startsWith(
            `invalid config for network n: invalid endpoint settings:\nunrecognised network interface sysctl '${text}'`,
          ),
      ))
})

describe('interfaces', () => {
  test('have the names that were asked for, the others the next that are free', async t => {
    const { networks, member } = await open(t)
    for (const Name of ['a', 'b', 'c', 'd']) await networks.create({ Name })
    const web = member('web')
    const attachments = await networks.attach(web, [
      asks({ network: 'a' }),
      asks({ network: 'b', driverOpts: named('eth0') }),
      asks({ network: 'c', driverOpts: named('wan') }),
    ])
    assert.deepEqual(
      attachments.map(({ interface: { name } }) => name),
      ['eth1', 'eth0', 'wan'],
    )
    const late = await networks.connect(web, asks({ network: 'd' }), { sandbox: '/sandbox' })
    assert.equal(late.interface.name, 'eth2')
  })
})
