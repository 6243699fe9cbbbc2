import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { defaultProfile } from '../../src/runtime/seccomp/default-profile.ts'
import { readProfile } from '../../src/runtime/seccomp/profile.ts'

const context = { capabilities: ['SYS_CHROOT'], arch: 'amd64', kernel: [6, 1] } as const

describe('defaultProfile()', () => {
  const names = (capabilities: readonly string[]) =>
    new Set(
      defaultProfile(capabilities)
        .rules.filter(rule => rule.compares.length === 0 && rule.action.kind === 'allow')
        .flatMap(rule => rule.names),
    )

  it('opens system calls with the capability they need', () => {
    assert.ok(!names([]).has('mount') && !names([]).has('bpf') && !names([]).has('chroot'))
    assert.ok(names(['SYS_ADMIN']).has('mount') && names(['SYS_ADMIN']).has('clone3'))
    assert.ok(names(['SYS_CHROOT']).has('chroot') && !names(['SYS_CHROOT']).has('mount'))
  })

  it('never allows io_uring, keyrings and userfaultfd', () => {
    for (const name of ['io_uring_setup', 'keyctl', 'add_key', 'userfaultfd', 'kexec_load'])
      assert.ok(!names(['SYS_CHROOT']).has(name), name)
  })

  it('looks at 32 bits of a socket’s family and leaves out AF_ALG and AF_VSOCK', () => {
    const compares = defaultProfile([])
      .rules.filter(rule => rule.names[0] === 'socket')
      .map(rule => rule.compares[0]!)
    assert.ok(compares.every(({ op, value }) => op === 'masked-equal' && value === 0xffffffffn))
    const families = compares.map(({ other }) => Number(other))
    assert.ok(!families.includes(38) && !families.includes(40) && families.includes(2))
  })
})

describe('readProfile()', () => {
  const rule = (more: object) => ({
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [{ names: ['mount'], action: 'SCMP_ACT_ALLOW', ...more }],
  })

  it('weighs includes and excludes', () => {
    const count = (more: object) => readProfile(rule(more), context).rules.length
    assert.equal(count({ includes: { caps: ['CAP_SYS_CHROOT'] } }), 1)
    assert.equal(count({ includes: { caps: ['CAP_SYS_ADMIN'] } }), 0)
    assert.equal(count({ excludes: { caps: ['CAP_SYS_CHROOT'] } }), 0)
    assert.equal(count({ includes: { arches: ['arm64'] } }), 0)
    assert.equal(count({ includes: { minKernel: '6.2' } }), 0)
    assert.equal(count({ includes: { minKernel: '4.8' } }), 1)
  })

  it('refuses what it does not understand', () => {
    for (const broken of [
      undefined,
      [],
      { defaultAction: 'SCMP_ACT_NOTIFY' },
      { defaultAction: 'SCMP_ACT_ALLOW', listenerPath: '/x' },
      rule({ action: 'ALLOW' }),
      rule({ names: [1] }),
      rule({ args: [{ index: 6, op: 'SCMP_CMP_EQ', value: 1 }] }),
      rule({ args: [{ index: 0, op: 'SCMP_CMP_ALMOST', value: 1 }] }),
      rule({ args: [{ index: 0, op: 'SCMP_CMP_EQ', value: 1.5 }] }),
    ])
      assert.throws(() => readProfile(broken, context), { kind: 'invalid' })
  })
})
