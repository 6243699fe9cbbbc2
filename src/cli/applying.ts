/** An apply by a person: one at a time on a project, and kept in its history. */
import { userInfo } from 'node:os'
import type { Client } from '../client/client.ts'
import type { Recorder } from '../history/recorder.ts'
import { errnoOf } from '../lib/failure.ts'
import { printable } from '../lib/text.ts'
import type { Project } from '../model/project.ts'
import type { Holder } from '../state/seat.ts'
import type { Call } from './command.ts'
import { usage } from './options.ts'

export interface Apply {
  readonly client: Client
  /** up, down and so on: what the history says it was. */
  readonly command: string
  readonly name: string
  /** What is to be; undefined where nothing is left to be. */
  readonly project?: Project | undefined
  readonly services?: readonly string[] | undefined
  readonly scale?: Readonly<Record<string, number>> | undefined
  /** The apply that is gone back to. */
  readonly to?: number | undefined
}

/** Does `work` when nobody else applies to the project; it tells the recorder of each plan it carries out. */
export async function applying<T>(call: Call, apply: Apply, work: (recorder: Recorder) => Promise<T>): Promise<T> {
  const [{ Recorder }, { History }] = await Promise.all([
    import('../history/recorder.ts'),
    import('../history/history.ts'),
  ])
  const { client, command, name, project, services, scale, to } = apply
  const { env, screen, globals } = call
  const user = userName(env)
  const isDry = globals['dry-run']
  const recorder = new Recorder({
    history: new History(name, { host: client.host, env }),
    length: isDry ? 0 : await historyLengthOf(env),
    command,
    user,
    ...(project && { project, folder: project.directory }),
    ...(services && { services }),
    ...(scale && { scale }),
    ...(to !== undefined && { to }),
    warn: text => screen.warn(printable(text)),
  })
  if (isDry) return await work(recorder)
  await using _ = await lock(call, { client, command, name })
  await goOnAfter(call, { client, name })
  return await recorder.during(() => work(recorder))
}

async function lock(call: Call, { client, command, name }: Pick<Apply, 'client' | 'command' | 'name'>) {
  const { lockProject } = await import('../state/project-lock.ts')
  return await lockProject({
    host: client.host,
    project: name,
    holder: { pid: process.pid, user: userName(call.env), command: `tscompose ${command}` },
    onWait: holder => call.screen.say(waitingFor(name, holder)),
    signal: call.signal,
  })
}

/** For commands that let several at a project: what a snapshot has left standing still goes on before they look. */
export async function letGoOn(call: Call, of: Pick<Apply, 'client' | 'name'>): Promise<void> {
  const { Standing } = await import('../history/standing.ts')
  if (call.globals['dry-run'] || !new Standing(of.name, { host: of.client.host, env: call.env }).read()) return
  await using _ = await lock(call, { ...of, command: 'let go on' })
  await goOnAfter(call, of)
}

async function goOnAfter({ env, screen }: Call, { client, name }: Pick<Apply, 'client' | 'name'>): Promise<void> {
  const [{ Snapshots }, { goOn }] = await Promise.all([
    import('../history/snapshots.ts'),
    import('../history/standing.ts'),
  ])
  const snapshots = new Snapshots(name, { host: client.host, env })
  const { standing } = snapshots
  const tell = (text: string) => screen.warn(printable(text))
  await goOn({ client, standing, has: snapshot => snapshots.has(snapshot), tell })
}

function waitingFor(project: string, holder: Holder | undefined): string {
  const who = holder
    ? `${printable(holder.command)} of ${printable(holder.user)} (process ${holder.pid})`
    : 'another apply'
  return `Waiting for ${who} on project ${project} to end`
}

/** The person behind sudo, where there is one. */
export function userName(env: Readonly<Record<string, string | undefined>>): string {
  if (env['SUDO_USER']) return env['SUDO_USER']
  try {
    return userInfo().username
  } catch (error) {
    // a uid without an entry in the list of users
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ERR_SYSTEM_ERROR') return String(process.getuid?.() ?? '')
    throw error
  }
}

/** How many applies are kept. @throws Failure invalid for what is no number */
export async function historyLengthOf(env: Readonly<Record<string, string | undefined>>): Promise<number> {
  const { historyLength } = await import('../history/length.ts')
  const found = historyLength(env)
  if (found !== undefined) return found
  throw usage(
    `TSCOMPOSE_HISTORY is "${env['TSCOMPOSE_HISTORY']}": it should be how many applies are kept, from 0 to 9999`,
  )
}
