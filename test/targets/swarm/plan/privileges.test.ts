import assert from 'node:assert/strict'
import { test } from 'node:test'
import { privileges } from '../../../../src/targets/swarm/plan/privileges.ts'

const files = { directory: '/stack', profiles: new Map([['/stack/own.json', '{"a":1}']]) }
const of = (...options: readonly string[]) => privileges(options, files)
const base64 = (text: string) => Buffer.from(text).toString('base64')

test('security_opt becomes what a swarm knows of it, and nothing where it knows none', () => {
  assert.deepEqual(of('no-new-privileges'), { NoNewPrivileges: true })
  assert.deepEqual(of('no-new-privileges:false'), undefined)
  assert.deepEqual(of('seccomp=unconfined', 'apparmor:unconfined'), {
    Seccomp: { Mode: 'unconfined' },
    AppArmor: { Mode: 'disabled' },
  })
  assert.deepEqual(of('seccomp=own.json'), { Seccomp: { Mode: 'custom', Profile: base64('{"a":1}') } })
  assert.deepEqual(of('seccomp:{"b":2}'), { Seccomp: { Mode: 'custom', Profile: base64('{"b":2}') } })
  assert.deepEqual(of('label=disable'), { SELinuxContext: { Disable: true } })
  assert.deepEqual(of('label:level:s0:c1', 'label=type:svirt'), { SELinuxContext: { Level: 's0:c1', Type: 'svirt' } })
  for (const text of ['seccomp=builtin', 'apparmor=own', 'systempaths=unconfined', 'label=odd'])
    assert.equal(of(text), undefined, text)
})
