/** Profile → BPF: rules by libseccomp, and before them a few instructions for what it cannot say. */
import { closeSync, fstatSync, readSync } from 'node:fs'
import { release } from 'node:os'
import { Failure } from '../../lib/failure.ts'
import { stableHash } from '../../lib/stable-json.ts'
import { libseccomp, openMemoryFile } from '../native.ts'
import type { SeccompSpec } from '../spec.ts'
import { defaultProfile } from './default-profile.ts'
import { type Action, type Compare, type Operator, type Profile, readProfile } from './profile.ts'

/** AUDIT_ARCH_*, linux/audit.h; libseccomp's tokens are the same. x32 is left out: it is off in most kernels, and one more surface where it is on. */
const machines = {
  x64: { name: 'amd64', native: 0xc000003e, foreign: [0x40000003], i386: 0x40000003 },
  arm64: { name: 'arm64', native: 0xc00000b7, foreign: [0x40000028], i386: undefined },
} as const

/** Numbers that came after libseccomp 2.5: the same on every machine. The last is the newest we know. */
const newer: Readonly<Record<string, number>> = Object.fromEntries(
  (
    'cachestat fchmodat2 map_shadow_stack futex_wake futex_wait futex_requeue statmount listmount lsm_get_self_attr lsm_set_self_attr ' +
    'lsm_list_modules mseal setxattrat getxattrat listxattrat removexattrat'
  )
    .split(' ')
    .map((name, index) => [name, 451 + index]),
)
const newest = 466
/** The newest that libseccomp 2.5 can translate for the other architecture. */
const newestTranslated = 450

const returns = {
  'kill-process': 0x80000000,
  'kill-thread': 0,
  trap: 0x00030000,
  errno: 0x00050000,
  trace: 0x7ff00000,
  log: 0x7ffc0000,
  allow: 0x7fff0000,
}
const operators: Readonly<Record<Operator, number>> = {
  'not-equal': 1,
  less: 2,
  'less-equal': 3,
  equal: 4,
  'greater-equal': 5,
  greater: 6,
  'masked-equal': 7,
}

function returnValue(action: Action): number {
  return 'errno' in action ? (returns[action.kind] | action.errno) >>> 0 : returns[action.kind]
}

/** struct scmp_arg_cmp, 24 bytes each. */
function compareBytes(compares: readonly Compare[]): Buffer {
  const bytes = Buffer.alloc(Math.max(1, compares.length) * 24)
  for (const [index, { index: argument, op, value, other }] of compares.entries()) {
    bytes.writeUInt32LE(argument, index * 24)
    bytes.writeUInt32LE(operators[op], index * 24 + 4)
    bytes.writeBigUInt64LE(BigInt.asUintN(64, value), index * 24 + 8)
    bytes.writeBigUInt64LE(BigInt.asUintN(64, other), index * 24 + 16)
  }
  return bytes
}

/** Undefined for a name that neither libseccomp nor we know: the kernel may lack it as well, and the fallback is the stricter answer. */
function callNumber(native: number, name: string): number | undefined {
  const number = libseccomp().resolve(native, name) as number
  return number === -1 ? newer[name] : number
}

/** A rule that says no more than the fallback is refused by libseccomp (EACCES), and needless. */
function addRules(context: unknown, native: number, isNative: boolean, profile: Profile): void {
  const api = libseccomp()
  const fallback = returnValue(profile.fallback)
  for (const { names, action, compares } of profile.rules) {
    const value = returnValue(action)
    if (value === fallback) continue
    const bytes = compareBytes(compares)
    for (const name of names) {
      const number = callNumber(native, name)
      // numbers unknown to libseccomp cannot be translated: on the 32-bit side they answer as unknown ones do
      if (number === undefined || (!isNative && name in newer)) continue
      const status = api.addRule(context, value, number, compares.length, bytes) as number
      if (status !== 0)
        throw new Failure('internal', `Cannot filter system call "${name}": libseccomp answers ${status}`)
    }
  }
}

function exported(context: unknown): Buffer {
  const fd = openMemoryFile()
  try {
    const status = libseccomp().export(context, fd) as number
    if (status !== 0) throw new Failure('internal', `Cannot build the seccomp filter: libseccomp answers ${status}`)
    const bytes = Buffer.alloc(fstatSync(fd).size)
    readSync(fd, bytes, 0, bytes.length, 0)
    return bytes
  } finally {
    closeSync(fd)
  }
}

/** seccomp_attr_set: what a foreign architecture gets; no_new_privs is set by a step of its own; a tree instead of a chain. */
const attributes = { badArch: 2, noNewPrivileges: 3, optimize: 8 } as const

function ruleFilter(machine: (typeof machines)['x64' | 'arm64'], profile: Profile): Buffer {
  const api = libseccomp()
  const context = (arch: number): unknown => {
    const made = api.init(returnValue(profile.fallback))
    if (arch !== machine.native) {
      api.addArch(made, arch)
      api.removeArch(made, machine.native)
    }
    api.attribute(made, attributes.noNewPrivileges, 0)
    api.attribute(made, attributes.optimize, 2)
    addRules(made, machine.native, arch === machine.native, profile)
    return made
  }
  const whole = context(machine.native)
  try {
    for (const arch of profile.foreign ? machine.foreign : []) {
      // the merged context is freed with the whole
      const status = api.merge(whole, context(arch)) as number
      if (status !== 0) throw new Failure('internal', `Cannot build the seccomp filter: libseccomp answers ${status}`)
    }
    return exported(whole)
  } finally {
    api.release(whole)
  }
}

/** struct sock_filter, linux/filter.h; jumps are counted from the next instruction. */
function instruction(code: number, k: number, jumpTrue = 0, jumpFalse = 0): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt16LE(code)
  bytes[2] = jumpTrue
  bytes[3] = jumpFalse
  bytes.writeUInt32LE(k >>> 0, 4)
  return bytes
}

const load = (offset: number) => instruction(0x20, offset)
const ifEqual = (k: number, yes: number, no: number) => instruction(0x15, k, yes, no)
const ifGreater = (k: number, yes: number, no: number) => instruction(0x25, k, yes, no)
const answer = (action: Action) => instruction(0x06, returnValue(action))
/** Offsets in struct seccomp_data. */
const field = { number: 0, arch: 4, firstArgument: 16 } as const

/**
 * Two things that no rule can say: numbers after the newest we know answer ENOSYS, so that libc falls back; and i386's
 * socketcall(SYS_SOCKET), whose family lies in memory, is refused, or it would open what `socket` refuses.
 */
function prefix(machine: (typeof machines)['x64' | 'arm64'], profile: Profile): readonly Buffer[] {
  if (profile.unknown === undefined) return []
  const refused: Action = { kind: 'errno', errno: 1 }
  const socketcall = 102
  const makeSocket = 1
  const noCall = 0xffffffff
  return [
    load(field.arch),
    ifEqual(machine.native, 0, 3),
    load(field.number),
    // x32's numbers are among them
    ifGreater(newest, 0, 9),
    answer(profile.unknown),
    // the other architecture
    ifEqual(machine.i386 ?? 0, 0, 7),
    load(field.number),
    ifGreater(newestTranslated, 0, 1),
    answer(profile.unknown),
    ifEqual(profile.refuseSocketcall ? socketcall : noCall, 0, 3),
    load(field.firstArgument),
    ifEqual(makeSocket, 0, 1),
    answer(refused),
  ]
}

const cache = new Map<string, Buffer>()
const cacheSize = 64

/** The BPF of a choice; undefined when unconfined. Made once for each (some milliseconds). */
export function filterFor(spec: SeccompSpec): Buffer | undefined {
  if (spec.kind === 'unconfined') return undefined
  const machine = machines[process.arch as keyof typeof machines]
  if (machine === undefined)
    throw new Failure('unsupported', `Cannot filter system calls on architecture "${process.arch}"`)
  const granted = [...spec.capabilities].sort()
  const key = `${granted.join(' ')}|${spec.kind === 'profile' ? stableHash(spec.profile) : ''}`
  const known = cache.get(key)
  if (known !== undefined) return known
  const [major = 0, minor = 0] = release().split('.').map(Number)
  const profile =
    spec.kind === 'default'
      ? defaultProfile(granted)
      : readProfile(spec.profile, { capabilities: granted, arch: machine.name, kernel: [major, minor] })
  const filter = Buffer.concat([...prefix(machine, profile), ruleFilter(machine, profile)])
  if (cache.size >= cacheSize) cache.delete(cache.keys().next().value!)
  cache.set(key, filter)
  return filter
}
