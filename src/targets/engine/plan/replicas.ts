/** What becomes of each container of a service: kept, started, recreated, created, removed; decided, not yet planned. */
import { isJob } from '../../../model/deploy.ts'
import type { Project } from '../../../model/project.ts'
import type { Service } from '../../../model/service.ts'
import type { Change } from '../../../plan/change.ts'
import type { Observed, ObservedContainer } from '../observed.ts'
import { type Adjustment, changesOf, nothing } from './adjust.ts'
import { type Divergence, divergence, type Wanted } from './diverge.ts'
import { isLive } from './ending.ts'
import type { Holding } from './holding.ts'
import { containerName } from './names.ts'

export type Decision =
  | {
      readonly kind: 'keep'
      readonly number: number
      readonly container: ObservedContainer
      readonly adjustment?: Adjustment | undefined
    }
  | {
      readonly kind: 'start' | 'restart'
      readonly number: number
      readonly container: ObservedContainer
      readonly cause: string
      readonly adjustment?: Adjustment | undefined
    }
  | Creation
  | Removal

export interface Removal {
  readonly kind: 'remove'
  readonly container: ObservedContainer
  readonly cause: string
  /** It is in the way of those that are made or renamed: what an interrupted recreation has left. */
  readonly first?: boolean
  /** Of an update that was interrupted: what has taken its place, or is about to. */
  readonly replacedBy?: ObservedContainer
}

/** A new container, in place of none or of another. */
export type Creation = { readonly kind: 'create'; readonly number: number; readonly cause: string } | Recreation

export interface Recreation {
  readonly kind: 'recreate'
  readonly number: number
  readonly container: ObservedContainer
  readonly cause: string
  /** Of what could change on a container as it is, where that is known. */
  readonly changes?: readonly Change[]
}

export type Replica = Exclude<Decision, { kind: 'remove' }>

export interface DecideInput {
  readonly project: Project
  readonly observed: Observed
  readonly service: Service
  readonly replicas: number
  readonly recreate: 'diverged' | 'always' | 'never'
  readonly wanted: Omit<Wanted, 'name'>
  /** Containers that are taken from a network that is made anew: id → keys of those. */
  readonly parted: ReadonlyMap<string, readonly string[]>
  readonly holding?: Holding | undefined
}

/** In order of number, removals last. */
export function decide(input: DecideInput): readonly Decision[] {
  const { project, service, replicas } = input
  const { found, leftovers, replaced } = existing(input)
  const decisions: Decision[] = [...found].slice(0, replicas).map(([number, container]) => {
    const { replace, comparison } = compared(input, number, container)
    if (replace !== undefined)
      return { kind: 'recreate', number, container, cause: replace, changes: changesOf(comparison) }
    const settled = settle(input, number, container)
    return input.recreate === 'never' ? settled : { ...settled, adjustment: comparison.adjustment }
  })
  // numbers are not used again while later ones are there, as with Docker Compose
  for (let number = Math.max(0, ...found.keys()) + 1; decisions.length < replicas; number++)
    decisions.push({ kind: 'create', number, cause: `no container for replica ${number}` })
  decisions.sort((a, b) => ('number' in a && 'number' in b ? a.number - b.number : 0))
  for (const [, container] of [...found].slice(replicas))
    decisions.push({ kind: 'remove', container, cause: `scaled to ${replicas}` })
  const name = containerName(project, service, 1)
  for (const container of leftovers)
    decisions.push({
      kind: 'remove',
      container,
      cause: `left over from an interrupted recreation of ${name}`,
      first: true,
      ...(replaced.has(container) ? { replacedBy: replaced.get(container)! } : {}),
    })
  return decisions
}

/** Of what was decided only what needs nothing new: one that runs may be restarted. */
export function asItIs(decisions: readonly Decision[]): readonly Decision[] {
  return decisions.flatMap((decision): readonly Decision[] => {
    const { kind } = decision
    if (kind === 'create' || kind === 'remove') return []
    const { number, container } = decision
    return [kind === 'restart' ? { ...decision, adjustment: undefined } : { kind: 'keep', number, container }]
  })
}

/** Whether nothing has to be made of it, nor started or changed. */
export function isAsItShould(decisions: readonly Decision[]): boolean {
  return decisions.every(each => (each.kind === 'keep' || each.kind === 'restart') && each.adjustment === undefined)
}

/** One container a number; a second one is what an interrupted recreation left behind. */
function existing(input: DecideInput): {
  readonly found: ReadonlyMap<number, ObservedContainer>
  readonly leftovers: readonly ObservedContainer[]
  /** Of the leftovers those in whose place another serves already. */
  readonly replaced: ReadonlyMap<ObservedContainer, ObservedContainer>
} {
  const { project, observed, service } = input
  const found = new Map<number, ObservedContainer>()
  const leftovers: ObservedContainer[] = []
  const replaced = new Map<ObservedContainer, ObservedContainer>()
  const own = observed.containers.filter(c => c.service === service.name && !c.oneOff && c.number !== undefined)
  for (const container of own.toSorted((a, b) => a.number! - b.number!)) {
    const number = container.number!
    const other = found.get(number)
    if (!other) {
      found.set(number, container)
      continue
    }
    const isNamed = container.name === containerName(project, service, number)
    const [named, unnamed] = isNamed ? [container, other] : [other, container]
    const serves = servesAlready(input, number, { named, unnamed })
    const [stays, goes] = serves ? [unnamed, named] : [named, unnamed]
    if (serves) replaced.set(goes, stays)
    found.set(number, stays)
    leftovers.push(goes)
  }
  return { found, leftovers, replaced }
}

/** Whether an interrupted update had brought the new one, which has no name yet, so far that it serves. */
function servesAlready(
  input: DecideInput,
  number: number,
  { named, unnamed }: { readonly named: ObservedContainer; readonly unnamed: ObservedContainer },
): boolean {
  if (!input.service.deploy?.update || unnamed.state !== 'running') return false
  if (unnamed.health !== undefined && unnamed.health !== 'healthy') return false
  const name = containerName(input.project, input.service, number)
  const isRight = (container: ObservedContainer) =>
    divergence({ ...input.wanted, name }, container).replace === undefined
  return isRight(unnamed) && !isRight(named)
}

function compared(input: DecideInput, number: number, container: ObservedContainer): Divergence {
  const name = containerName(input.project, input.service, number)
  const found = divergence({ ...input.wanted, name }, container)
  if (container.state === 'dead' || container.state === 'removing') return found
  if (!isLive(container) && input.holding?.stays(container)) return { ...found, replace: undefined }
  if (found.isOlder && input.service.deploy?.update && input.holding?.keepsVersions?.(input.service.name))
    return { ...found, replace: undefined, comparison: nothing }
  if (input.recreate === 'never') return { ...found, replace: undefined }
  return { ...found, replace: found.replace ?? (input.recreate === 'always' ? 'asked for' : undefined) }
}

function settle(
  { parted, service, holding }: DecideInput,
  number: number,
  container: ObservedContainer,
): Exclude<Replica, Creation> {
  const networks = parted.get(container.id)
  if (isLive(container) && networks)
    return { kind: 'start', number, container, cause: `network ${networks.join(' and ')} is made anew` }
  if (holding?.leaves(container)) return { kind: 'keep', number, container }
  // which its engine refuses: a person has paused it, and a person must let it go on
  if (container.state === 'paused') return { kind: 'start', number, container, cause: 'it is paused' }
  const restart = isLive(container) ? holding?.restarts(container) : undefined
  if (restart !== undefined) return { kind: 'restart', number, container, cause: restart }
  if (isLive(container) || isDone(service, container)) return { kind: 'keep', number, container }
  const ended = container.exitCode === undefined ? 'it is not running' : `it exited with code ${container.exitCode}`
  const cause = holding?.starts?.(container) ?? ended
  return { kind: 'start', number, container, cause }
}

/** A job that has done what it was for. */
export function isDone(service: Service, { state, exitCode }: ObservedContainer): boolean {
  return isJob(service) && state === 'exited' && exitCode === 0
}

/** What its dependents notice: its first word says what happens. */
export function happens(decision: Replica): 'recreated' | 'created' | 'started' | 'restarted' | undefined {
  switch (decision.kind) {
    case 'recreate':
      return 'recreated'
    case 'create':
      return 'created'
    case 'start':
      return 'started'
    case 'restart':
      return 'restarted'
    default:
      return undefined
  }
}

export function isReplica(decision: Decision): decision is Replica {
  return decision.kind !== 'remove'
}

/** What `--wait` waits for has come about already. */
export function isReady(container: ObservedContainer): boolean {
  return container.state === 'running' && (container.health === undefined || container.health === 'healthy')
}
