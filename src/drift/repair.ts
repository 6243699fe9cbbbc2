/** Brings a stack back to what was asked for, by the road of `up`; nothing is removed that cannot be made again. */
import { type ContainerInspect, containerEndpoints } from '../api/containers.ts'
import type { ApplyEvent } from '../apply/events.ts'
import type { Client } from '../client/client.ts'
import { Failure, isFailure } from '../lib/failure.ts'
import type { Project } from '../model/project.ts'
import { converge } from '../targets/engine/converge.ts'
import { EnginePlan } from '../targets/engine/engine-plan.ts'
import { observe } from '../targets/engine/observe.ts'
import type { Observed, ObservedContainer } from '../targets/engine/observed.ts'
import { isLive, on, planStopping } from '../targets/engine/plan/ending.ts'
import { planHooks } from '../targets/engine/plan/hooks.ts'
import { selectedNames, type UpOptions } from '../targets/engine/plan/reconcile.ts'
import { tooEarly, unmetConditions, waitsFor } from './conditions.ts'
import type { Drift } from './drift.ts'
import {
  followers,
  isAbandoned,
  isThere,
  lateFollowers,
  leaves,
  restartLimit,
  type Started,
  wantedScale,
} from './leaves.ts'
import type { Attempt } from './wish.ts'

export interface Repair {
  readonly client: Client
  readonly project: Project
  readonly drift: Drift
  readonly signal: AbortSignal
  /** What is asked for of the project. */
  readonly options: Pick<UpOptions, 'services' | 'noDeps' | 'scale' | 'build' | 'pull' | 'timeout'>
  /** Of a stack that is watched: what is tried of its wish with this look. */
  readonly attempt?: Attempt | undefined
  /** An apply by a person that was cut off, which is gone on with: of these services and what they depend on, undefined for all. */
  readonly unfinished?: { readonly services: readonly string[] | undefined } | undefined
  /** Milliseconds since 1970: starts of containers before that have been seen to. */
  readonly seen: number
  /** sha256 by path of the files behind configs and secrets, as they were when it was asked for; absent: as they are now. */
  readonly files?: Readonly<Record<string, string>> | undefined
  /** It is watched: what was removed is made again, and made anew when the name of its image means another one by now. */
  readonly watched: boolean
  /** Plans are carried out only to be shown. */
  readonly dryRun?: boolean | undefined
  /** Why something is about to be done, in sentences: what was heard and still holds. */
  told(causes: readonly string[]): void
  /** A hook of a container that runs has failed. */
  hookFailed(error: unknown): void
  /** Applies a plan that is not empty and loses nothing; `observed` is what it was made of, where all of it is known. */
  carryOut(plan: EnginePlan, observed: Observed | undefined): Promise<void>
}

export interface Repaired {
  /** What the files behind configs and secrets are now, by sha256. */
  readonly files: Readonly<Record<string, string>>
  /** Something was done. */
  readonly changed: boolean
  /** Nobody wants it any more. */
  readonly abandoned: boolean
}

/** @throws Failure of what failed */
export async function repair(input: Repair): Promise<Repaired> {
  const { client, project, signal, drift, watched, attempt } = input
  const { hooksDue, crashed } = drift.take()
  const there = ({ containers }: Pick<Observed, 'containers'>) => containers.filter(each => isThere(input, each))
  const containers = there(await observe(client, project.name, { signal, containersOnly: true }))
  const causes = drift.see(containers)
  const { unfinished } = input
  if (!unfinished && isAbandoned({ project, watched, containers }))
    return { files: {}, changed: false, abandoned: true }
  if (causes.length > 0) input.told(causes)
  const ill = drift.diagnose(project, containers)
  const phase = unfinished ? 'booted' : drift.phase
  const restarted = phase === 'returned' ? await restartsCounted(input, containers) : undefined
  const { waiting } = drift
  // what is stopped while it is looked at stays so
  const isStopped = ({ id }: ObservedContainer) => drift.accepted.stopped.includes(id)
  const leavesAlone = (container: ObservedContainer) =>
    // one that waits was to be started when it began to
    !(waiting.has(container.name) && !isStopped(container)) &&
    leaves({ project, accepted: drift.accepted, killed: drift.killed, phase, restarted }, container)
  // when the machine has been started, or the engine, the plan has the order, but waits in vain for what a person has stopped; it
  const steady = drift.phase === 'steady' && attempt?.read === undefined && !unfinished
  // may make anew what has ended by itself
  const unmet = unmetConditions({ project, containers, leaves: steady ? leavesAlone : isStopped, inPlan: !steady })
  const waited = drift.wait(
    containers.filter(container => !leavesAlone(container)),
    unmet,
  )
  let changed = await carryOut(
    stopsOf(project, ill.stop, () => 'it is unhealthy'),
    input,
  )
  const early = steady ? tooEarly({ project, containers }, { unmet, crashed }) : []
  changed =
    (await carryOut(
      stopsOf(project, early, ({ service }) => `it ${waitsFor(unmet.get(service)!)}`),
      input,
    )) || changed
  await runHooks(input, { containers, hooksDue })
  const restarts = new Map([...(await restartsOf(input, containers)), ...ill.restart])
  let files: Readonly<Record<string, string>> = {}
  let scale: Readonly<Record<string, number>> = {}
  await converge({
    client,
    project,
    signal,
    dryRun: input.dryRun ?? false,
    options: {
      ...input.options,
      ...(attempt?.read?.left ? { removeOrphans: true } : { quietOrphans: true }),
      holding: {
        replicas: service => scale[service],
        // of what has failed, what has ended is no less wrong for having ended by itself
        leaves: container =>
          !(attempt?.isLeft(container.service) ?? false) &&
          (leavesAlone(container) || (!isLive(container) && unmet.has(container.service))),
        starts: ({ name }) => waited.get(name) && `it need not wait for ${waited.get(name)!.needed} any more`,
        stays: isStopped,
        restarts: ({ id }) => restarts.get(id),
        keepsVersions: service => !attempt?.isWished && !goesOn(input, service),
        images: watched || unfinished !== undefined,
        isLeft: service => (attempt?.isLeft(service) ?? false) || (!steady && unmet.has(service)),
        differs: service => attempt?.differs(service),
      },
    },
    see: observed => {
      // what was heard since it was looked at first is seen to as well
      const images = new Map([...observed.images].map(([name, { id }]) => [name, id]))
      attempt?.sees(images)
      const more = drift.see(observed.containers, images)
      if (more.length > 0) input.told(more)
      files = Object.fromEntries(observed.files)
      const containers = there(observed)
      // what somebody has removed since it was looked at first is not made again either
      scale = wantedScale({
        ...{ project, containers, accepted: drift.accepted, asked: input.options.scale ?? {} },
        watched: watched || unfinished !== undefined,
      })
      return { ...observed, containers, files: asAskedFor(observed, input) }
    },
    carryOut: async (plan, observed) => {
      changed = (await carryOut(plan, input, observed)) || changed
    },
  })
  return { files, changed, abandoned: false }
}

/** Whether what was cut off is about a service, by its name or as what such a one depends on. */
function goesOn({ project, unfinished }: Pick<Repair, 'project' | 'unfinished'>, service: string): boolean {
  if (!unfinished?.services) return unfinished !== undefined
  return selectedNames(project, { services: unfinished.services, noDeps: false }).includes(service)
}

/** Takes the events of a plan that is applied: what happens to its containers is the doing of whoever repairs. */
export function ownDoing(drift: Pick<Drift, 'own'>): (event: ApplyEvent) => void {
  const owned = new Map<number, () => void>()
  return ({ kind, node: { id, operation } }) => {
    // while it is waited for, or a hook runs in it, others may do something to it
    if (operation.kind === 'wait-container' || operation.kind === 'run-hook') return
    if (kind === 'started') owned.set(id, drift.own(operation.name))
    else if (kind === 'done' || kind === 'failed' || kind === 'skipped') owned.get(id)?.()
  }
}

function stopsOf(
  project: Project,
  containers: readonly ObservedContainer[],
  causeOf: (container: ObservedContainer) => string,
): EnginePlan {
  const plan = new EnginePlan()
  for (const container of containers) {
    const service = project.services[container.service]
    planStopping(plan, container, { cause: causeOf(container), service, timeout: undefined })
  }
  return plan
}

/** A file that has been changed since is no reason to make anew what runs; one that has gone is told of. */
function asAskedFor({ files }: Observed, asked: Pick<Repair, 'files'>): Observed['files'] {
  return new Map([...files].map(([path, hash]) => [path, asked.files?.[path] ?? hash]))
}

interface Hooks {
  readonly containers: readonly ObservedContainer[]
  readonly hooksDue: ReadonlySet<string>
}

/** What an engine starts again by its policy has run without its post_start. */
async function runHooks(input: Repair, { containers, hooksDue }: Hooks): Promise<void> {
  const { project } = input
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
    input.hookFailed(error)
  }
}

async function restartsOf(
  { client, project, seen, drift, signal }: Repair,
  containers: readonly ObservedContainer[],
): Promise<ReadonlyMap<string, string>> {
  const involved = new Set(followers(project).flatMap(({ service, needed }) => [service, needed]))
  const asked = containers.filter(each => involved.has(each.service) && !each.oneOff && each.state === 'running')
  const started = (await inspected(asked, { client, signal })).map(
    ([container, { State }]): Started => ({ container, startedAt: Date.parse(State.StartedAt) }),
  )
  return lateFollowers(project, started, { seen, recovered: drift.recovered })
}

/** Id → how often its engine has started it again, of those that have ended and may only be so many times. */
async function restartsCounted(
  { client, project, signal }: Repair,
  containers: readonly ObservedContainer[],
): Promise<ReadonlyMap<string, number>> {
  const asked = containers.filter(({ service, state }) => {
    const found = project.services[service]
    return state === 'exited' && found !== undefined && restartLimit(found) !== undefined
  })
  const found = await inspected(asked, { client, signal })
  return new Map(found.map(([{ id }, { RestartCount = 0 }]) => [id, RestartCount]))
}

/** What the engine says of each; one that has gone in the meantime, which an event tells, is left out. */
async function inspected(
  containers: readonly ObservedContainer[],
  { client, signal }: Pick<Repair, 'client' | 'signal'>,
): Promise<readonly (readonly [ObservedContainer, ContainerInspect])[]> {
  const found = await Promise.all(
    containers.map(async container => {
      try {
        const { id } = container
        const said = await client.call(containerEndpoints.containerInspect, { params: { id } }, { signal })
        return [[container, said] as const]
      } catch (error) {
        if (isFailure(error, 'not-found')) return []
        throw error
      }
    }),
  )
  return found.flat()
}

/** False when there was nothing to do. */
async function carryOut(plan: EnginePlan, input: Repair, observed?: Observed): Promise<boolean> {
  // to wait for something is no change
  if (plan.nodes.every(({ operation }) => operation.kind === 'wait-container')) return false
  const lost = plan.destructive().map(({ operation }) => operation.name)
  if (lost.length > 0)
    throw new Failure('conflict', `Cannot repair "${input.project.name}": ${lost.join(', ')} would be lost for good`, {
      hint: 'Run "tscompose up", which asks',
    })
  await input.carryOut(plan, observed)
  return true
}
