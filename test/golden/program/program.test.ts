/**
 * What a monitor is told, as `explain` prints it: a file beside this one for each container of `specs.ts`, for commands in one, and for
 * changes to the host; and what is said when a step of them fails. Rewritten by `npm run golden`.
 */
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { capabilityNames } from '../../../src/lib/capabilities.ts'
import { isFailure } from '../../../src/lib/failure.ts'
import { compile } from '../../../src/runtime/compile.ts'
import { compileExec } from '../../../src/runtime/exec.ts'
import { stepFailure } from '../../../src/runtime/failure.ts'
import { compileHost } from '../../../src/runtime/operations.ts'
import { printProgram } from '../../../src/runtime/print.ts'
import type { Program } from '../../../src/runtime/program.ts'
import { defaultProfile } from '../../../src/runtime/seccomp/default-profile.ts'
import type { Step } from '../../../src/runtime/steps.ts'
import { containers, execs, ofHost, onV1, onV2, operations, refused } from './specs.ts'

const filter = Buffer.alloc(16)

function programOf(name: string): Program {
  const { spec, facts } = containers[name]!
  return compile(spec, {
    facts,
    filter: spec.process.seccomp.kind === 'unconfined' ? undefined : filter,
    devices: ofHost,
  })
}

function hold(t: TestContext, text: string, name: string): void {
  t.assert.fileSnapshot(text, join(import.meta.dirname, `${name}.txt`), { serializers: [value => value] })
}

for (const name of Object.keys(containers))
  test(`the program of ${name}`, t => hold(t, printProgram(programOf(name)), name))

for (const [name, { spec, facts }] of Object.entries(execs))
  test(`the program of ${name}`, t => hold(t, printProgram(compileExec(spec, facts, filter)), name))

test('the system calls that a container may make, and those that each capability opens', t => {
  const always = callsOf([])
  const opened = capabilityNames.map(name => [name, callsOf([name]).filter(call => !always.includes(call))] as const)
  const told = [['always', always] as const, ...opened].map(
    ([name, calls]) => `${name}\n${calls.map(each => `  ${each}\n`).join('')}`,
  )
  hold(t, told.join(''), 'calls')
})

/** Each with the condition under which it is allowed, or the answer it has instead. */
function callsOf(capabilities: readonly string[]): readonly string[] {
  return defaultProfile(capabilities).rules.flatMap(({ names, action, compares }) => {
    const answer = action.kind === 'allow' ? [] : [Object.values(action).join(' ')]
    const conditions = compares.map(({ index, op, value, other }) => `argument ${index} ${op} ${value} ${other}`)
    return names.map(name => [name, ...conditions, ...answer].join(', '))
  })
}

test('what no program can be made of is refused in words', t => {
  const told = Object.entries(refused).map(([name, { spec, facts }]) => {
    try {
      compile(spec, { facts, filter, devices: [] })
      return `${name}\n  accepted\n`
    } catch (error) {
      if (!isFailure(error)) throw error
      return `${name}\n  ${error.kind} ${error.message}${error.hint === undefined ? '' : ` | ${error.hint}`}\n`
    }
  })
  hold(t, told.join(''), 'refused')
})

test('the programs of changes to the host', t => {
  const told = operations.map(operation => {
    const program = compileHost({ kind: 'host', operations: [operation] }, onV1.cgroup)
    return `${operation.kind}\n${printProgram(program)}`
  })
  hold(t, told.join('\n'), 'host')
})

test('what a step has made is taken back when a later one fails', t => {
  const undone = [...everyStep()].flatMap(([, { step }]) =>
    step.undo === undefined ? [] : [`${step.name}\n${printProgram({ host: [step.undo], child: [] })}`],
  )
  hold(t, undone.join(''), 'undone')
})

/** E2BIG, ENOEXEC, EACCES, EXDEV, ENOTDIR, EISDIR: what these have words of their own for. */
const further: Readonly<Record<string, readonly number[]>> = {
  exec: [7, 8, 13, 20, 21],
  folder: [20],
  'map-ids': [1],
  'tree-beneath': [18],
}

test('a step that fails is told by what it was about, and by who asked for it', t => {
  const told = [...everyStep()].map(([key, { step, program, index }]) => {
    const [noSuch, exists, invalid] = [2, 17, 22]
    const sentences = [noSuch, exists, invalid, ...(further[step.name] ?? [])].map(each =>
      sentence(program, index, each),
    )
    return `${key}\n${sentences.join('')}`
  })
  hold(t, told.join(''), 'failures')
})

/** The first one of each kind, and of those that write or make a folder, of each cause. */
function everyStep() {
  const programs = [
    ...Object.keys(containers).map(programOf),
    ...Object.values(execs).map(({ spec, facts }) => compileExec(spec, facts, filter)),
    compileHost({ kind: 'host', operations }, onV2.cgroup),
  ]
  const found = new Map<string, { readonly step: Step; readonly program: Program; readonly index: number }>()
  for (const program of programs)
    for (const [index, step] of [...program.host, ...program.child].entries()) {
      const key = step.name === 'write' || step.name === 'folder' ? `${step.name} ${step.cause}` : step.name
      if (!found.has(key)) found.set(key, { step, program, index })
    }
  return found
}

function sentence(program: Program, index: number, errno: number): string {
  const { kind, message, hint, exitCode } = stepFailure(program, index, errno)
  return `  ${kind} ${message}${hint === undefined ? '' : ` | ${hint}`}${exitCode === undefined ? '' : ` | ${exitCode}`}\n`
}
