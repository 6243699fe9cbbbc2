/** The plans that turn what is there: stop, start, restart, kill, pause, rm; a stack file is not needed. */
import { layers } from '../../../graph/order.ts'
import { sharedNamespaces } from '../../../graph/services.ts'
import { Failure } from '../../../lib/failure.ts'
import type { Dependency } from '../../../model/dependency.ts'
import type { NodeId } from '../../../plan/operation.ts'
import { EnginePlan } from '../engine-plan.ts'
import type { Observed, ObservedContainer } from '../observed.ts'
import { isLive, on, planRemoval, planStopping } from './ending.ts'
import { planHooks } from './hooks.ts'
import { Inits } from './inits.ts'
import { chosen, type ServicesOption, serviceOf, type Target } from './scope.ts'
import { dependenciesOf, forward, graphOf, type Ready, reversed } from './service-order.ts'

export interface StopOptions extends ServicesOption {
  /** Seconds. */
  readonly timeout?: number | undefined
}

export function planStop(target: Target, observed: Observed, { services, timeout }: StopOptions = {}): EnginePlan {
  const plan = new EnginePlan()
  const containers = chosen('stop', target, { observed, services })
  for (const { name } of containers.filter(each => !isLive(each))) plan.keep(name, 'stopped')
  reversed(target, containers.filter(isLive), (container, after) =>
    planStopping(plan, container, { ...asked(target, container), timeout, after }),
  )
  return plan
}

export interface StartOptions extends ServicesOption {
  /** Until all of it is healthy, or runs where it has no check. */
  readonly wait?: boolean
}

/**
 * Starts what does not run, and what it depends on before it, waiting for conditions. What has no container is passed over, as with Compose,
 * with a word.
 * @throws Failure `not-found` when there is no container at all, or when one would wait for what is not there.
 */
export function planStart(target: Target, observed: Observed, { services, wait }: StartOptions = {}): EnginePlan {
  const plan = new EnginePlan()
  // Compose's text, which scripts look for
  if (!('services' in target) && observed.containers.every(({ oneOff }) => oneOff))
    throw new Failure('not-found', `no container found for project "${target.name}": not found`)
  const named = services && withNeeded(target, observed, services)
  const all = chosen('start', target, { observed, services: named })
  checkStartable(plan, target, {
    names: named ?? ('services' in target ? Object.keys(target.services) : []),
    observed,
    all,
  })
  const waits = new Map<string, NodeId>()
  const starts = new Map<string, NodeId>()
  const initsOf = startInits(plan, target, { observed, all })
  forward(target, all, (container, after) => {
    const gates = conditionWaits(plan, dependenciesOf(target, container), { container, all, after, waits })
    const before = [...after.values()].flat().concat(gates)
    // what runs already is wanted with what it needs; the engine says why a paused one cannot be started
    if (isLive(container) && container.state !== 'paused') return gates.length > 0 ? before : []
    const cause = container.state === 'paused' ? 'it is paused' : 'it is not running'
    const ready = container.state === 'paused' ? before : initsOf(container.service)(container, before)
    const started = plan.add({ kind: 'start-container', cause, ...on(container) }, ready)
    starts.set(container.name, started)
    const hooks = { service: serviceOf(target, container.service), on: on(container), after: [started] }
    return planHooks(plan, 'post_start', hooks)
  })
  const ready = { kind: 'wait-container', cause: 'asked for', condition: 'ready', required: true } as const
  for (const container of wait ? all : []) {
    const started = starts.get(container.name)
    plan.add({ ...ready, ...on(container) }, started === undefined ? [] : [started])
  }
  return plan
}

type Prepared = (container: ObservedContainer, after: readonly NodeId[]) => readonly NodeId[]

/** What comes before a container of each service starts: nothing without a stack, which alone tells of it. */
function startInits(
  plan: EnginePlan,
  target: Target,
  { observed, all }: { readonly observed: Observed; readonly all: readonly ObservedContainer[] },
): (service: string) => Prepared {
  const found = new Map<string, Inits>()
  const first = (name: string) => observed.containers.filter(each => each.service === name && !each.oneOff)
  return name => (container, after) => {
    const service = serviceOf(target, name)
    if (!service || !('services' in target)) return after
    const inits =
      found.get(name) ??
      new Inits(plan, {
        project: target,
        service,
        files: observed.files,
        due: !all.some(each => each.service === name && isLive(each)),
        image: () => undefined,
        container: needed => first(needed)[0]?.id ?? needed,
        containerNames: needed => first(needed).map(each => each.name),
      })
    found.set(name, inits)
    return inits.before({ ...on(container), number: container.number ?? 1 }, after)
  }
}

/** Those named and all they depend on. */
function withNeeded(target: Target, observed: Observed, services: readonly string[]): readonly string[] {
  // a name that nobody knows is told of where containers are chosen
  const graph = graphOf(target, observed.containers)
  const known = services.filter(name => graph.nodes.includes(name))
  return [...new Set([...services, ...graph.closure(known)])]
}

interface Startable {
  readonly names: readonly string[]
  readonly observed: Observed
  /** Those of the services of these names. */
  readonly all: readonly ObservedContainer[]
}

function checkStartable(plan: EnginePlan, target: Target, { names, observed, all }: Startable): void {
  const none = observed.containers.every(({ oneOff }) => oneOff)
  for (const name of names) {
    const service = serviceOf(target, name)
    if (service === undefined || service.replicas === 0 || all.some(each => each.service === name)) continue
    const hint = `Create it with "tscompose up ${name}"`
    const waiting = all.find(each => dependenciesOf(target, each).some(needed => isWaitedFor(needed, name)))
    if (waiting) throw new Failure('not-found', `${waiting.service} is missing dependency ${name}`, { hint })
    const message = `service "${name}" has no container to start`
    if (none) throw new Failure('not-found', message, { hint })
    plan.warn(`${message}: "tscompose up ${name}" makes one`)
  }
}

function isWaitedFor({ service, condition, required }: Dependency, name: string): boolean {
  return service === name && condition !== 'started' && required
}

interface WaitsInput {
  readonly container: ObservedContainer
  readonly all: readonly ObservedContainer[]
  /** What it needs. */
  readonly after: Ready
  readonly waits: Map<string, NodeId>
}

function conditionWaits(
  plan: EnginePlan,
  dependencies: readonly Dependency[],
  { container, all, after, waits }: WaitsInput,
): readonly NodeId[] {
  const nodes: NodeId[] = []
  for (const dependency of dependencies) {
    const { condition, required } = dependency
    if (condition === 'started') continue
    for (const needed of all.filter(c => c.service === dependency.service)) {
      const started = after.get(needed.id)
      if (started === undefined && needed.health === 'healthy' && condition === 'healthy') continue
      const key = `${needed.id} ${condition} ${required}`
      const cause = `${container.service} needs ${needed.service} ${condition}`
      const wait = { kind: 'wait-container', cause, ...on(needed), condition, required } as const
      const node = waits.get(key) ?? plan.add(wait, started ?? [])
      waits.set(key, node)
      nodes.push(node)
    }
  }
  return nodes
}

export interface RestartOptions extends StopOptions {
  /** Not those that follow by `restart: true` or a shared namespace. */
  readonly noDeps?: boolean
}

/** Restarts those named, dependencies first, and then those that are to follow them, as soon as what they need is as they need it. */
export function planRestart(target: Target, observed: Observed, options: RestartOptions = {}): EnginePlan {
  const plan = new EnginePlan()
  const { services, timeout } = options
  const named = chosen('restart', target, { observed, services })
  const causes = new Map(named.map(container => [container.service, 'asked for']))
  const own = observed.containers.filter(c => !c.oneOff)
  if (!options.noDeps)
    for (const name of layers(graphOf(target, own)).flat()) {
      const service = serviceOf(target, name)
      const first = own.find(c => c.service === name)
      const needs = service ? Object.values(service.dependsOn) : first ? dependenciesOf(target, first) : []
      const follows = needs.flatMap(each => (each.restart ? [each.service] : []))
      // with some engines a namespace ends with its owner's process
      const moved = [...follows, ...(service ? sharedNamespaces(service) : [])].find(needed => causes.has(needed))
      if (moved !== undefined && !causes.has(name)) causes.set(name, `${moved} is restarted`)
    }
  const containers = own.filter(c => causes.has(c.service))
  const waits = new Map<string, NodeId>()
  forward(target, containers, (container, needed) => {
    const service = serviceOf(target, container.service)
    const hooked = { service, on: on(container) }
    const ready = conditionWaits(plan, followed(target, container), {
      container,
      all: containers,
      after: needed,
      waits,
    })
    const after = [...needed.values()].flat().concat(ready)
    const before = container.state === 'running' ? planHooks(plan, 'pre_stop', { ...hooked, after }) : after
    const cause = causes.get(container.service)!
    const restarted = plan.add({ kind: 'restart-container', cause, ...on(container), timeout }, before)
    return planHooks(plan, 'post_start', { ...hooked, after: [restarted] })
  })
  return plan
}

/** What a container is restarted with. */
function followed(target: Target, container: ObservedContainer): readonly Dependency[] {
  return dependenciesOf(target, container).filter(({ restart }) => restart)
}

export interface KillOptions extends ServicesOption {
  readonly signal?: string | undefined
  /** Those of services that the stack does not have, too. */
  readonly removeOrphans?: boolean
}

export function planKill(target: Target, observed: Observed, options: KillOptions = {}): EnginePlan {
  const plan = new EnginePlan()
  const { services, signal = 'SIGKILL', removeOrphans } = options
  const every = removeOrphans && services === undefined
  const containers = every ? observed.containers : chosen('kill', target, { observed, services })
  for (const container of containers.filter(isLive))
    plan.add({ kind: 'kill-container', cause: 'asked for', ...on(container), signal })
  return plan
}

/** Of one that is paused already the engine says so. */
export function planPause(target: Target, observed: Observed, { services }: ServicesOption = {}): EnginePlan {
  const plan = new EnginePlan()
  for (const container of chosen('pause', target, { observed, services }).filter(isLive))
    plan.add({ kind: 'pause-container', cause: 'asked for', ...on(container) })
  return plan
}

/** Of one that is not paused the engine says so. */
export function planUnpause(target: Target, observed: Observed, { services }: ServicesOption = {}): EnginePlan {
  const plan = new EnginePlan()
  for (const container of chosen('unpause', target, { observed, services }).filter(isLive))
    plan.add({ kind: 'unpause-container', cause: 'asked for', ...on(container) })
  return plan
}

export interface RemoveOptions extends StopOptions {
  /** Anonymous volumes too. */
  readonly volumes?: boolean
}

/** Removes what does not run; see `planStop` for what does. */
export function planRemove(target: Target, observed: Observed, options: RemoveOptions = {}): EnginePlan {
  const plan = new EnginePlan()
  const { services, timeout, volumes = false } = options
  const containers = chosen('remove', target, { observed, services }).filter(container => !isLive(container))
  reversed(target, containers, (container, after) =>
    planRemoval(plan, container, { ...asked(target, container), timeout, after, volumes }),
  )
  return plan
}

function asked(target: Target, container: ObservedContainer) {
  return { cause: 'asked for', service: serviceOf(target, container.service) }
}
