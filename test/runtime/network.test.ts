import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addressBytes, operationSteps } from '../../src/runtime/parts/network.ts'

describe('addressBytes()', () => {
  const cases = {
    '172.20.0.2': 'ac140002',
    '::': '0'.repeat(32),
    '::1': `${'0'.repeat(31)}1`,
    'fd00:1::2': 'fd000001000000000000000000000002',
    '1:2:3:4:5:6:7:8': '00010002000300040005000600070008',
    '::ffff:10.0.0.1': '00000000000000000000ffff0a000001',
  }
  for (const [text, hex] of Object.entries(cases))
    it(`reads ${text}`, () => assert.equal(addressBytes(text).toString('hex'), hex))

  for (const text of ['', '1.2.3', '1.2.3.256', '1::2::3', '1:2', '1:2:3:4:5:6:7:8:9', 'g::', '1.2.3.4.5', '12345::'])
    it(`refuses "${text}"`, () => assert.throws(() => addressBytes(text), { kind: 'invalid' }))
})

describe('operationSteps()', () => {
  it('refuses interface names that are paths or too long', () => {
    for (const name of ['', '..', 'a/b', 'sixteen-letters-', 'a b', 'a%d', 'a:1'])
      assert.throws(() => operationSteps({ kind: 'delete-link', name }), { kind: 'invalid' })
  })

  it('keeps IPv6 off on a bridge without such an address, and never takes a route from it', () => {
    const written = operationSteps({
      kind: 'create-bridge',
      name: 'br0',
      addresses: ['10.0.0.1/24'],
      mtu: 1500,
      mac: '',
    }).flatMap(step => (step.name === 'write' ? [`${step.args.path}=${step.args.value}`] : []))
    assert.deepEqual(written, ['/proc/sys/net/ipv6/conf/br0/disable_ipv6=1', '/proc/sys/net/ipv6/conf/br0/accept_ra=0'])
  })
})
