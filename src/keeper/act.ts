/** Brings a held stack back to what was asked for, by the road of `up`; nothing is removed that cannot be made again. */

import { containerEndpoints } from '../api/containers.ts'
import type { HoldEvent } from '../api/keeper.ts'
import type { ApplyEvent } from '../apply/events.ts'
import { run } from '../apply/run.ts'
import type { Client } from '../client/client.ts'
import { repairing } from '../history/entry.ts'
import type { Recorder } from '../history/recorder.ts'
import { Failure, isFailure, messageOf } from '../lib/failure.ts'
import type { Project } from '../model/project.ts'
import { printPlan } from '../plan/print.ts'
import { converge, look } from '../targets/engine/converge.ts'
import { EnginePlan } from '../targets/engine/engine-plan.ts'
import { observe } from '../targets/engine/observe.ts'
import type { Observed, ObservedContainer } from '../targets/engine/observed.ts'
import { on, planStopping } from '../targets/engine/plan/ending.ts'
import { planHooks } from '../targets/engine/plan/hooks.ts'
import { applying } from './applying.ts'
import { keeperPerformer } from './performer.ts'
import type { Accepted, HoldRecord } from './records.ts'
import {
  followers,
  isAbandoned,
  isThere,
  type LeaveInput,
  lateFollowers,
  leaves,
  type Started,
  wantedScale,
} from './repair.ts'
import type { Diagnosis } from './unhealthy.ts'

export interface Repair extends Pick<LeaveInput, 'phase' | 'killed' | 'project'> {
  /** Service → when it was well again. */
  readonly recovered: ReadonlyMap<string, number>
  /** What is to be done for those that are unhealthy. */
  diagnose(containers: readonly ObservedContainer[]): Pick<Diagnosis, 'restart' | 'stop'>
  readonly client: Client
  readonly record: HoldRecord
  /** What is kept of the project. */
  readonly folder: string
  /** Its files have been read since; `left`: a service has gone from them. */
  readonly read: { readonly left: boolean } | undefined
  /** What a person has changed of it by now. */
  accepted(): Accepted
  /** Names of containers that others have started. */
  readonly hooksDue: ReadonlySet<string>
  readonly signal: AbortSignal
  /** Told what is there, first of all. */
  seen(containers: readonly ObservedContainer[]): void
  /** From now until the result is called, what happens to this container is our own doing. */
  own(name: string): () => void
  say(line: string): void
  tell(event: HoldEvent): void
}

export interface Repaired {
  /** What the files behind configs and secrets are now, by sha256. */
  readonly files: Readonly<Record<string, string>>
  /** Something was done. */
  readonly changed: boolean
  /** Nobody wants it any more. */
  readonly abandoned: boolean
}

interface Alone extends Repair {
  readonly recorder: Recorder
}

/** @throws Failure of what failed */
export function repair(input: Repair): Promise<Repaired> {
  return applying({ ...input, command: input.read ? 'watch' : repairing }, recorder =>
    repairAlone({ ...input, recorder }),
  )
}

async function repairAlone(input: Alone): Promise<Repaired> {
  const { client, project, record, signal } = input
  const there = ({ containers }: Pick<Observed, 'containers'>) => containers.filter(each => isThere(record, each))
  const containers = there(await observe(client, project.name, { signal, containersOnly: true }))
  input.seen(containers)
  if (isAbandoned({ project, record, containers })) return { files: {}, changed: false, abandoned: true }
  const ill = input.diagnose(containers)
  const accepted = input.accepted()
  let changed = await carryOut(stopsOf(project, ill.stop), input)
  await runHooks(input, containers)
  const restarts = new Map([...(await restartsOf(input, containers)), ...ill.restart])
  let files: Readonly<Record<string, string>> = {}
  await converge({
    client,
    project,
    signal,
    options: {
      services: record.services,
      scale: wantedScale({ project, record, accepted, containers }),
      ...(input.read?.left ? { removeOrphans: true } : { quietOrphans: true }),
      holding: {
        leaves: container => leaves({ ...input, accepted }, container),
        restarts: ({ id }) => restarts.get(id),
        images: record.watch !== undefined,
      },
    },
    see: observed => {
      files = Object.fromEntries(observed.files)
      return { ...observed, containers: there(observed), files: asAskedFor(observed, record) }
    },
    carryOut: async (plan, observed) => {
      changed = (await carryOut(plan, input, observed)) || changed
    },
  })
  return { files, changed, abandoned: false }
}

function stopsOf(project: Project, containers: readonly ObservedContainer[]): EnginePlan {
  const plan = new EnginePlan()
  const cause = 'it is unhealthy'
  for (const container of containers)
    planStopping(plan, container, { cause, service: project.services[container.service], timeout: undefined })
  return plan
}

/** A file that has been changed since is no reason to make anew what runs; one that has gone is told of. */
function asAskedFor({ files }: Observed, record: HoldRecord): Observed['files'] {
  return new Map([...files].map(([path, hash]) => [path, record.files?.[path] ?? hash]))
}

/** What an engine starts again by its policy has run without its post_start. */
async function runHooks(input: Alone, containers: readonly ObservedContainer[]): Promise<void> {
  const { project, hooksDue } = input
  const plan = new EnginePlan()
  for (const container of containers) {
    const service = project.services[container.service]
    if (!hooksDue.has(container.name) || container.oneOff || container.state !== 'running' || !service) continue
    planHooks(plan, 'post_start', { service, on: on(container), after: [] })
  }
  try {
    await carryOut(plan, input)
  } catch (error) {
    // it runs, and is no better after another attempt; whoever looks is told
    if (input.signal.aborted) throw error
    input.say(`${project.name}: ${messageOf(error)}`)
    input.tell({ kind: 'failed', time: new Date().toISOString(), message: messageOf(error), again: undefined })
  }
}

async function restartsOf(
  { client, project, record, recovered, signal }: Repair,
  containers: readonly ObservedContainer[],
): Promise<ReadonlyMap<string, string>> {
  const involved = new Set(followers(project).flatMap(({ service, needed }) => [service, needed]))
  const asked = containers.filter(each => involved.has(each.service) && !each.oneOff && each.state === 'running')
  const started = await Promise.all(
    asked.map(async (container): Promise<readonly Started[]> => {
      try {
        const { State } = await client.call(
          containerEndpoints.containerInspect,
          { params: { id: container.id } },
          { signal },
        )
        return [{ container, startedAt: Date.parse(State.StartedAt) }]
      } catch (error) {
        // it has gone in the meantime, which an event tells
        if (isFailure(error, 'not-found')) return []
        throw error
      }
    }),
  )
  return lateFollowers(project, started.flat(), { seen: record.seen, recovered })
}

/** False when there was nothing to do. */
async function carryOut(plan: EnginePlan, input: Alone, seen?: Observed): Promise<boolean> {
  const { client, project, signal, recorder, own, say, tell } = input
  // to wait for something is no change
  if (plan.nodes.every(({ operation }) => operation.kind === 'wait-container')) return false
  const [lost] = plan.destructive()
  if (lost)
    throw new Failure(
      'conflict',
      `Cannot repair "${project.name}": volume "${lost.operation.name}" would be made anew`,
      {
        hint: 'Run "tscompose up", which asks',
      },
    )
  // what the history must know of images and files, where the plan was made without
  recorder.plan(plan, seen ?? (await look({ client, project, signal })))
  const begin = Date.now()
  const text = printPlan(plan).trimEnd()
  tell({ kind: 'plan', time: new Date(begin).toISOString(), text })
  for (const line of text.split('\n')) say(`${project.name}: ${line}`)
  const owned = new Map<number, () => void>()
  const onEvent = ({ kind, node: { id, operation } }: ApplyEvent) => {
    // while it is waited for, or a hook runs in it, others may do something to it
    if (operation.kind === 'wait-container' || operation.kind === 'run-hook') return
    if (kind === 'started') owned.set(id, own(operation.name))
    else if (kind === 'done' || kind === 'failed' || kind === 'skipped') owned.get(id)?.()
  }
  await run(plan, keeperPerformer(client), { signal, onEvent })
  tell({ kind: 'done', time: new Date().toISOString(), milliseconds: Date.now() - begin })
  return true
}
