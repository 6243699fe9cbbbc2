/** What the keeper applies to a stack: when nobody else does, and kept in the stack's history. */
import type { Client } from '../client/client.ts'
import { History, usualLength } from '../history/history.ts'
import { historyLength } from '../history/length.ts'
import { Recorder } from '../history/recorder.ts'
import type { Project } from '../model/project.ts'
import { lockProject } from '../state/project-lock.ts'

export interface Applying {
  readonly client: Client
  readonly project: Project
  /** What the history says it was. */
  readonly command: string
  /** Those that it is about; undefined for all. */
  readonly services?: readonly string[] | undefined
  /** What is kept of the project. */
  readonly folder: string
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

/** Does `work`, which tells the recorder of each plan it carries out; waits for whoever applies to the stack. */
export async function applying<T>(apply: Applying, work: (recorder: Recorder) => Promise<T>): Promise<T> {
  const { client, project, command, services, folder, signal, say } = apply
  const { name } = project
  await using _ = await lockProject({
    host: client.host,
    project: name,
    holder: { pid: process.pid, user: 'keeper', command },
    // its end is waited for by an event, however long it takes
    onWait: () => undefined,
    signal,
  })
  const recorder = new Recorder({
    history: new History(name, { folder }),
    length: historyLength(process.env) ?? usualLength,
    command,
    user: 'keeper',
    ...(services && { services }),
    project,
    folder: project.directory,
    warn: text => say(`${name}: ${text}`),
  })
  return await recorder.during(() => work(recorder))
}
