/** Docker's JSON form of a seccomp profile → rules for this container on this machine. */
import { Failure } from '../../lib/failure.ts'

export type Action =
  | { readonly kind: 'allow' | 'log' | 'trap' | 'kill-thread' | 'kill-process' }
  | { readonly kind: 'errno' | 'trace'; readonly errno: number }

export type Operator = 'not-equal' | 'less' | 'less-equal' | 'equal' | 'greater-equal' | 'greater' | 'masked-equal'

/** `masked-equal`: argument & value == other. */
export interface Compare {
  readonly index: number
  readonly op: Operator
  readonly value: bigint
  readonly other: bigint
}

export interface Rule {
  readonly names: readonly string[]
  readonly action: Action
  /** All must hold. */
  readonly compares: readonly Compare[]
}

export interface Profile {
  /** For calls without a rule. */
  readonly fallback: Action
  readonly rules: readonly Rule[]
  /** Whether the 32-bit forms of this machine's calls are filtered alike (else they end the process). */
  readonly foreign: boolean
  /** For numbers newer than any we know: libc must be able to fall back. */
  readonly unknown: Action | undefined
  /** Whether i386's socketcall(SYS_SOCKET) is refused: the family lies in memory, so it would open what `socket` refuses. */
  readonly refuseSocketcall: boolean
}

const operators: Readonly<Record<string, Operator>> = {
  SCMP_CMP_NE: 'not-equal',
  SCMP_CMP_LT: 'less',
  SCMP_CMP_LE: 'less-equal',
  SCMP_CMP_EQ: 'equal',
  SCMP_CMP_GE: 'greater-equal',
  SCMP_CMP_GT: 'greater',
  SCMP_CMP_MASKED_EQ: 'masked-equal',
}

type Json = Readonly<Record<string, unknown>>

function refuse(what: string): never {
  throw new Failure('invalid', `Cannot use seccomp profile: ${what}`)
}

function object(value: unknown, what: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(`${what} is not an object`)
  return value as Json
}

function strings(value: unknown, what: string): readonly string[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value) || !value.every(item => typeof item === 'string')) refuse(`${what} is not a list of names`)
  return value
}

function action(name: unknown, errno: unknown): Action {
  const number = typeof errno === 'number' && errno >= 0 && errno <= 4095 ? errno : 1
  switch (name) {
    case 'SCMP_ACT_ALLOW':
      return { kind: 'allow' }
    case 'SCMP_ACT_LOG':
      return { kind: 'log' }
    case 'SCMP_ACT_TRAP':
      return { kind: 'trap' }
    case 'SCMP_ACT_KILL':
    case 'SCMP_ACT_KILL_THREAD':
      return { kind: 'kill-thread' }
    case 'SCMP_ACT_KILL_PROCESS':
      return { kind: 'kill-process' }
    case 'SCMP_ACT_ERRNO':
      return { kind: 'errno', errno: number }
    case 'SCMP_ACT_TRACE':
      return { kind: 'trace', errno: number }
    default:
      return refuse(`action "${String(name)}" is not supported`)
  }
}

function compare(value: unknown): Compare {
  const { index, value: first, valueTwo, op } = object(value, 'an argument')
  const operator = operators[String(op)]
  if (operator === undefined) refuse(`operator "${String(op)}" is not known`)
  if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index > 5)
    refuse('an argument index is not 0 to 5')
  const number = (n: unknown) =>
    typeof n === 'number' && Number.isInteger(n) && n >= 0
      ? BigInt(n)
      : n === undefined
        ? 0n
        : refuse('an argument value is not a whole number')
  return { index, op: operator, value: number(first), other: number(valueTwo) }
}

/** What `includes` and `excludes` are asked about. */
export interface ProfileContext {
  /** Names without CAP_. */
  readonly capabilities: readonly string[]
  /** amd64, arm64. */
  readonly arch: string
  /** [6, 18] */
  readonly kernel: readonly [major: number, minor: number]
}

function holds(rule: Json, context: ProfileContext): boolean {
  const includes = object(rule['includes'] ?? {}, 'includes')
  const excludes = object(rule['excludes'] ?? {}, 'excludes')
  const has = (cap: string) => context.capabilities.includes(cap.replace(/^CAP_/, ''))
  const atLeast = (version: unknown) => {
    if (version === undefined) return true
    const [major = 0, minor = 0] = String(version).split('.').map(Number)
    return context.kernel[0] > major || (context.kernel[0] === major && context.kernel[1] >= minor)
  }
  const arches = strings(includes['arches'], 'arches')
  if (arches.length > 0 && !arches.includes(context.arch)) return false
  if (strings(excludes['arches'], 'arches').includes(context.arch)) return false
  if (!strings(includes['caps'], 'caps').every(has) || strings(excludes['caps'], 'caps').some(has)) return false
  if (excludes['minKernel'] !== undefined && atLeast(excludes['minKernel'])) return false
  return atLeast(includes['minKernel'])
}

/** @throws Failure `invalid` for anything that is not understood: a filter is never half a filter. */
export function readProfile(value: unknown, context: ProfileContext): Profile {
  const profile = object(value, 'it')
  const known = ['defaultAction', 'defaultErrnoRet', 'architectures', 'archMap', 'syscalls', 'flags']
  const other = Object.keys(profile).find(key => !known.includes(key))
  if (other !== undefined) refuse(`"${other}" is not supported`)
  const syscalls = profile['syscalls'] ?? []
  if (!Array.isArray(syscalls)) refuse('syscalls is not a list')
  const rules = syscalls
    .map(item => object(item, 'a rule'))
    .filter(rule => holds(rule, context))
    .map(rule => ({
      names: typeof rule['name'] === 'string' ? [rule['name']] : strings(rule['names'], 'names'),
      action: action(rule['action'], rule['errnoRet']),
      compares: ((rule['args'] ?? []) as readonly unknown[]).map(compare),
    }))
  const fallback = action(profile['defaultAction'], profile['defaultErrnoRet'])
  const unknown: Action | undefined = fallback.kind === 'errno' ? { kind: 'errno', errno: 38 } : undefined
  return {
    fallback,
    rules,
    refuseSocketcall: false,
    foreign: profile['archMap'] !== undefined || strings(profile['architectures'], 'architectures').length > 1,
    unknown,
  }
}
