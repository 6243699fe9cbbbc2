/** `exec` on a target that is not the engine. */
import { Failure } from '../../lib/failure.ts'
import type { TargetName } from '../../targets/target.ts'
import type { Call } from '../command.ts'
import { projectName } from '../project.ts'
import { openTarget } from '../targets.ts'
import { join } from '../terminal.ts'
import { refuseOptions } from './refuse-options.ts'

export async function exec(call: Call, name: Exclude<TargetName, 'engine'>): Promise<number> {
  refuseOptions(call, name, ['detach', 'env', 'privileged', 'user', 'workdir'])
  const { options, screen, stdin, signal } = call
  const [service, ...command] = call.args as [string, ...string[]]
  const [project, target] = await Promise.all([projectName(call), openTarget(call, name)])
  if (!target.exec) throw new Failure('unsupported', `The target ${name} runs no commands`)
  const tty = !options['no-tty'] && screen.stdinIsTTY && screen.stdout.isTTY === true
  const index = options['index'] as number | undefined
  const { session, resize, ended } = await target.exec(project, { service, index, command, tty, signal })
  const how = await join({ session, screen, stdin, resize })
  return how === 'detached' ? 0 : await ended
}
