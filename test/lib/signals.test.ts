import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signalNames, signalNumber } from '../../src/lib/signals.ts'

for (const [name, number] of Object.entries({
  SIGTERM: 15,
  term: 15,
  KILL: 9,
  '1': 1,
  '15': 15,
  '64': 64,
  RTMIN: 34,
  'SIGRTMIN+3': 37,
  'RTMIN+30': 64,
  'SIGRTMAX-1': 63,
  'RTMAX-30': 34,
  RTMAX: 64,
}))
  test(`signal ${name} is ${number}`, () => assert.equal(signalNumber(name), number))

for (const name of [
  '',
  '0',
  '65',
  '999',
  '-1',
  '1x',
  'x1',
  'NOSIG',
  'RTMIN+31',
  'RTMIN-1',
  'RTMAX+1',
  'RTMAX-31',
  'XSIGTERM',
  'RTMIN+',
  'ART',
])
  test(`there is no signal "${name}"`, () => assert.equal(signalNumber(name), undefined))

test('every signal that is named has a number', () => {
  assert.ok(signalNames().includes('SIGHUP'))
  for (const name of signalNames()) assert.ok(signalNumber(name)! > 0, name)
})
