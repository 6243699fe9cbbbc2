/** The order in which containers are ended or started: by the stack, and by labels for services that are not in it. */
import { Graph } from '../../../graph/graph.ts'
import { findCycle, layers } from '../../../graph/order.ts'
import { serviceGraph } from '../../../graph/services.ts'
import type { Dependency } from '../../../model/dependency.ts'
import type { NodeId } from '../../../plan/operation.ts'
import { labels, parseDependencies } from '../labels.ts'
import type { ObservedContainer } from '../observed.ts'
import { serviceOf, type Target } from './scope.ts'

/** What a container waits for and follows: by the stack, and by its label for a service that is not in it. */
export function dependenciesOf(target: Target, container: ObservedContainer): readonly Dependency[] {
  const service = serviceOf(target, container.service)
  return service ? Object.values(service.dependsOn) : parseDependencies(container.labels[labels.dependsOn])
}

/** Who needs whom among the containers' services: by the stack, and by labels for those that are not in it. */
export function graphOf(target: Target, containers: readonly ObservedContainer[]): Graph {
  const graph = new Graph()
  if ('services' in target) {
    const all = { ...target.disabledServices, ...target.services }
    for (const { from, to } of serviceGraph({ ...target, services: all }).edges) graph.addEdge(from, to, 'stack')
  }
  for (const container of containers) {
    graph.addNode(container.service)
    if ('services' in target && Object.hasOwn(target.services, container.service)) continue
    for (const { service: needed } of dependenciesOf(target, container))
      if (needed !== container.service) graph.addEdge(container.service, needed, 'label')
  }
  if (findCycle(graph) === undefined) return graph
  // labels of different times can contradict each other: then order does not matter, ending what runs does
  const flat = new Graph()
  for (const node of graph.nodes) flat.addNode(node)
  return flat
}

/** Adds a node for each container after those of all that need it; returns container → node. */
export function reversed(
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

/** Container → nodes after which it is as those that need it want it. */
export type Ready = ReadonlyMap<string, readonly NodeId[]>

/** Adds nodes for each container after those it needs, which it is given; none for one that is ready. */
export function forward(
  target: Target,
  containers: readonly ObservedContainer[],
  add: (container: ObservedContainer, after: Ready) => readonly NodeId[],
): void {
  const graph = graphOf(target, containers)
  const done = new Map<string, Ready>()
  for (const name of layers(graph).flat()) {
    const after = new Map(graph.dependencies(name).flatMap(needed => [...(done.get(needed) ?? [])]))
    const own = new Map<string, readonly NodeId[]>()
    for (const container of containers.filter(c => c.service === name)) {
      const nodes = add(container, after)
      if (nodes.length > 0) own.set(container.id, nodes)
    }
    done.set(name, own.size > 0 ? own : after)
  }
}
