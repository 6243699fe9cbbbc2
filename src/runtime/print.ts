/** A program as text, a line a step with its cause: what `explain` shows and the goldens hold. */
import { nameOfArgument } from './flag-names.ts'
import type { Program } from './program.ts'
import type { ProgramArgument, ProgramLine } from './runtime.ts'
import type { Step } from './steps.ts'

/** An argument as it is told: the environment is counted and not shown, since it may hold secrets. */
function shown(step: string, name: string, argument: unknown): ProgramArgument {
  if (argument instanceof Uint8Array)
    return name === 'filter' ? `${argument.length / 8} instructions` : Buffer.from(argument).toString('hex')
  if (Array.isArray(argument)) return name === 'env' ? `${argument.length} variables` : argument.map(String)
  if (typeof argument === 'number') return nameOfArgument(step, name, argument) ?? argument
  return String(argument)
}

function argumentsOf({ name, args }: Step): readonly (readonly [name: string, value: ProgramArgument])[] {
  return Object.entries(args).map(([argument, value]) => [argument, shown(name, argument, value)])
}

function line(step: Step): string {
  const texts = argumentsOf(step).map(([name, value]) => {
    const given = (step.args as Readonly<Record<string, unknown>>)[name]
    if (typeof value !== 'string')
      return typeof value === 'number' ? numberText(name, value) : value.map(quoted).join(' ')
    return typeof given === 'string' ? quoted(value) : typeof given === 'number' ? `${name}=${value}` : value
  })
  return [step.name, ...texts].join(' ')
}

function numberText(name: string, value: number): string {
  return `${name}=${/mode|flags|mask/.test(name) ? `0${value.toString(8)}` : value}`
}

function quoted(text: string): string {
  return JSON.stringify(text)
}

/** Host steps, then child steps. */
export function programLines(program: Program): readonly ProgramLine[] {
  return (['host', 'child'] as const).flatMap(phase =>
    program[phase].map(step => ({
      phase,
      text: line(step),
      cause: step.cause,
      name: step.name,
      args: Object.fromEntries(argumentsOf(step)),
    })),
  )
}

/** ` 1 host  cgroup "…"   # HostConfig.Memory` */
export function printProgram(program: Program): string {
  const lines = programLines(program)
  const width = String(lines.length).length
  return lines
    .map(
      ({ phase, text, cause }, index) =>
        `${String(index + 1).padStart(width)} ${phase.padEnd(5)} ${text}   # ${cause}\n`,
    )
    .join('')
}
