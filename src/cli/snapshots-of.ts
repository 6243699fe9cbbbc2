/** The snapshots of the project that a command is about, and the taking of one. */
import type { Client } from '../client/client.ts'
import { History } from '../history/history.ts'
import { type NewSnapshot, Snapshots } from '../history/snapshots.ts'
import { type Meanwhile, takeSnapshot } from '../history/take-snapshot.ts'
import { printable } from '../lib/text.ts'
import type { Project } from '../model/project.ts'
import type { Observed } from '../targets/engine/observed.ts'
import { userName } from './applying.ts'
import type { Call } from './command.ts'
import { projectName } from './project.ts'

export interface SnapshotsOf {
  readonly name: string
  readonly client: Client
  readonly snapshots: Snapshots
}

export async function snapshotsOf(call: Call): Promise<SnapshotsOf> {
  const [name, client] = await Promise.all([projectName(call), call.connect()])
  return { name, client, snapshots: new Snapshots(name, { host: client.host, env: call.env }) }
}

export interface ToTake {
  readonly client: Client
  readonly project: Project
  readonly observed: Observed
  /** Undefined: by the time. */
  readonly name: string | undefined
  readonly cause: string
  readonly meanwhile: Meanwhile
}

export async function take(call: Call, taking: ToTake): Promise<NewSnapshot> {
  const { screen, env } = call
  const of = { host: taking.client.host, env }
  const { entries } = new History(taking.project.name, of).read()
  const snapshot = await takeSnapshot({
    ...taking,
    name: taking.name ?? timeName(new Date()),
    snapshots: new Snapshots(taking.project.name, of),
    entries,
    user: userName(env),
    signal: call.signal,
    tell: text => screen.say(printable(text)),
  })
  screen.say(`Snapshot ${snapshot.name}: ${snapshot.volumes.map(each => each.volume).join(', ') || 'no volumes'}`)
  return snapshot
}

/** "20261128-231002", in UTC. */
function timeName(at: Date): string {
  return at.toISOString().slice(0, 19).replaceAll('-', '').replaceAll(':', '').replace('T', '-')
}
