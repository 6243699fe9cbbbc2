/** All that usual commands need, loaded and run once before the first of them comes. */
import { commands } from '../cli/commands.ts'
import { Interrupts } from '../cli/interrupts.ts'
import { main } from '../cli/main.ts'

/** `stack`: a file to read by way of trial. */
export async function load(stack: string): Promise<void> {
  await Promise.all(commands.map(command => command.load()))
  await Promise.all([
    import('../cli/connect.ts'),
    import('../cli/bring-up.ts'),
    import('../cli/apply-plan.ts'),
    import('../cli/failures.ts'),
    import('../cli/progress/plain.ts'),
    import('../cli/progress/tasks.ts'),
    import('../plan/print.ts'),
    import('../targets/engine/converge.ts'),
  ])
  const sink = { write: () => true, isTTY: false }
  const world = {
    stdout: sink,
    stderr: sink,
    stdinIsTTY: false,
    stdin: undefined as never,
    env: {},
    cwd: '/',
    interrupts: new Interrupts(),
  }
  for (let i = 0; i < 3; i++) await main(['--file', stack, 'config', '--quiet'], world)
}
