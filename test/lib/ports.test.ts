import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parsePortKey, parsePortRange, portsOf } from '../../src/lib/ports.ts'

describe('parsePortRange()', () => {
  for (const [text, range] of [
    ['80', [80, 80]],
    ['0', [0, 0]],
    ['8000-8010', [8000, 8010]],
    ['65535', [65535, 65535]],
  ] as const)
    test(`reads ${text}`, () => assert.deepEqual(parsePortRange(text), range))
  for (const text of ['', '-', '80-', '-80', '9000-8000', '65536', '1-2-3', ' 80', '8e1', '0x50'])
    test(`refuses "${text}"`, () => assert.equal(parsePortRange(text), undefined))
})

describe('parsePortKey()', () => {
  test('takes tcp where no protocol is named, and protocols in any case', () => {
    assert.deepEqual(parsePortKey('80'), { range: [80, 80], protocol: 'tcp' })
    assert.deepEqual(parsePortKey('53/UDP'), { range: [53, 53], protocol: 'udp' })
    assert.deepEqual(parsePortKey('8000-8001/sctp'), { range: [8000, 8001], protocol: 'sctp' })
  })
  for (const text of ['80/', '80/ip', '80/tcp/udp', '/tcp', 'x/tcp'])
    test(`refuses "${text}"`, () => assert.equal(parsePortKey(text), undefined))
})

test('portsOf() lists each port of a range', () => assert.deepEqual(portsOf([8, 10]), [8, 9, 10]))
