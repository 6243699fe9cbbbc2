/** An apply on a target that is not the engine: one at a time on a project, as far as it is done from this machine, and kept in its history. */
import type { Recorder } from '../../history/recorder.ts'
import { printable } from '../../lib/text.ts'
import type { Project } from '../../model/project.ts'
import type { Target, Wish } from '../../targets/target.ts'
import { historyLengthOf, userName } from '../applying.ts'
import type { Call } from '../command.ts'

export interface Alone {
  readonly command: string
  /** Its name. */
  readonly project: string
  readonly target: Target
  /** What is to be; undefined where nothing is left to be. */
  readonly model?: Project
  readonly wish?: Wish
  /** The apply that is gone back to. */
  readonly to?: number
}

export async function alone<T>(call: Call, of: Alone, work: (recorder: Recorder) => Promise<T>): Promise<T> {
  const { command, project, target, model, wish, to } = of
  const { env, screen, globals } = call
  const isDry = globals['dry-run']
  const [{ Recorder }, { History }, { lockProject }] = await Promise.all([
    import('../../history/recorder.ts'),
    import('../../history/history.ts'),
    import('../../state/project-lock.ts'),
  ])
  const user = userName(env)
  const recorder = new Recorder({
    history: new History(project, { host: target.place, env }),
    length: isDry ? 0 : await historyLengthOf(env),
    command,
    user,
    ...(model && { project: model, folder: model.directory }),
    ...(wish?.services && { services: wish.services }),
    ...(wish?.scale && { scale: wish.scale }),
    ...(to !== undefined && { to }),
    warn: text => screen.warn(printable(text)),
  })
  if (isDry) return await work(recorder)
  await using _ = await lockProject({
    host: target.place,
    project,
    holder: { pid: process.pid, user, command: `tscompose ${command}` },
    onWait: holder =>
      screen.say(`Waiting for ${printable(holder?.command ?? 'another apply')} on project ${project} to end`),
    signal: call.signal,
  })
  return await recorder.during(() => work(recorder))
}
