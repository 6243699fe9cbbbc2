/** Stacks brought up, looked at, changed and taken down, ours and theirs in turn. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Said } from '../support/command.ts'

/** One of the two that are compared. */
export interface Side {
  readonly name: string
  /** Runs a compose command in a folder. */
  run(folder: string, ...args: readonly string[]): Promise<Said>
}

export interface Measured {
  readonly what: string
  /** Milliseconds by the name of a side. */
  readonly figures: Readonly<Record<string, readonly number[]>>
}

interface StackOptions {
  readonly sides: readonly Side[]
  readonly folder: string
  readonly rounds: number
}

/** A step of a stack's life: what is done to its file before, and the command. */
interface Step {
  readonly name: string
  readonly args: readonly string[]
  readonly edit?: Edit
}

interface Edit {
  /** The value of a variable of the first service. */
  readonly tag?: number
}

const life: readonly Step[] = [
  { name: 'up', args: ['up', '-d'] },
  { name: 'no-op up', args: ['up', '-d'] },
  { name: 'ps', args: ['ps'] },
  { name: 'change one', args: ['up', '-d'], edit: { tag: 2 } },
  { name: 'scale one to 5', args: ['up', '-d', '--scale', 's0=5'] },
  { name: 'down', args: ['down'] },
]

/** `size` services, through all of their life. */
export async function timeStack(size: number, { sides, folder, rounds }: StackOptions): Promise<readonly Measured[]> {
  const stack = join(folder, `stack${size}`)
  const figures = life.map((): Record<string, number[]> => ({}))
  await inRounds(rounds, sides, async (side, counts) => {
    writeStack(stack, size)
    for (const [i, { args, edit }] of life.entries()) {
      if (edit) writeStack(stack, size, edit)
      const ms = await time(() => side.run(stack, ...args))
      if (counts) (figures[i]![side.name] ??= []).push(ms)
    }
  })
  return life.map(({ name }, i) => ({ what: `${name}(${size})`, figures: figures[i]! }))
}

/** `up` and `down` of `size` services with another number of calls in flight. */
export async function timeParallel(
  size: number,
  { sides, folder, rounds }: StackOptions,
): Promise<readonly Measured[]> {
  const stack = join(folder, `parallel${size}`)
  writeStack(stack, size)
  const flags = [['--parallel', '1'], [], ['--parallel', '999']] as const
  const figures = flags.map((): Record<string, number[]> => ({}))
  for (const [i, flag] of flags.entries())
    await inRounds(rounds, sides, async (side, counts) => {
      const ms = await time(() => side.run(stack, ...flag, 'up', '-d'))
      if (counts) (figures[i]![side.name] ??= []).push(ms)
      expectOk(await side.run(stack, 'down'))
    })
  return flags.map((flag, i) => ({ what: `up(${size}) ${flag.join(' ') || 'default'}`, figures: figures[i]! }))
}

/** The first round warms all sides up, and does not count. */
async function inRounds(
  rounds: number,
  sides: readonly Side[],
  work: (side: Side, counts: boolean) => Promise<void>,
): Promise<void> {
  for (let round = -1; round < rounds; round++) for (const side of sides) await work(side, round >= 0)
}

/** `size` services that sleep and end at once when asked to, so that no stop grace is measured. */
export function writeStack(path: string, size: number, { tag = 1 }: Edit = {}): void {
  const services = Array.from(
    { length: size },
    (_, i) =>
      `  s${i}:\n    image: busybox\n    command: sleep infinity\n    stop_signal: SIGKILL\n${i === 0 ? `    environment: {TAG: "${tag}"}\n` : ''}`,
  )
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, 'compose.yaml'), `name: bench${size}\nservices:\n${services.join('')}`)
}

export async function time(run: () => Promise<Said>): Promise<number> {
  const start = performance.now()
  expectOk(await run())
  return performance.now() - start
}

export function expectOk(said: Said): Said {
  if (said.code !== 0) throw new Error(`exit code ${said.code}\n${said.stdout}${said.stderr}`)
  return said
}
