/** The way back to an earlier apply: what was wanted then, of which images, as what is wanted now. */
import type { Entry } from '../history/entry.ts'
import type { UpOptions } from '../targets/engine/plan/reconcile.ts'
import type { Wanted } from './bring-up.ts'
import type { Call } from './command.ts'
import { entryToGoTo, historyOf } from './history-of.ts'
import { keptProject } from './kept-project.ts'
import { keptOwner } from './owner.ts'

export interface GoingBack {
  readonly wanted: Wanted
  readonly entry: Entry
}

/** @param number undefined: the last before the newest that was carried out whole */
export async function backTo(
  call: Call,
  number: number | undefined,
  more: Pick<UpOptions, 'timeout' | 'wait'>,
): Promise<GoingBack> {
  const [history, client] = await Promise.all([historyOf(call), call.connect()])
  const entry = entryToGoTo(call, history, number)
  const { model, images, services, scale, files, variables } = entry
  const project = await keptProject(call, client, { model, images, files, variables, what: String(entry.number) })
  const accept = await keptOwner(call, { host: client.host, project, verb: 'roll back' })
  const options: UpOptions = {
    ...(services ? { services } : { removeOrphans: true }),
    ...(scale ? { scale } : {}),
    ...more,
    build: 'never',
  }
  return { wanted: { loaded: { project }, client, accept, services, options }, entry }
}
