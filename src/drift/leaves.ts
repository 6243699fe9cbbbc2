/** What is wrong with a held stack and what is not: pure rules over what is there, what was heard and what a person has done. */
import type { Project } from '../model/project.ts'
import type { Service } from '../model/service.ts'
import type { ObservedContainer } from '../targets/engine/observed.ts'
import { isLive } from '../targets/engine/plan/ending.ts'
import type { Accepted } from './accepted.ts'

export interface LeaveInput {
  readonly project: Project
  readonly accepted: Accepted
  /** Ids of containers that somebody has killed: they have not ended by themselves. */
  readonly killed: ReadonlySet<string>
  /**
   * booted: nothing runs because the machine has been started; all is brought up as `up` would. returned: the engine has been away,
   * and what ended meanwhile is started again where its policy says so. steady: the engine sees to its policies.
   */
  readonly phase: 'booted' | 'returned' | 'steady'
  /** Id → how often its engine has started it again, where that matters. */
  readonly restarted?: ReadonlyMap<string, number> | undefined
}

/** Whether a container stays as it is though it does not run, or is paused. */
export function leaves(
  { project, accepted, killed, phase, restarted }: LeaveInput,
  container: ObservedContainer,
): boolean {
  const { id, state } = container
  if (state === 'paused') return accepted.paused.includes(id)
  if (isLive(container) || state === 'dead' || state === 'removing') return false
  if (accepted.stopped.includes(id)) return true
  // it was made to run, and has never
  if (state === 'created' || phase === 'booted' || killed.has(id)) return false
  const service = project.services[container.service]
  if (service === undefined) return false
  const limit = restartLimit(service)
  if (limit !== undefined && (restarted?.get(id) ?? 0) >= limit) return true
  return !startsAgain(service, container, phase === 'returned')
}

export interface ScaleInput extends Pick<LeaveInput, 'project' | 'accepted'> {
  /** Service → replicas that were asked for, instead of what the project says. */
  readonly asked: Readonly<Record<string, number>>
  /** Somebody watches it, or had it watched. */
  readonly watched: boolean
  readonly containers: readonly ObservedContainer[]
}

/**
 * Service → how many there are to be. Only of a stack that is watched a container is made again: of any other somebody has removed it, or
 * made more, by whatever client, and wants it so.
 */
export function wantedScale({ project, asked, watched, accepted, containers }: ScaleInput): Record<string, number> {
  const names = Object.keys(project.services)
  if (!watched) {
    const count = (name: string) => containers.filter(each => each.service === name && !each.oneOff).length
    return Object.fromEntries(names.map(name => [name, count(name)]))
  }
  // a later model may lack some of those
  const known = Object.entries(accepted.scale).filter(([name]) => names.includes(name))
  return { ...asked, ...Object.fromEntries(known) }
}

/** Whether it is not about to go: whoever removes a container of a stack that nobody watches is left alone with it. */
export function isThere({ watched }: Pick<ScaleInput, 'watched'>, { state }: ObservedContainer): boolean {
  return watched || (state !== 'removing' && state !== 'dead')
}

/** Whether nothing is left to be held: nobody watches the stack, nothing comes due, and no container is there. */
export function isAbandoned({ project, watched, containers }: Omit<ScaleInput, 'accepted' | 'asked'>): boolean {
  if (watched || Object.values(project.services).some(({ schedule }) => schedule !== undefined)) return false
  return !containers.some(each => !each.oneOff)
}

/** How often an engine starts it again at most; undefined: as often as it ends. */
export function restartLimit({ restart, deploy }: Service): number | undefined {
  if (restart.kind !== 'on-failure') return deploy?.restartAttempts
  return restart.maxRetries > 0 ? restart.maxRetries : undefined
}

/** Whether its policy has it run again; where it counts, only when nobody has been there to count. */
function startsAgain(service: Service, { exitCode }: ObservedContainer, uncounted: boolean): boolean {
  switch (service.restart.kind) {
    case 'always':
    case 'unless-stopped':
      return uncounted || restartLimit(service) === undefined
    case 'on-failure':
      return uncounted && exitCode !== 0
    default:
      return false
  }
}

export interface Started {
  readonly container: ObservedContainer
  /** Milliseconds since 1970. */
  readonly startedAt: number
}

/** Pairs of services of which the first is to be restarted whenever the second has been started. */
export function followers(project: Project): readonly { readonly service: string; readonly needed: string }[] {
  return Object.values(project.services).flatMap(({ name, dependsOn }) =>
    Object.values(dependsOn).flatMap(each => (each.restart ? [{ service: name, needed: each.service }] : [])),
  )
}

/**
 * Container → why it is to be restarted: something that it follows has been started after it, or has been unhealthy and is no
 * more (`recovered`: when, by service), and that after `seen`, up to when a person's own commands have seen to it.
 */
export function lateFollowers(
  project: Project,
  running: readonly Started[],
  { seen, recovered }: { readonly seen: number; readonly recovered: ReadonlyMap<string, number> },
): ReadonlyMap<string, string> {
  const causes = new Map<string, string>()
  for (const { service, needed } of followers(project)) {
    const starts = running.filter(each => each.container.service === needed).map(each => each.startedAt)
    if (starts.length === 0) continue
    const started = Math.max(...starts)
    const well = recovered.get(needed) ?? 0
    const last = Math.max(started, well)
    if (last <= seen) continue
    const cause = well > started ? `${needed} was unhealthy` : `${needed} has been started again`
    for (const { container, startedAt } of running)
      if (container.service === service && startedAt < last) causes.set(container.id, cause)
  }
  return causes
}
