/** Device rules → a BPF program (BPF_PROG_TYPE_CGROUP_DEVICE) that the kernel asks at every open and mknod on cgroup v2: pure. */
import type { DeviceRule } from '../spec.ts'

/** linux/bpf.h: what bpf_cgroup_dev_ctx says, type and access in one word. */
const types = { b: 1, c: 2 } as const
const accesses = { m: 1, r: 2, w: 4 } as const
const everything = 7
const contextOffset = { access: 0, major: 4, minor: 8 } as const

/** Registers: 0 the answer, 1 the question as the kernel gives it, then what we read of it. */
const register = { answer: 0, context: 1, type: 2, access: 3, major: 4, minor: 5, passing: 6 } as const

/** linux/bpf_common.h and linux/bpf.h: operation, width and where the operand is, in one byte. */
const code = {
  loadWord: 0x61,
  moveRegister: 0xbf,
  moveNumber: 0xb7,
  andNumber: 0x57,
  shiftRight: 0x77,
  jumpUnless: 0x55,
  jumpIf: 0x15,
  exit: 0x95,
} as const

interface Instruction {
  readonly code: number
  readonly to?: number
  readonly from?: number
  /** Of a jump: instructions left out. Of a load: bytes. */
  readonly offset?: number
  readonly number?: number
}

const load = (to: number, offset: number): Instruction => ({ code: code.loadWord, to, from: register.context, offset })
const answer = (allow: boolean): readonly Instruction[] => [
  { code: code.moveNumber, to: register.answer, number: allow ? 1 : 0 },
  { code: code.exit },
]

const questions: readonly Instruction[] = [
  load(register.type, contextOffset.access),
  { code: code.andNumber, to: register.type, number: 0xffff },
  load(register.access, contextOffset.access),
  { code: code.shiftRight, to: register.access, number: 16 },
  load(register.major, contextOffset.major),
  load(register.minor, contextOffset.minor),
]

/** Of "rwm". */
function bits(access: string): number {
  return [...access].reduce((sum, letter) => sum | accesses[letter as keyof typeof accesses], 0)
}

/** Answers when the rule is about what is asked, and goes on behind itself when it is not. */
function ruleInstructions({ allow, type, major, minor, access }: DeviceRule): readonly Instruction[] {
  const end = answer(allow)
  const mask = bits(access)
  // allowed is what asks for nothing more than the rule gives, refused what asks for any of it
  const inquiry: readonly Instruction[] =
    mask === everything
      ? []
      : [
          { code: code.moveRegister, to: register.passing, from: register.access },
          { code: code.andNumber, to: register.passing, number: allow ? everything & ~mask : mask },
        ]
  const tests: readonly (Instruction | undefined)[] = [
    type === 'a' ? undefined : { code: code.jumpUnless, to: register.type, number: types[type] },
    mask === everything ? undefined : { code: allow ? code.jumpUnless : code.jumpIf, to: register.passing, number: 0 },
    major === '*' ? undefined : { code: code.jumpUnless, to: register.major, number: major },
    minor === '*' ? undefined : { code: code.jumpUnless, to: register.minor, number: minor },
  ]
  const jumps = tests.filter(test => test !== undefined)
  const length = inquiry.length + jumps.length + end.length
  return [...inquiry, ...jumps.map((jump, index) => ({ ...jump, offset: length - inquiry.length - index - 1 })), ...end]
}

function encode({ code, to = 0, from = 0, offset = 0, number = 0 }: Instruction): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt8(code, 0)
  bytes.writeUInt8((from << 4) | to, 1)
  bytes.writeInt16LE(offset, 2)
  bytes.writeInt32LE(number, 4)
  return bytes
}

/** The last rule that is about a device decides, and without any it is refused: so they are asked from the last to the first. */
export function deviceFilter(rules: readonly DeviceRule[]): Buffer {
  const instructions = [...questions, ...rules.toReversed().flatMap(ruleInstructions), ...answer(false)]
  return Buffer.concat(instructions.map(encode))
}
