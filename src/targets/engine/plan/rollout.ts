/** A rolling update: containers take the place of others in batches; the old ones are there to go back to until all is well. */
import { list } from '../../../lib/text.ts'
import { formatDuration } from '../../../lib/units.ts'
import type { Rollout as Config } from '../../../model/deploy.ts'
import type { Service } from '../../../model/service.ts'
import type { NodeId, Ref } from '../../../plan/operation.ts'
import type { EnginePlan } from '../engine-plan.ts'
import type { ObservedContainer } from '../observed.ts'
import { isLive, on, planStopping } from './ending.ts'
import { type Hooked, planHooks } from './hooks.ts'
import { retiredName } from './names.ts'
import type { UpdateOrder } from './update-order.ts'
import type { Turn } from './update-turn.ts'

export interface Replaced {
  readonly number: number
  readonly name: string
  readonly old: ObservedContainer
  /** Creates the new one, beside the old one. */
  create(after: readonly NodeId[]): { readonly container: Ref; readonly created: NodeId; readonly last: NodeId }
  /** Its pre_start, after `after`. */
  ready(on: Hooked, after: readonly NodeId[]): readonly NodeId[]
}

export interface Update {
  readonly service: Service
  readonly config: Config
  readonly order: UpdateOrder
  /** Ports and names can pass from one container to another. */
  readonly handsOver: boolean
  /** Seconds of grace instead of the container's own. */
  readonly timeout: number | undefined
  /** Anonymous volumes go with the old container. */
  readonly renewAnonVolumes: boolean
  readonly replaced: readonly Replaced[]
  /** What must have come about before a container of the service starts. */
  readonly gates: readonly NodeId[]
}

/** The batches of an update. */
export function planTurns(plan: EnginePlan, update: Update): readonly Turn[] {
  const { config, replaced, service } = update
  const size = config.parallelism === 0 ? replaced.length : (config.parallelism ?? 1)
  const turns: Turn[] = []
  let begin: readonly NodeId[] = []
  for (let at = 0; at < replaced.length; at += size) {
    const batch = replaced.slice(at, at + size)
    const isLast = at + size >= replaced.length
    const tried = batch.map((each, i) => planTrial(plan, update, { ...each, begin, position: at + i + 1 }))
    const proven = tried.map(each => each.proven)
    const ended = tried.map(each => planChange(plan, update, each, { isLast, proven }))
    turns.push(...ended)
    begin = ended.map(turn => turn.named)
    if (isLast || !config.delay) continue
    begin = [planDelay(plan, service, config.delay, begin)]
  }
  // nothing is needed to go back to any more
  const retired = { cause: `${service.name} is updated`, volumes: update.renewAnonVolumes }
  const kept = turns.length - (turns.length % size || size)
  return turns.map((turn, i) => {
    if (i >= kept) return turn
    const removed = planRetired(plan, { old: turn.old, name: turn.name, ...retired }, begin)
    return { ...turn, nodes: [...turn.nodes, removed] }
  })
}

/** `nanoseconds` between two batches. */
export function planDelay(plan: EnginePlan, { name }: Service, nanoseconds: number, after: readonly NodeId[]): NodeId {
  const cause = `${formatDuration(nanoseconds)} before the next of ${name}`
  const milliseconds = Math.round(nanoseconds / 1e6)
  return plan.add({ kind: 'delay', cause, name, service: name, milliseconds }, after)
}

/** Ports and names of `from` are the other's. */
export function planTakeOver(
  plan: EnginePlan,
  { ports }: Service,
  { from, ...hooked }: Hooked & { readonly from: Ref },
  after: readonly NodeId[],
): NodeId {
  const published = ports.map(({ published, target, protocol }) => published ?? `${target}/${protocol}`)
  const what = published.length === 0 ? 'names pass' : `names and ${list(published)} pass`
  return plan.add({ kind: 'take-over', cause: `${what} to it`, ...hooked, from }, after)
}

/** Connections to the old one end on it. */
export function planDraining(
  plan: EnginePlan,
  hooked: Hooked,
  timeout: number | undefined,
  after: readonly NodeId[],
): NodeId {
  return plan.add({ kind: 'drain-container', cause: 'its connections end on it', ...hooked, timeout }, after)
}

/** It must go on well for so many nanoseconds. */
export function planMonitor(plan: EnginePlan, hooked: Hooked, nanoseconds: number, after: readonly NodeId[]): NodeId {
  const cause = `watched for ${formatDuration(nanoseconds)}`
  const milliseconds = Math.round(nanoseconds / 1e6)
  return plan.add({ kind: 'monitor-container', cause, ...hooked, milliseconds }, after)
}

interface Trial {
  readonly replaced: Replaced
  readonly first: NodeId
  readonly container: Ref
  readonly created: NodeId
  readonly started: NodeId
  readonly takenOver: NodeId | undefined
  readonly proven: NodeId
  readonly stopped: NodeId | undefined
}

/** The new container up to where it has shown that it is one. */
function planTrial(
  plan: EnginePlan,
  update: Update,
  { begin, position, ...replaced }: Replaced & { readonly begin: readonly NodeId[]; readonly position: number },
): Trial {
  const { service, config, order, timeout, gates, handsOver } = update
  const { old, name } = replaced
  const first = plan.nodes.length + 1
  const { container, created, last } = replaced.create(begin)
  const hooked: Hooked = { name, service: service.name, container }
  const cause = `replaced by #${created}${order.first === 'stop' && order.why ? `; stop-first, since ${order.why}` : ''}`
  const stop = (after: readonly NodeId[]) =>
    isLive(old) ? planStopping(plan, old, { cause, service, timeout, after }) : undefined
  // what it needs may take long to be there
  const stoppedFirst = order.first === 'stop' ? stop([last, ...gates]) : undefined
  const before = stoppedFirst === undefined ? [last, ...gates] : [stoppedFirst, ...gates]
  const passes = order.first === 'start' && isLive(old) && handsOver
  const successor = passes ? { successorOf: old.id } : {}
  const starting = { kind: 'start-container', cause: `created by #${created}`, ...hooked, ...successor } as const
  const started = plan.add(starting, replaced.ready(hooked, before))
  const up = planHooks(plan, 'post_start', { service, on: hooked, after: [started] })
  const wait = { kind: 'wait-container', condition: 'serving', required: true } as const
  const which = `${position} of ${update.replaced.length} to be updated`
  let proven = plan.add({ ...wait, cause: which, ...hooked }, up)
  const takenOver = passes ? planTakeOver(plan, service, { ...hooked, from: old.id }, [proven]) : undefined
  if (takenOver !== undefined) proven = takenOver
  if (config.monitor) proven = planMonitor(plan, hooked, config.monitor, [proven])
  const drained = passes ? planDraining(plan, { ...on(old), name }, timeout, [proven]) : proven
  const stopped = order.first === 'stop' ? stoppedFirst : stop([drained])
  return { replaced, first, container, created, started, takenOver, proven, stopped }
}

/** The old one gives its name up, and in the last batch goes, once all of that batch are proven. */
function planChange(
  plan: EnginePlan,
  { service, renewAnonVolumes: volumes }: Update,
  { replaced, first, ...trial }: Trial,
  { isLast, proven }: { readonly isLast: boolean; readonly proven: readonly NodeId[] },
): Turn {
  const { old, name } = replaced
  const { container, stopped, created } = trial
  const after = [trial.proven, ...(stopped === undefined ? [] : [stopped])]
  const cause = `replaced by #${created}`
  const kept = `kept until ${service.name} is updated`
  // they stand side by side in the plan
  const trials = plan.nodes
    .filter(
      ({ id, operation }) =>
        id >= first && id <= trial.proven && !('container' in operation && operation.container === old.id),
    )
    .map(({ id }) => id)
  const retired = isLast
    ? planRetired(plan, { old, name, cause, volumes }, [...after, ...proven])
    : plan.add({ kind: 'rename-container', cause: kept, ...on(old), name, to: retiredName(old.id, name) }, after)
  const named = plan.add(
    { kind: 'rename-container', cause: 'its name is free', name, service: service.name, container },
    [retired],
  )
  const end = [...(stopped === undefined ? [] : [stopped]), retired, named]
  return { name, container, old, trials, nodes: [...trials, ...end], created, ...turnNodes(trial), retired, named }
}

function turnNodes({
  started,
  takenOver,
  stopped,
}: Omit<Trial, 'replaced' | 'first'>): Pick<Turn, 'started' | 'takenOver' | 'stopped'> {
  return { started, takenOver, stopped }
}

interface Retired {
  readonly old: ObservedContainer
  readonly name: string
  readonly cause: string
  /** With its anonymous volumes. */
  readonly volumes: boolean
}

/** Removes a container that has been replaced. */
export function planRetired(
  plan: EnginePlan,
  { old, name, cause, volumes }: Retired,
  after: readonly NodeId[],
): NodeId {
  return plan.add({ kind: 'remove-container', cause, ...on(old), name, force: false, volumes, keepsLog: true }, after)
}
