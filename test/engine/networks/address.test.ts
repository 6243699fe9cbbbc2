import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  formatAddress,
  formatSubnet,
  overlaps,
  parseAddress,
  parseMac,
  parseSubnet,
} from '../../../src/engine/networks/address.ts'

describe('addresses', () => {
  for (const [given, canonical] of [
    ['10.0.0.1', '10.0.0.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['0.0.0.0', '0.0.0.0'],
    ['::', '::'],
    ['::1', '::1'],
    ['fd00:0:0:0:0:0:0:1', 'fd00::1'],
    ['FD00::A:0:0:1', 'fd00::a:0:0:1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:2:3:4:5:6:7:0', '1:2:3:4:5:6:7:0'],
    ['1:0:3:4:5:6:7:8', '1:0:3:4:5:6:7:8'],
    ['0:0:1:0:0:0:0:0', '0:0:1::'],
    ['10:0:0:10:0:0:0:100', '10:0:0:10::100'],
    ['::ffff:10.0.0.1', '::ffff:a00:1'],
  ] as const)
    test(`formatAddress() writes ${given} as ${canonical}, as the URL parser does`, () => {
      const text = formatAddress(parseAddress(given)!)
      assert.equal(text, canonical)
      if (given.includes(':')) assert.equal(`[${text}]`, new URL(`http://[${given}]/`).hostname)
    })

  for (const bad of [
    '',
    '10.0.0',
    '10.0.0.256',
    'fe80::1%eth0',
    '::g',
    '10.0.0.1/24',
    ' 10.0.0.1',
    '10.0.0.1; flush ruleset',
  ])
    test(`parseAddress() takes ${JSON.stringify(bad)} for no address`, () => assert.equal(parseAddress(bad), undefined))

  test('parseSubnet() clears host bits', () => {
    assert.equal(formatSubnet(parseSubnet('10.1.2.3/16')!), '10.1.0.0/16')
    assert.equal(formatSubnet(parseSubnet('fd00::1/64')!), 'fd00::/64')
  })

  for (const bad of ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/24/1', 'fd00::/129', '10.0.0.0/-1', 'x/8'])
    test(`parseSubnet() takes ${JSON.stringify(bad)} for no subnet`, () => assert.equal(parseSubnet(bad), undefined))

  for (const text of ['02:42:AC:11:00:02', '02-42-ac-11-00-02', '0242.ac11.0002'])
    test(`parseMac() reads ${text}`, () => assert.equal(parseMac(text), '02:42:ac:11:00:02'))

  for (const bad of ['', 'x', '02:42:ac:11:00:0', '02:42-ac:11:00:02', '02:42:ac:11:00:02:00:00', '0242ac110002'])
    test(`parseMac() takes ${JSON.stringify(bad)} for none`, () => assert.equal(parseMac(bad), undefined))

  test('overlaps() holds for a subnet within another, either way, and not across families', () => {
    const [wide, narrow, other] = ['10.0.0.0/8', '10.3.0.0/24', 'fd00::/64'].map(text => parseSubnet(text)!)
    assert.ok(overlaps(wide!, narrow!))
    assert.ok(overlaps(narrow!, wide!))
    assert.ok(!overlaps(wide!, other!))
  })
})
