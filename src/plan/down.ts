/** The plans that end or turn what runs: down, stop, start, restart, kill, pause, rm; a stack file is not needed. */
import { Graph } from '../graph/graph.ts'
import { findCycle, layers } from '../graph/order.ts'
import { serviceGraph, sharedNamespaces } from '../graph/services.ts'
import { Failure } from '../lib/failure.ts'
import type { Project } from '../model/project.ts'
import { labels, parseDependencies } from './labels.ts'
import { imageName } from './names.ts'
import { isLive } from './networks.ts'
import type { Observed, ObservedContainer } from './observed.ts'
import type { NodeId, Operation } from './operation.ts'
import { Plan } from './plan.ts'
import { planRemoval } from './services.ts'

/** By name alone when there is no stack file: then its containers' labels tell who depends on whom. */
export type Target = Project | { readonly name: string }

export interface ServicesOption {
  /** Undefined: all. */
  readonly services?: readonly string[]
}

export interface DownOptions extends ServicesOption {
  readonly removeOrphans?: boolean
  /** Named and anonymous volumes too, except external ones. */
  readonly volumes?: boolean
  /** local: images without a name of their own; all. */
  readonly images?: 'local' | 'all'
  /** Seconds. */
  readonly timeout?: number
}

/** Dependents first; what nothing needs is stopped side by side, so that graces overlap. Without a stack file everything of the project goes. */
export function planDown(target: Target, observed: Observed, options: DownOptions = {}): Plan {
  const plan = new Plan()
  const { timeout, volumes = false } = options
  const whole = options.services === undefined
  const containers = chosen(target, observed, options.services).filter(
    c => !isOrphan(target, c) || options.removeOrphans || !('services' in target),
  )
  const gone = reversed(target, containers, (container, after) =>
    planRemoval(plan, container, { cause: downCause(target, container), timeout, after, volumes }),
  )
  if (!whole) return plan
  const ours = (own: Readonly<Record<string, string>>): boolean => own[labels.project] === target.name
  for (const network of sortedByName(observed.networks.values()))
    if (ours(network.labels)) {
      const attached = containers.filter(c => Object.hasOwn(c.networks, network.name)).map(c => gone.get(c.id)!)
      plan.add({ kind: 'remove-network', cause: 'asked for', name: network.name, id: network.id }, attached)
    }
  if (volumes)
    for (const volume of sortedByName(observed.volumes.values()))
      if (ours(volume.labels)) {
        const mounted = containers.filter(c => c.volumes.some(v => v.name === volume.name)).map(c => gone.get(c.id)!)
        plan.add({ kind: 'remove-volume', cause: 'asked for', name: volume.name }, mounted)
      }
  if (options.images && 'services' in target)
    removeImages(plan, target, { observed, containers, gone, which: options.images })
  return plan
}

function downCause(target: Target, container: ObservedContainer): string {
  return isOrphan(target, container) ? `service ${container.service} is not in the stack` : 'asked for'
}

interface ImagesInput {
  readonly observed: Observed
  readonly containers: readonly ObservedContainer[]
  readonly gone: ReadonlyMap<string, NodeId>
  readonly which: 'local' | 'all'
}

function removeImages(plan: Plan, project: Project, { observed, containers, gone, which }: ImagesInput): void {
  const names = Object.values(project.services).flatMap(service => {
    const name = imageName(project, service)
    return name === undefined || (which === 'local' && service.image !== undefined) ? [] : [name]
  })
  for (const name of [...new Set(names)].sort()) {
    const id = observed.images.get(name)?.id
    if (id === undefined) continue
    const users = containers.filter(container => container.imageId === id).map(container => gone.get(container.id)!)
    plan.add({ kind: 'remove-image', cause: 'asked for', name }, users)
  }
}

export interface StopOptions extends ServicesOption {
  readonly timeout?: number
}

export function planStop(target: Target, observed: Observed, options: StopOptions = {}): Plan {
  const plan = new Plan()
  const containers = chosen(target, observed, options.services).filter(isLive)
  reversed(target, containers, (container, after) =>
    plan.add({ kind: 'stop-container', ...on(container), timeout: options.timeout }, after),
  )
  return plan
}

/** Starts what exists and does not run, dependencies first, waiting for their conditions. */
export function planStart(target: Target, observed: Observed, options: ServicesOption = {}): Plan {
  const plan = new Plan()
  const all = chosen(target, observed, options.services).filter(container => !container.oneOff)
  const waits = new Map<string, NodeId>()
  forward(target, all, (container, after) => {
    if (isLive(container)) return undefined
    const gates = 'services' in target ? conditionWaits(plan, target, { container, all, after, waits }) : []
    return plan.add({ kind: 'start-container', ...on(container, 'it is not running') }, [...values(after), ...gates])
  })
  return plan
}

interface WaitsInput {
  readonly container: ObservedContainer
  readonly all: readonly ObservedContainer[]
  /** Container → node of what it needs. */
  readonly after: ReadonlyMap<string, NodeId>
  readonly waits: Map<string, NodeId>
}

function conditionWaits(plan: Plan, project: Project, { container, all, after, waits }: WaitsInput): readonly NodeId[] {
  const nodes: NodeId[] = []
  for (const dependency of Object.values(project.services[container.service]?.dependsOn ?? {})) {
    const { condition, required } = dependency
    if (condition === 'started') continue
    for (const needed of all.filter(c => c.service === dependency.service)) {
      const started = after.get(needed.id)
      if (started === undefined && needed.health === 'healthy' && condition === 'healthy') continue
      const key = `${needed.id} ${condition} ${required}`
      const cause = `${container.service} needs ${needed.service} ${condition}`
      const wait = { kind: 'wait-container', ...on(needed, cause), condition, required } as const
      const node = waits.get(key) ?? plan.add(wait, started === undefined ? [] : [started])
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

/** Restarts those named, dependencies first, and then those that are to follow them. */
export function planRestart(target: Target, observed: Observed, options: RestartOptions = {}): Plan {
  const plan = new Plan()
  const { timeout } = options
  const named = chosen(target, observed, options.services).filter(container => !container.oneOff)
  const causes = new Map(named.map(container => [container.service, 'asked for']))
  if (!options.noDeps && 'services' in target)
    for (const name of layers(serviceGraph(target)).flat()) {
      const service = target.services[name]!
      const follows = Object.values(service.dependsOn).flatMap(d => (d.restart ? [d.service] : []))
      // with some engines a namespace ends with its owner's process
      const moved = [...follows, ...sharedNamespaces(service)].find(needed => causes.has(needed))
      if (moved !== undefined && !causes.has(name)) causes.set(name, `${moved} is restarted`)
    }
  const containers = observed.containers.filter(c => causes.has(c.service) && !c.oneOff)
  forward(target, containers, (container, after) =>
    plan.add({ kind: 'restart-container', ...on(container, causes.get(container.service)), timeout }, values(after)),
  )
  return plan
}

export interface KillOptions extends ServicesOption {
  readonly signal?: string
  readonly removeOrphans?: boolean
}

export function planKill(target: Target, observed: Observed, options: KillOptions = {}): Plan {
  const plan = new Plan()
  const containers = chosen(target, observed, options.services).filter(c => isLive(c) && !isOrphan(target, c))
  for (const container of containers)
    plan.add({ kind: 'kill-container', ...on(container), signal: options.signal ?? 'SIGKILL' })
  if (options.removeOrphans)
    for (const orphan of chosen(target, observed, undefined).filter(c => isOrphan(target, c)))
      planRemoval(plan, orphan, { cause: downCause(target, orphan), timeout: undefined })
  return plan
}

export function planPause(target: Target, observed: Observed, options: ServicesOption = {}): Plan {
  const plan = new Plan()
  for (const container of chosen(target, observed, options.services))
    if (container.state === 'running') plan.add({ kind: 'pause-container', ...on(container) })
  return plan
}

export function planUnpause(target: Target, observed: Observed, options: ServicesOption = {}): Plan {
  const plan = new Plan()
  for (const container of chosen(target, observed, options.services))
    if (container.state === 'paused') plan.add({ kind: 'unpause-container', ...on(container) })
  return plan
}

export interface RemoveOptions extends StopOptions {
  /** Running ones are stopped first; otherwise they are left alone. */
  readonly stop?: boolean
  /** Anonymous volumes too. */
  readonly volumes?: boolean
}

export function planRemove(target: Target, observed: Observed, options: RemoveOptions = {}): Plan {
  const plan = new Plan()
  const { stop = false, timeout, volumes = false } = options
  const containers = chosen(target, observed, options.services).filter(c => stop || !isLive(c))
  reversed(target, containers, (container, after) =>
    planRemoval(plan, container, { cause: 'asked for', timeout, after, volumes }),
  )
  return plan
}

function on(container: ObservedContainer, cause = 'asked for') {
  const { name, id } = container
  return { cause, name, service: container.service || undefined, container: id } satisfies Partial<Operation>
}

/** @throws Failure `not-found` for a service of which neither stack nor engine knows. */
function chosen(
  target: Target,
  observed: Observed,
  services: readonly string[] | undefined,
): readonly ObservedContainer[] {
  if (services === undefined) return observed.containers
  for (const name of services) {
    const known =
      'services' in target && (Object.hasOwn(target.services, name) || Object.hasOwn(target.disabledServices, name))
    if (!known && !observed.containers.some(container => container.service === name))
      throw new Failure('not-found', `no such service: ${name}`)
  }
  return observed.containers.filter(container => services.includes(container.service))
}

function isOrphan(target: Target, { service, oneOff }: ObservedContainer): boolean {
  if (!('services' in target) || oneOff) return false
  return !Object.hasOwn(target.services, service) && !Object.hasOwn(target.disabledServices, service)
}

/** Who needs whom among the containers' services: by the stack, and by labels for those that are not in it. */
function graphOf(target: Target, containers: readonly ObservedContainer[]): Graph {
  const graph = new Graph()
  if ('services' in target) {
    const all = { ...target.disabledServices, ...target.services }
    for (const { from, to } of serviceGraph({ ...target, services: all }).edges) graph.addEdge(from, to, 'stack')
  }
  for (const container of containers) {
    graph.addNode(container.service)
    if ('services' in target && Object.hasOwn(target.services, container.service)) continue
    for (const needed of parseDependencies(container.labels[labels.dependsOn]))
      if (needed !== container.service) graph.addEdge(container.service, needed, 'label')
  }
  if (findCycle(graph) === undefined) return graph
  // labels of different times can contradict each other: then order does not matter, ending what runs does
  const flat = new Graph()
  for (const node of graph.nodes) flat.addNode(node)
  return flat
}

/** Adds a node for each container after those of all that need it; returns container → node. */
function reversed(
  target: Target,
  containers: readonly ObservedContainer[],
  add: (container: ObservedContainer, after: readonly NodeId[]) => NodeId,
): ReadonlyMap<string, NodeId> {
  const graph = graphOf(target, containers)
  const nodes = new Map<string, NodeId>()
  const before = new Map<string, readonly NodeId[]>()
  for (const name of layers(graph).flat().toReversed()) {
    // one that has no container hands on those before it
    const after = [...new Set(graph.dependents(name).flatMap(dependent => before.get(dependent) ?? []))]
    const own = containers.filter(container => container.service === name)
    for (const container of own) nodes.set(container.id, add(container, after))
    before.set(name, own.length > 0 ? own.map(container => nodes.get(container.id)!) : after)
  }
  return nodes
}

/** Adds a node for each container after those it needs, which it is given. */
function forward(
  target: Target,
  containers: readonly ObservedContainer[],
  add: (container: ObservedContainer, after: ReadonlyMap<string, NodeId>) => NodeId | undefined,
): void {
  const graph = graphOf(target, containers)
  const done = new Map<string, ReadonlyMap<string, NodeId>>()
  for (const name of layers(graph).flat()) {
    const after = new Map(graph.dependencies(name).flatMap(needed => [...(done.get(needed) ?? [])]))
    const own = new Map<string, NodeId>()
    for (const container of containers.filter(c => c.service === name)) {
      const node = add(container, after)
      if (node !== undefined) own.set(container.id, node)
    }
    done.set(name, own.size > 0 ? own : after)
  }
}

function values(nodes: ReadonlyMap<string, NodeId>): readonly NodeId[] {
  return [...nodes.values()]
}

function sortedByName<T extends { readonly name: string }>(items: Iterable<T>): readonly T[] {
  return [...items].sort((a, b) => (a.name < b.name ? -1 : 1))
}
