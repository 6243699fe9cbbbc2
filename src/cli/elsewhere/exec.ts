/** `exec` on a target that is not the engine. */
import { Failure } from '../../lib/failure.ts'
import type { TargetName } from '../../targets/target.ts'
import type { Call } from '../command.ts'
import { projectName } from '../project.ts'
import { openTarget } from '../targets.ts'
import { join } from '../terminal.ts'
import { chooseTty } from '../tty.ts'
import { refuseOptions } from './refuse-options.ts'

export async function exec(call: Call, name: Exclude<TargetName, 'engine'>): Promise<number> {
  refuseOptions(call, name, ['detach', 'env', 'privileged', 'user', 'workdir'])
  const { options, screen, stdin, signal } = call
  const [service, ...command] = call.args as [string, ...string[]]
  const [project, target] = await Promise.all([projectName(call), openTarget(call, name)])
  if (!target.exec) throw new Failure('unsupported', `The target ${name} runs no commands`)
  const noTty = options['no-tty'] as boolean | undefined
  const tty = chooseTty(screen, { asked: noTty === undefined ? undefined : !noTty, interactive: true, detach: false })
  const index = options['index'] as number | undefined
  const { session, resize, ended } = await target.exec(project, { service, index, command, tty, signal })
  const how = await join({ session, screen, stdin, resize })
  return how === 'detached' ? 0 : await ended()
}
