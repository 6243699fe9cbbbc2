/** The road of up: observe, pull, observe again, compare, apply; whoever calls says how a plan is carried out and shown. */
import type { Client } from '../client/client.ts'
import type { Project } from '../model/project.ts'
import { filesOf } from '../plan/file-objects.ts'
import { imagesOf, type PullWhen, planPull } from '../plan/images.ts'
import type { Observed } from '../plan/observed.ts'
import { type OneOff, planOneOff } from '../plan/one-off.ts'
import type { Plan } from '../plan/plan.ts'
import { reconcile, selectedNames, type UpOptions } from '../plan/reconcile.ts'
import { observe } from './observe.ts'
import { outrun, PlanFailure } from './plan-failure.ts'

export interface Road {
  readonly client: Client
  readonly signal?: AbortSignal | undefined
  /** Applies a plan and shows it. @throws PlanFailure */
  carryOut(plan: Plan): Promise<void>
}

export interface Convergence extends Road {
  readonly project: Project
  readonly options: UpOptions
  /** Whether to go on with a plan; asked before anything of it is done. */
  confirm?(plan: Plan): Promise<boolean>
}

/** How often a plan that somebody else's was quicker than is made anew. */
const attempts = 5

/** Brings the project to what it should be; false when `confirm` said no. */
export async function converge(convergence: Convergence): Promise<boolean> {
  const { project, options, carryOut, confirm } = convergence
  let observed = await look(convergence)
  const pulls = pullsOf(project, observed, { ...options, missing: true })
  if (!pulls.empty) {
    await carryOut(pulls)
    // what a pull brought decides what is recreated
    observed = await look(convergence)
  }
  for (let attempt = 1; ; attempt++) {
    const plan = reconcile(project, observed, options)
    if (confirm && !(await confirm(plan))) return false
    try {
      await carryOut(plan)
      return true
    } catch (error) {
      if (!(error instanceof PlanFailure) || attempt === attempts || convergence.signal?.aborted) throw error
      const now = await look(convergence)
      if (!error.failed.every(each => outrun(each, observed, now))) throw error
      observed = now
    }
  }
}

export interface OneOffRun extends Road {
  readonly project: Project
  readonly oneOff: Omit<OneOff, 'project' | 'observed' | 'wait' | 'quietOrphans'>
  /** Not what the service depends on. */
  readonly noDeps: boolean
  readonly removeOrphans: boolean
  readonly quietOrphans: boolean
}

/** The road of run: what the service needs, then one more container of it, created and not started; returns its name. */
export async function createOneOff(run: OneOffRun): Promise<string> {
  const { project, oneOff, removeOrphans } = run
  const needed = Object.keys(oneOff.service.dependsOn).filter(name => Object.hasOwn(project.services, name))
  const services = run.noDeps ? [] : needed
  // what runs is good enough for a command on the side: up is there to bring it up to date
  const options: UpOptions = { services, recreate: 'never', removeOrphans, quietOrphans: true }
  if (services.length > 0 || removeOrphans) await converge({ ...run, options })
  const { quietOrphans, noDeps } = run
  const { plan, name } = planOneOff({ ...oneOff, project, observed: await look(run), wait: !noDeps, quietOrphans })
  await run.carryOut(plan)
  return name
}

/** What `converge` would do: the pulls that come first, and the plan as it is without them. */
export async function foresee(
  convergence: Omit<Convergence, 'carryOut' | 'confirm'>,
): Promise<{ readonly pulls: Plan; readonly plan: Plan }> {
  const { project, options } = convergence
  const observed = await look(convergence)
  return { pulls: pullsOf(project, observed, options), plan: reconcile(project, observed, options) }
}

/** What is there of a project, with the images and files that its plan depends on. */
export function look({
  client,
  project,
  signal,
}: Pick<Convergence, 'client' | 'project' | 'signal'>): Promise<Observed> {
  return observe(client, project.name, { signal, images: imagesOf(project), files: filesOf(project) })
}

/** What is missing is pulled first too, so that nothing is made when it cannot be had; a plan that is only shown tells it in its place. */
function pullsOf(
  project: Project,
  observed: Observed,
  { services, noDeps, pull, missing }: UpOptions & { readonly missing?: boolean },
): Plan {
  const when: PullWhen | undefined = pull === 'always' || pull === 'never' ? pull : undefined
  return planPull(project, observed, { services: selectedNames(project, { services, noDeps }), when, missing })
}
