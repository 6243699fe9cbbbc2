/** A program as text, a line a step with its cause: what `explain` shows and the goldens hold. */
import type { Program } from './program.ts'
import type { ProgramLine } from './runtime.ts'
import type { Step } from './steps.ts'

function value(name: string, argument: unknown): string {
  if (argument instanceof Uint8Array)
    return name === 'filter' ? `${argument.length / 8} instructions` : Buffer.from(argument).toString('hex')
  if (Array.isArray(argument))
    return name === 'env' ? `${argument.length} variables` : argument.map(item => JSON.stringify(item)).join(' ')
  if (typeof argument === 'string') return JSON.stringify(argument)
  return `${name}=${typeof argument === 'number' && /mode|flags|mask/.test(name) ? `0${argument.toString(8)}` : argument}`
}

/** The environment is counted, not shown: it may hold secrets. */
function line(step: Step): string {
  return [step.name, ...Object.entries(step.args).map(([name, argument]) => value(name, argument))].join(' ')
}

/** Host steps, then child steps. */
export function programLines(program: Program): readonly ProgramLine[] {
  return (['host', 'child'] as const).flatMap(phase =>
    program[phase].map(step => ({ phase, text: line(step), cause: step.cause })),
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
