import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bareCapability, capabilityNames } from '../../src/lib/capabilities.ts'

test('capabilities stand by the numbers that linux/capability.h gives them', () => {
  assert.equal(capabilityNames.length, 41)
  const numbers = Object.entries({ CHOWN: 0, KILL: 5, NET_ADMIN: 12, SYS_ADMIN: 21, MKNOD: 27, SYSLOG: 34, BPF: 39 })
  for (const [name, number] of numbers) assert.equal(capabilityNames[number], name)
  assert.equal(capabilityNames.at(-1), 'CHECKPOINT_RESTORE')
})

test('a capability is known in any case, with and without CAP_', () => {
  assert.deepEqual(['cap_net_admin', 'Net_Admin', 'CAP_KILL', 'ESCAP_E'].map(bareCapability), [
    'NET_ADMIN',
    'NET_ADMIN',
    'KILL',
    'ESCAP_E',
  ])
})
