import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { filterFor } from '../../src/runtime/seccomp/filter.ts'

const machines = { x64: 0xc000003e, i386: 0x40000003 }
const allow = 0x7fff0000
const refuse = (errno: number) => 0x00050000 | errno
const [EPERM, ENOSYS] = [1, 38]

/** What the kernel's interpreter answers to a call: of classic BPF as much as filters of system calls have (linux/filter.h). */
function answered(filter: Buffer, arch: number, number: number, args: readonly bigint[] = []): number {
  const data = Buffer.alloc(64)
  data.writeUInt32LE(number)
  data.writeUInt32LE(arch, 4)
  for (const [index, value] of args.entries()) data.writeBigUInt64LE(value, 16 + index * 8)
  let accumulator = 0
  for (let at = 0; at < filter.length; at += 8) {
    const [code, k] = [filter.readUInt16LE(at), filter.readUInt32LE(at + 4)]
    const jump = (holds: boolean) => {
      at += 8 * filter[at + (holds ? 2 : 3)]!
    }
    if (code === 0x20) accumulator = data.readUInt32LE(k)
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0
    else if (code === 0x05) at += 8 * k
    else if (code === 0x15) jump(accumulator === k)
    else if (code === 0x25) jump(accumulator > k)
    else if (code === 0x35) jump(accumulator >= k)
    else if (code === 0x06) return k
    else assert.fail(`instruction 0x${code.toString(16)}`)
  }
  return assert.fail('no answer')
}

/** Numbers of asm/unistd_64.h and asm/unistd_32.h. */
const calls = { read: 0, socket: 41, clone: 56, personality: 135, mount: 165, keyctl: 250, clone3: 435, cachestat: 451 }
const calls32 = { read: 3, mount: 21, socketcall: 102, socket: 359, cachestat: 451 }

describe('the filter of system calls', { skip: process.arch !== 'x64' && 'the numbers are those of x64' }, () => {
  const plain = filterFor({ kind: 'default', capabilities: ['CHOWN'] })!
  const x64 = (filter: Buffer, call: keyof typeof calls, ...args: bigint[]) =>
    answered(filter, machines.x64, calls[call], args)
  const i386 = (call: keyof typeof calls32, ...args: bigint[]) => answered(plain, machines.i386, calls32[call], args)

  it('allows what is listed, and refuses the rest with EPERM', () => {
    assert.deepEqual(
      [x64(plain, 'read'), x64(plain, 'cachestat'), x64(plain, 'mount'), x64(plain, 'keyctl')],
      [allow, allow, refuse(EPERM), refuse(EPERM)],
    )
  })

  it('opens calls with the capability they need, also where it is not the only one', () => {
    const admin = filterFor({ kind: 'default', capabilities: ['SYS_ADMIN', 'CHOWN'] })!
    const newUser = 0x10000000n
    assert.deepEqual([x64(admin, 'mount'), x64(admin, 'clone3'), x64(admin, 'clone', newUser)], [allow, allow, allow])
    assert.equal(x64(plain, 'clone', newUser), refuse(EPERM))
    assert.equal(x64(plain, 'clone', 0x11n), allow)
    assert.equal(x64(plain, 'clone3'), refuse(ENOSYS))
  })

  it('looks at the 32 bits of a family that the kernel looks at', () => {
    const [inet, alg, vsock, high] = [2n, 38n, 40n, 1n << 32n]
    const answers = [inet, inet | high, alg, vsock, vsock | high, 45n, 46n].map(family => x64(plain, 'socket', family))
    assert.deepEqual(
      answers.map(each => each === allow),
      [true, true, false, false, false, true, false],
    )
    assert.deepEqual([i386('socket', inet), i386('socket', vsock)], [allow, refuse(EPERM)])
  })

  it('leaves those personalities that do not weaken a process', () => {
    const answers = [0n, 8n, 0x20000n, 0x20008n, 0xffffffffn, 0x0040000n].map(each => x64(plain, 'personality', each))
    assert.deepEqual(
      answers.map(each => each === allow),
      [true, true, true, true, true, false],
    )
  })

  it('has libc fall back from calls that are newer than the list, x32’s among them', () => {
    const answers = [466, 467, 0x40000000].map(number => answered(plain, machines.x64, number))
    assert.deepEqual(answers, [allow, refuse(ENOSYS), refuse(ENOSYS)])
    assert.deepEqual([i386('cachestat'), answered(plain, machines.i386, 450)], [refuse(ENOSYS), refuse(EPERM)])
  })

  it('filters the 32-bit calls alike, but for the door to sockets that hides their family', () => {
    assert.deepEqual([i386('read'), i386('mount')], [allow, refuse(EPERM)])
    const [makeSocket, bind] = [1n, 2n]
    assert.deepEqual([i386('socketcall', makeSocket), i386('socketcall', bind)], [refuse(EPERM), allow])
  })

  it('ends whoever calls as another machine does', () => {
    const [arm64, killed] = [0xc00000b7, 0]
    assert.equal(answered(plain, arm64, calls.read), killed)
  })

  it('answers as a profile of one’s own says, argument by argument', () => {
    const rule = (
      name: string,
      action: string,
      ...args: readonly (readonly [op: string, value: number, two?: number])[]
    ) => ({
      names: [name],
      action: `SCMP_ACT_${action}`,
      ...(action === 'ERRNO' && { errnoRet: 13 }),
      args: args.map(([op, value, valueTwo], index) => ({ index, op: `SCMP_CMP_${op}`, value, valueTwo })),
    })
    const profile = {
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 5,
      syscalls: [
        rule('read', 'ALLOW', ['GT', 5], ['LE', 7]),
        rule('clone', 'TRACE', ['MASKED_EQ', 12, 4]),
        rule('socket', 'ERRNO', ['NE', 3]),
        rule('mount', 'KILL_PROCESS', ['GE', 9]),
        rule('keyctl', 'LOG', ['LT', 9]),
        rule('personality', 'TRAP', ['EQ', 1]),
        rule('clone3', 'KILL_THREAD'),
      ],
    }
    const own = filterFor({ kind: 'profile', capabilities: [], profile })!
    const fallback = refuse(5)
    const asked = [
      [x64(own, 'read', 6n, 7n), allow],
      [x64(own, 'read', 5n, 7n), fallback],
      [x64(own, 'read', 6n, 8n), fallback],
      [x64(own, 'clone', 0x15n), 0x7ff00001],
      [x64(own, 'clone', 0x1cn), fallback],
      [x64(own, 'socket', 2n), refuse(13)],
      [x64(own, 'socket', 3n), fallback],
      [x64(own, 'mount', 9n), 0x80000000],
      [x64(own, 'mount', 8n), fallback],
      [x64(own, 'keyctl', 8n), 0x7ffc0000],
      [x64(own, 'keyctl', 9n), fallback],
      [x64(own, 'personality', 1n), 0x00030000],
      [x64(own, 'clone3'), 0],
      [answered(own, machines.x64, 467), refuse(ENOSYS)],
    ]
    assert.deepEqual(
      asked.map(([is]) => is),
      asked.map(([, wanted]) => wanted),
    )
  })

  it('is made once for the same choice, in whatever order the capabilities are told', () => {
    const both = ['CHOWN', 'KILL']
    assert.equal(
      filterFor({ kind: 'default', capabilities: both }),
      filterFor({ kind: 'default', capabilities: both.toReversed() }),
    )
    assert.notDeepEqual(filterFor({ kind: 'default', capabilities: ['SYS_ADMIN'] }), plain)
    assert.equal(filterFor({ kind: 'unconfined' }), undefined)
  })
})
