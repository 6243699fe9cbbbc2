/** One apply at a time on a project, also where it is on other machines: as far as it is done from this one. */
import { printable } from '../../lib/text.ts'
import { lockProject } from '../../state/project-lock.ts'
import type { Target } from '../../targets/target.ts'
import { userName } from '../applying.ts'
import type { Call } from '../command.ts'

export async function alone<T>(
  call: Call,
  { command, project, target }: { readonly command: string; readonly project: string; readonly target: Target },
  work: () => Promise<T>,
): Promise<T> {
  if (call.globals['dry-run']) return await work()
  const host = target.place ?? (await call.connect()).host
  await using _ = await lockProject({
    host,
    project,
    holder: {
      pid: process.pid,
      user: userName(call.env),
      command: `tscompose ${command}`,
    },
    onWait: holder =>
      call.screen.say(`Waiting for ${printable(holder?.command ?? 'another apply')} on project ${project} to end`),
    signal: call.signal,
  })
  return await work()
}
