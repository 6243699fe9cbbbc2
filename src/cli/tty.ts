/** Whether what runs in a container gets a terminal: as asked for, otherwise where there is one at both ends. */
import { Failure } from '../lib/failure.ts'
import type { Screen } from './screen.ts'

export interface AskedTty {
  /** Undefined: nobody said. */
  readonly asked: boolean | undefined
  /** Whether it gets what we are given. */
  readonly interactive: boolean
  readonly detach: boolean
}

/** @throws Failure `invalid` when it is asked for and what we are given is no terminal, in Docker's words. */
export function chooseTty({ stdinIsTTY, stdout }: Pick<Screen, 'stdinIsTTY' | 'stdout'>, asked: AskedTty): boolean {
  if (asked.asked === undefined) return !asked.detach && stdinIsTTY && stdout.isTTY === true
  if (asked.asked && asked.interactive && !asked.detach && !stdinIsTTY)
    throw new Failure('invalid', 'the input device is not a TTY', {
      hint: 'Leave out --tty and --no-tty=false, which ask for a terminal: without them there is one where we have one',
    })
  return asked.asked
}
