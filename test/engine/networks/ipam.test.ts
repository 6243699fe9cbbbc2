import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  contains,
  formatAddress,
  formatSubnet,
  parseAddress,
  parseSubnet,
} from '../../../src/engine/networks/address.ts'
import { parseRoutes } from '../../../src/engine/networks/host-routes.ts'
import {
  Addresses,
  checkOverlap,
  checkPool,
  freeSubnet,
  parsePool,
  uniqueLocalSubnet,
} from '../../../src/engine/networks/ipam.ts'
import { isFailure } from '../../../src/lib/failure.ts'

const subnet = (text: string) => parseSubnet(text)!
const address = (text: string) => parseAddress(text)!

describe('freeSubnet()', () => {
  test('gives the first /24 that neither host nor networks use', () => {
    const pools = ['10.5.0.0/16'].map(parsePool)
    assert.equal(formatSubnet(freeSubnet(pools, [])), '10.5.0.0/24')
    const taken = ['10.5.0.128/25', '10.5.1.0/24', '10.5.2.0/23'].map(subnet)
    assert.equal(formatSubnet(freeSubnet(pools, taken)), '10.5.4.0/24')
  })

  test('gives larger subnets of larger pools, no larger than a bridge can use', () => {
    assert.equal(formatSubnet(freeSubnet(['10.208.0.0/12'].map(parsePool), [])), '10.208.0.0/22')
    assert.equal(formatSubnet(freeSubnet(['10.0.0.0/8'].map(parsePool), [])), '10.0.0.0/22')
    assert.equal(formatSubnet(freeSubnet(['10.4.0.0/15'].map(parsePool), [])), '10.4.0.0/23')
    assert.equal(formatSubnet(freeSubnet(['192.168.192.0/18'].map(parsePool), [])), '192.168.192.0/24')
  })

  test('gives subnets as large as the pool says', () => {
    const pool = parsePool({ base: '10.5.0.0/16', size: 20 })
    assert.equal(formatSubnet(freeSubnet([pool], [subnet('10.5.0.0/24')])), '10.5.16.0/20')
  })

  test('goes on in the next pool, and fails when all are used', () => {
    const pools = ['10.5.0.0/24', '10.6.0.0/25'].map(parsePool)
    assert.equal(formatSubnet(freeSubnet(pools, [subnet('10.5.0.0/16')])), '10.6.0.0/25')
    assert.throws(() => freeSubnet(pools, [subnet('10.0.0.0/8')]), /all predefined address pools/)
  })

  test('parsePool() refuses what is no IPv4 subnet, and networks that are no part of it', () => {
    assert.throws(
      () => ['fd00::/48'].map(parsePool),
      error => isFailure(error, 'invalid'),
    )
    assert.throws(
      () => ['10.0.0.1'].map(parsePool),
      error => isFailure(error, 'invalid'),
    )
    for (const size of [15, 30])
      assert.throws(() => parsePool({ base: '10.5.0.0/16', size }), {
        message: `Cannot use address pool "10.5.0.0/16": networks of /${size} should be from /16 to /29`,
      })
  })
})

test('uniqueLocalSubnet() is a /64 of fd00::/8, another one for another network', () => {
  const one = uniqueLocalSubnet('ab'.repeat(32))
  assert.equal(formatSubnet(one), 'fdab:abab:abab::/64')
  assert.notDeepEqual(one, uniqueLocalSubnet('cd'.repeat(32)))
})

describe('checkPool()', () => {
  test('takes the first host for the gateway', () => {
    assert.equal(formatAddress(checkPool({ subnet: '10.1.0.0/24' }).gateway), '10.1.0.1')
    assert.equal(formatAddress(checkPool({ subnet: 'fd00::/64' }).gateway), 'fd00::1')
  })
  for (const [name, request] of [
    ['a gateway outside', { subnet: '10.1.0.0/24', gateway: '10.2.0.1' }],
    ['a range outside', { subnet: '10.1.0.0/24', ipRange: '10.2.0.0/25' }],
    ['a range wider than the subnet', { subnet: '10.1.0.0/24', ipRange: '10.1.0.0/16' }],
    ['an auxiliary address outside', { subnet: '10.1.0.0/24', auxiliary: { r: '10.2.0.9' } }],
    ['no subnet', { subnet: '10.1.0.0' }],
  ] as const)
    test(`refuses ${name}`, () =>
      assert.throws(
        () => checkPool(request),
        error => isFailure(error, 'invalid'),
      ))
})

test('checkOverlap() speaks as Docker does, with 403', () => {
  assert.throws(
    () => checkOverlap(subnet('10.1.0.0/24'), [subnet('10.0.0.0/8')]),
    error =>
      isFailure(error, 'denied') &&
      error.message === 'invalid pool request: Pool overlaps with other one on this address space',
  )
})

describe('Addresses', () => {
  let owners = 0
  const take = (addresses: Addresses, owner = `owner-${owners++}`) => formatAddress(addresses.allocate(owner))

  test('allocate() goes up from after the gateway, past what is set apart', () => {
    const addresses = new Addresses(checkPool({ subnet: '10.1.0.0/24', auxiliary: { r: '10.1.0.3' } }))
    assert.deepEqual([take(addresses), take(addresses)], ['10.1.0.2', '10.1.0.4'])
  })

  test('allocate() does not give out again at once what was just released', () => {
    const addresses = new Addresses(checkPool({ subnet: '10.1.0.0/29' }))
    addresses.release(address(take(addresses)))
    assert.equal(take(addresses), '10.1.0.3')
    for (const next of ['10.1.0.4', '10.1.0.5', '10.1.0.6', '10.1.0.2']) assert.equal(take(addresses), next)
    assert.throws(() => take(addresses), /no available IPv4 addresses/)
  })

  test('allocate() gives an owner what it had last, while nobody else has it', () => {
    const addresses = new Addresses(checkPool({ subnet: '10.1.0.0/29' }))
    const first = take(addresses, 'web')
    take(addresses, 'db')
    addresses.release(address(first))
    assert.equal(take(addresses, 'web'), first)
    addresses.release(address(first))
    addresses.reserve(address(first))
    assert.equal(take(addresses, 'web'), '10.1.0.4')
  })

  test('allocate() stays in the ip-range, reserve() may leave it', () => {
    const pool = checkPool({ subnet: '10.1.0.0/24', ipRange: '10.1.0.128/25' })
    const addresses = new Addresses(pool)
    assert.equal(take(addresses), '10.1.0.128')
    addresses.reserve(address('10.1.0.9'))
    assert.ok(contains(pool.subnet, address('10.1.0.9')))
  })

  test('reserve() refuses an address that is taken, be it by the gateway', () => {
    const addresses = new Addresses(checkPool({ subnet: '10.1.0.0/24' }))
    assert.throws(() => addresses.reserve(address('10.1.0.1')), /^Failure: Address already in use$/)
    assert.throws(() => addresses.reserve(address('10.1.0.255')), /Address already in use/)
  })

  test('a /31 has no broadcast address to keep free', () => {
    const addresses = new Addresses(checkPool({ subnet: '10.1.0.0/31' }))
    assert.equal(take(addresses), '10.1.0.1')
  })
})

test('parseRoutes() reads destinations in the byte order of the machine and overlooks the default route', () => {
  const text = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
tun0\t00000080\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0
`
  assert.deepEqual(parseRoutes(text).map(formatSubnet), ['172.17.0.0/16'])
})
