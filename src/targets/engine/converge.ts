/** The road of up: observe, pull, build, observe again, compare, apply; whoever calls says how a plan is carried out and shown. */
import { systemEndpoints } from '../../api/system.ts'
import { PlanFailure } from '../../apply/plan-failure.ts'
import type { Client } from '../../client/client.ts'
import { ProblemsFailure } from '../../lib/problems.ts'
import type { Project } from '../../model/project.ts'
import { EnginePlan } from './engine-plan.ts'
import { observe, withMade } from './observe.ts'
import type { Observed } from './observed.ts'
import { outrun } from './outrun.ts'
import { buildsOf } from './perform/builds.ts'
import { divergedIds } from './plan/diverge.ts'
import { filesOf } from './plan/file-objects.ts'
import { imagesOf, type PullWhen, planPull } from './plan/images.ts'
import { planNetworks } from './plan/networks.ts'
import { type OneOff, planOneOff } from './plan/one-off.ts'
import { reconcile, selectedNames, type UpOptions } from './plan/reconcile.ts'
import { changedVolumes } from './plan/volumes.ts'

export interface Road {
  readonly client: Client
  /** Looks at what is there before anything is planned. @throws Failure when it is not to be touched */
  readonly accept?: ((observed: Observed) => void) | undefined
  readonly signal?: AbortSignal | undefined
  /** Applies a plan, made of what was observed, and shows it. @throws PlanFailure */
  carryOut(plan: EnginePlan, observed: Observed): Promise<void>
}

export interface Convergence extends Road {
  readonly project: Project
  readonly options: UpOptions
  /** Every plan is carried out only to be shown: what comes first is taken for done. */
  readonly dryRun?: boolean
  /** What is there as the plan is to see it. */
  see?(observed: Observed): Observed
  /** Which of these volumes, by name, are made anew for what the stack says of them now; asked once, where the options do not say. */
  renew?(volumes: readonly string[]): Promise<ReadonlySet<string>>
  /** Whether to go on with a plan; asked before anything of it is done. */
  confirm?(plan: EnginePlan): Promise<boolean>
}

/** How often a plan that somebody else's was quicker than is made anew. */
const attempts = 5

/** Brings the project to what it should be; false when `confirm` said no. */
export async function converge(convergence: Convergence): Promise<boolean> {
  const { project, carryOut, confirm, renew } = convergence
  let { options } = convergence
  if (convergence.dryRun) {
    const { pulls, builds, plan, observed } = await foresee(convergence)
    for (const each of [pulls, builds]) if (!each.empty) await carryOut(each, observed)
    await carryOut(plan, observed)
    return true
  }
  let observed = await look(convergence)
  convergence.accept?.(observed)
  const pulls = pullsOf(project, observed, { ...options, missing: true })
  if (!pulls.empty) {
    await carryOut(pulls, observed)
    // what a pull brought decides what is built and recreated
    observed = await look(convergence)
  }
  const builds = await neededBuilds(project, observed, options)
  if (!builds.empty) {
    await carryOut(builds, observed)
    observed = await look(convergence)
  }
  for (let attempt = 1; ; attempt++) {
    if (renew && options.recreateVolumes === undefined) {
      const changed = changedVolumes({ project, observed, ...chosen(project, options) })
      if (changed.length > 0) options = { ...options, recreateVolumes: await renew(changed) }
    }
    const plan = await planned(convergence, observed, options)
    if (confirm && !(await confirm(plan))) return false
    try {
      await carryOut(plan, observed)
      return true
    } catch (error) {
      if (!(error instanceof PlanFailure) || attempt === attempts || convergence.signal?.aborted) throw error
      const now = await look(convergence)
      if (!error.failed.every(each => outrun(each, observed, now))) throw error
      observed = now
    }
  }
}

/**
 * As with Compose, networks are made before it is seen that a volume which somebody else was to make is missing, and stay.
 * @throws ProblemsFailure
 */
async function planned(
  { project, carryOut }: Convergence,
  observed: Observed,
  options: UpOptions,
): Promise<EnginePlan> {
  try {
    return reconcile(project, observed, options)
  } catch (error) {
    if (!(error instanceof ProblemsFailure && error.problems.every(({ code }) => code === 'missing-volume')))
      throw error
    const networks = new EnginePlan()
    planNetworks(networks, { project, observed, ...chosen(project, options), timeout: undefined, keep: true })
    if (!networks.empty) await carryOut(networks, observed)
    throw error
  }
}

function chosen(project: Project, options: UpOptions) {
  const services = selectedNames(project, options).map(name => project.services[name]!)
  return { services, all: options.services === undefined }
}

export interface OneOffRun extends Road {
  readonly project: Project
  readonly oneOff: Omit<OneOff, 'project' | 'observed' | 'wait' | 'quietOrphans'>
  /** Not what the service depends on. */
  readonly noDeps: boolean
  /** Nothing is started for it, but it waits for what it depends on. */
  readonly awaitsDeps?: boolean
  /** Build its image, and those of what it depends on, though they are here. */
  readonly build?: boolean
  readonly removeOrphans: boolean
  readonly quietOrphans: boolean
  readonly dryRun?: boolean
}

/** The road of run: what the service needs, then one more container of it, created and not started; returns its name. */
export async function createOneOff(run: OneOffRun): Promise<string> {
  const { project, oneOff, removeOrphans, dryRun } = run
  const needed = Object.keys(oneOff.service.dependsOn).filter(name => Object.hasOwn(project.services, name))
  const services = run.noDeps ? [] : needed
  // what runs is good enough for a command on the side: up is there to bring it up to date
  const build = run.build ? 'always' : undefined
  const options: UpOptions = { services, recreate: 'never', removeOrphans, quietOrphans: true, build }
  if (services.length > 0 || removeOrphans) await converge({ ...run, options })
  let observed = await look(run)
  run.accept?.(observed)
  const builds = await neededBuilds(project, observed, { services: [oneOff.service.name], noDeps: true, build })
  if (!builds.empty) {
    await run.carryOut(builds, observed)
    observed = dryRun ? withBuilt(observed, builds) : await look(run)
  }
  const { quietOrphans, noDeps } = run
  const { plan, name } = planOneOff({
    ...oneOff,
    project,
    observed,
    wait: !noDeps || (run.awaitsDeps ?? false),
    quietOrphans,
  })
  await run.carryOut(plan, observed)
  return name
}

export interface Foreseen {
  readonly pulls: EnginePlan
  readonly builds: EnginePlan
  readonly plan: EnginePlan
  /** What the plan was made of. */
  readonly observed: Observed
}

/** What `converge` would do: the pulls and builds that come first, and the plan as it is without what they change. */
export async function foresee(convergence: Omit<Convergence, 'carryOut' | 'confirm' | 'dryRun'>): Promise<Foreseen> {
  const { project, options } = convergence
  const found = await look(convergence)
  convergence.accept?.(found)
  const builds = await neededBuilds(project, found, options)
  const observed = withBuilt(found, builds)
  const plan = reconcile(project, observed, options)
  return { pulls: pullsOf(project, found, options), builds, plan, observed }
}

/** Those of which something new may be needed. */
function attended(project: Project, options: Pick<UpOptions, 'services' | 'noDeps' | 'holding'>): readonly string[] {
  return selectedNames(project, options).filter(name => !options.holding?.isLeft?.(name))
}

/** As if the builds had made what is missing; whether one makes another image than the one that is here nobody knows before. */
function withBuilt(observed: Observed, builds: EnginePlan): Observed {
  const images = new Map(observed.images)
  for (const { operation } of builds.nodes)
    if (operation.kind === 'build-image' && !images.has(operation.name))
      images.set(operation.name, {
        id: operation.name,
        labels: {},
        volumes: [],
        healthcheck: false,
        taggedAt: undefined,
      })
  return { ...observed, images }
}

function neededBuilds(
  project: Project,
  observed: Observed,
  { services, noDeps, build, holding }: UpOptions,
): Promise<EnginePlan> {
  if (build === 'never') return Promise.resolve(new EnginePlan())
  const when = holding ? 'absent' : build === 'always' ? 'always' : 'missing'
  const names = attended(project, { services, noDeps, holding })
  return buildsOf(project, observed, { services: names, when, cause: 'asked for by --build' })
}

/** What is there of a project, with the images and files that its plan depends on, and all of what is not as it should be. */
export async function look({
  client,
  project,
  signal,
  see,
}: Pick<Convergence, 'client' | 'project' | 'signal' | 'see'>): Promise<Observed> {
  const abilities = Object.values(project.services).some(({ deploy }) => deploy?.update !== undefined)
  const options = { signal, images: imagesOf(project), files: filesOf(project), abilities }
  const found = await observe(client, project.name, options)
  const listed = see ? see(found) : found
  const observed = await withMade(client, listed, { ids: divergedIds(project, listed), signal })
  // -1 is what was asked for, or all that a machine without such limits has to say
  if (!observed.containers.some(({ live }) => live?.host.MemorySwap === -1)) return observed
  const { SwapLimit } = await client.call(systemEndpoints.info, {}, { signal })
  return { ...observed, limitsSwap: SwapLimit }
}

/** What is missing is pulled first too, so that nothing is made when it cannot be had; a plan that is only shown tells it in its place. */
function pullsOf(
  project: Project,
  observed: Observed,
  { services, noDeps, pull, build, missing, holding }: UpOptions & { readonly missing?: boolean },
): EnginePlan {
  const when: PullWhen | undefined = pull === 'always' || pull === 'never' ? pull : undefined
  return planPull(project, observed, {
    services: attended(project, { services, noDeps, holding }),
    when,
    missing,
    missingOnly: holding !== undefined,
    noBuild: build === 'never',
  })
}
