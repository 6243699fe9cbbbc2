/** Brings a held stack back to what was asked for: when nobody else works on it, kept in its history, told to whoever listens. */
import type { HoldEvent } from '../api/keeper.ts'
import { run } from '../apply/run.ts'
import type { Client } from '../client/client.ts'
import type { Drift } from '../drift/drift.ts'
import { ownDoing, type Repair, type Repaired, repair } from '../drift/repair.ts'
import { finishing, repairing } from '../history/entry.ts'
import { History } from '../history/history.ts'
import type { Recorder } from '../history/recorder.ts'
import { messageOf } from '../lib/failure.ts'
import type { Project } from '../model/project.ts'
import { printPlan } from '../plan/print.ts'
import { look } from '../targets/engine/converge.ts'
import type { EnginePlan } from '../targets/engine/engine-plan.ts'
import type { Observed } from '../targets/engine/observed.ts'
import { applying } from './applying.ts'
import { keeperPerformer } from './performer.ts'
import type { HoldRecord } from './records.ts'
import { unfinished } from './unfinished.ts'

export interface Act extends Pick<Repair, 'attempt' | 'signal'> {
  readonly client: Client
  readonly project: Project
  readonly drift: Drift
  readonly record: HoldRecord
  /** What is kept of the project. */
  readonly folder: string
  say(line: string): void
  tell(event: HoldEvent): void
}

const cutOff = 'an apply was cut off before it was done: it is gone on with'

/** @throws Failure of what failed */
export async function act(input: Act): Promise<Repaired> {
  const { client, project, drift, record, attempt, signal, say, tell } = input
  const read = attempt?.read
  const { services, scale } = record
  const rest = read ? undefined : unfinished(record, input.folder)
  const command = read ? 'watch' : rest ? finishing : repairing
  let told = false
  const repaired = await applying({ ...input, command, services: rest?.services }, recorder =>
    repair({
      ...{ client, project, drift, signal, attempt, unfinished: rest },
      options: { services, scale: { ...scale } },
      seen: record.seen,
      files: record.files,
      watched: record.watch !== undefined,
      told: causes => {
        const text = causes.join(', ')
        say(`${project.name}: ${text}`)
        tell({ kind: 'note', time: new Date().toISOString(), text })
      },
      hookFailed: error => {
        say(`${project.name}: ${messageOf(error)}`)
        tell({ kind: 'failed', time: new Date().toISOString(), message: messageOf(error), again: undefined })
      },
      carryOut: async (plan, observed) => {
        if (rest && !told) say(`${project.name}: ${cutOff}`)
        told = true
        await carryOut(plan, { ...input, recorder, observed })
      },
    }),
  )
  if (rest && !repaired.changed) new History(project.name, { folder: input.folder }).settle(Date.now())
  return repaired
}

/** Applies what develop.watch leads to: builds, restarts. @throws Failure of what failed */
export async function apply(plan: EnginePlan, input: Act): Promise<void> {
  await applying({ ...input, command: 'watch' }, recorder =>
    carryOut(plan, { ...input, recorder, observed: undefined }),
  )
}

/** Asks registries for what may have become another one: nothing of the stack changes by that alone, and its history has no word of it. */
export async function pull(plan: EnginePlan, { client, signal }: Pick<Act, 'client' | 'signal'>): Promise<void> {
  await run(plan, keeperPerformer(client), { signal })
}

interface Carried extends Act {
  readonly recorder: Recorder
  readonly observed: Observed | undefined
}

async function carryOut(plan: EnginePlan, input: Carried): Promise<void> {
  const { client, project, signal, recorder, drift, observed, say, tell } = input
  // what the history must know of images and files, where the plan was made without
  recorder.plan(plan, observed ?? (await look({ client, project, signal })))
  const begin = Date.now()
  const text = printPlan(plan).trimEnd()
  tell({ kind: 'plan', time: new Date(begin).toISOString(), text })
  for (const line of text.split('\n')) say(`${project.name}: ${line}`)
  await run(plan, keeperPerformer(client), { signal, onEvent: ownDoing(drift) })
  tell({ kind: 'done', time: new Date().toISOString(), milliseconds: Date.now() - begin })
}
