import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formatPlatform, isOurs, machine, parsePlatform, plainPlatform } from '../../../src/engine/images/platform.ts'

test('a machine is called as registries call it', () => {
  const names = ['x64', 'arm64', 'arm', 'ia32', 'riscv64', 'ppc64', 's390x', 'loong64', 'mips'].map(arch =>
    formatPlatform(machine(arch)),
  )
  assert.deepEqual(names, [
    ...['linux/amd64', 'linux/arm64/v8', 'linux/arm/v7', 'linux/386', 'linux/riscv64', 'linux/ppc64le'],
    ...['linux/s390x', 'linux/loong64', 'linux/mips'],
  ])
})

describe('parsePlatform() reads', () => {
  for (const [text, platform] of [
    ['linux/amd64', 'linux/amd64'],
    ['Linux/X86_64', 'linux/amd64'],
    ['linux/x86-64', 'linux/amd64'],
    ['linux/aarch64', 'linux/arm64/v8'],
    ['linux/arm64/v9', 'linux/arm64/v9'],
    ['linux/i386', 'linux/386'],
    ['linux/armhf', 'linux/arm/v7'],
    ['linux/armel', 'linux/arm/v6'],
    ['linux/arm', 'linux/arm/v7'],
    ['macos/amd64', 'darwin/amd64'],
    ['windows(10.0.1)/amd64', 'windows/amd64'],
    ['windows()/amd64', 'windows/amd64'],
    ['plan9/odd.arch', 'plan9/odd.arch'],
    ['arm64', 'linux/arm64/v8'],
    ['s390x', 'linux/s390x'],
    ['armel', 'linux/arm/v6'],
    ['wasm', 'linux/wasm'],
  ] as const)
    test(text, () => assert.equal(formatPlatform(parsePlatform(text)), platform))

  for (const system of ['linux', 'windows', 'macos', 'freebsd', 'zos'])
    test(`${system}, of this machine’s kind`, () => {
      const os = system === 'macos' ? 'darwin' : system
      assert.deepEqual(parsePlatform(system), { ...machine(), os })
    })

  for (const [text, what] of [
    ['linux/*', '"linux/*": wildcards not yet supported'],
    ['', '"" is an invalid OS component of ""'],
    ['/amd64', '"" is an invalid OS component of "/amd64"'],
    ['win dows/amd64', '"win dows" is an invalid OS component of "win dows/amd64"'],
    ['windows(a/b', '"windows(a" is an invalid OS component of "windows(a/b"'],
    ['linux/', '"" is an invalid component of "linux/"'],
    ['linux/arm/v 7', '"v 7" is an invalid component of "linux/arm/v 7"'],
    ['a/b/c/d', '"a/b/c/d": cannot parse platform specifier'],
    ['a/b/c/ ', '" " is an invalid component of "a/b/c/ "'],
    ['beos', '"beos": unknown operating system or architecture'],
  ] as const)
    test(`but not "${text}"`, () =>
      assert.throws(() => parsePlatform(text), { kind: 'invalid', message: `${what}: invalid argument` }))
})

test('the variant that goes without saying is left out', () => {
  const plain = [
    'linux/amd64/v1',
    'linux/amd64/v2',
    'linux/arm64/v8',
    'linux/arm64/v9',
    'linux/arm/v7',
    'linux/arm/v6',
    'linux/386',
  ]
  assert.deepEqual(
    plain.map(text => formatPlatform(plainPlatform(parsePlatform(text)))),
    ['linux/amd64', 'linux/amd64/v2', 'linux/arm64', 'linux/arm64/v9', 'linux/arm', 'linux/arm/v6', 'linux/386'],
  )
})

test('this machine runs its own architecture in any variant, and no other system', () => {
  const here = machine()
  assert.ok(isOurs(here) && isOurs({ ...here, variant: 'v99' }))
  assert.ok(!isOurs({ ...here, os: 'windows' }) && !isOurs({ ...here, architecture: 'z80' }))
})
