/** `depends_on` while a stack goes on: whose conditions do not hold, so that what has ended waits instead of being started again. Pure. */
import type { Dependency } from '../model/dependency.ts'
import type { Project } from '../model/project.ts'
import type { ObservedContainer } from '../targets/engine/observed.ts'
import { isLive } from '../targets/engine/plan/ending.ts'

export interface ConditionsInput {
  readonly project: Project
  readonly containers: readonly ObservedContainer[]
  /** Whether it stays as it is though it does not run, whatever it needs. */
  leaves(container: ObservedContainer): boolean
  /** Only what stays as it is counts: for all else a plan has the order. */
  readonly inPlan?: boolean | undefined
}

/** What a service waits for. */
export interface Unmet {
  readonly needed: string
  /** "is unhealthy". */
  readonly why: string
}

/** For a reader of `ps`. */
export function waitsFor({ needed, why }: Unmet): string {
  return `waits for ${needed}, which ${why}`
}

/** Service → what it waits for; what is about to be started again is waited for by the plan, and not here. */
export function unmetConditions({
  project,
  containers,
  leaves,
  inPlan = false,
}: ConditionsInput): ReadonlyMap<string, Unmet> {
  const known = new Map<string, Unmet | undefined>()
  const of = (name: string) => containers.filter(each => each.service === name && !each.oneOff)
  const reasonOf = (name: string): Unmet | undefined => {
    if (known.has(name)) return known.get(name)
    // nothing that needs itself is brought up in the first place
    known.set(name, undefined)
    const reasons = Object.values(project.services[name]?.dependsOn ?? {}).map(unmet)
    const reason = reasons.find(each => each !== undefined)
    known.set(name, reason)
    return reason
  }
  const unmet = ({ service, condition, required }: Dependency): Unmet | undefined => {
    if (!required) return undefined
    for (const container of of(service)) {
      const stays = !isLive(container) && (leaves(container) || reasonOf(service) !== undefined)
      // a plan that has nothing to wait for goes on
      if (inPlan && (!stays || (condition === 'started' && reasonOf(service) === undefined))) continue
      const why = unmetBy(container, condition, stays)
      if (why !== undefined) return { needed: service, why }
    }
    return undefined
  }
  return new Map(
    Object.keys(project.services).flatMap(name => {
      const reason = reasonOf(name)
      return reason === undefined ? [] : [[name, reason] as const]
    }),
  )
}

function unmetBy(
  { state, health, exitCode }: ObservedContainer,
  condition: Dependency['condition'],
  stays: boolean,
): string | undefined {
  if (condition === 'completed') {
    if (state === 'exited') return exitCode === 0 || !stays ? undefined : `has ended with ${exitCode}`
    return state === 'running' ? 'has not ended' : undefined
  }
  if (stays) return 'does not run'
  if (condition !== 'healthy' || state !== 'running') return undefined
  return health === undefined || health === 'healthy'
    ? undefined
    : health === 'starting'
      ? 'is not healthy yet'
      : `is ${health}`
}

/** Those that have ended by themselves, and that their engine starts again by its policy though a condition does not hold. */
export function tooEarly(
  { project, containers }: Pick<ConditionsInput, 'project' | 'containers'>,
  { unmet, crashed }: { readonly unmet: ReadonlyMap<string, Unmet>; readonly crashed: ReadonlySet<string> },
): readonly ObservedContainer[] {
  return containers.filter(
    ({ id, service, state, oneOff }) =>
      !oneOff &&
      unmet.has(service) &&
      project.services[service]?.restart.kind !== 'no' &&
      (state === 'restarting' || (state === 'running' && crashed.has(id))),
  )
}
