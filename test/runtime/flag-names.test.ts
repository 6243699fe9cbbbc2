import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nameOfArgument } from '../../src/runtime/flag-names.ts'

for (const [step, argument, value, name] of [
  ['clone', 'flags', 0x20020000, 'CLONE_NEWNS|CLONE_NEWPID'],
  ['unshare', 'flags', 0x02000000, 'CLONE_NEWCGROUP'],
  ['fs-mount', 'attributes', 0xe, 'MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV|MOUNT_ATTR_NOEXEC'],
  ['attributes', 'set', 0, '0'],
  ['attributes', 'propagation', 1 << 18, 'MS_PRIVATE'],
  ['propagation', 'flags', 0x44000, 'MS_REC|MS_PRIVATE'],
  // a bit that has no name stays a number
  ['fs-mount', 'attributes', 0x100001, 'MOUNT_ATTR_RDONLY|0x100000'],
  ['rlimit', 'resource', 7, 'RLIMIT_NOFILE'],
  ['node', 'device', 259, '1:3'],
  // as the kernel packs them: the low byte of the minor, twelve bits of the major, the rest of the minor
  ['node', 'device', 2 ** 20 * 2 + 8 * 256 + 1, '8:513'],
  ['capabilities', 'effective', 0b100001, 'CHOWN,KILL'],
  ['bound', 'capabilities', 2 ** 41 - 1, 'ALL'],
  ['bound', 'capabilities', 0, 'none'],
  ['mkdir', 'mode', 0o755, undefined],
] as const)
  test(`${step} ${argument} ${value} is ${name ?? 'a number'}`, () => {
    assert.equal(nameOfArgument(step, argument, value), name)
  })
