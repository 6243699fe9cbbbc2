/** The order in which a graph can be walked: layers, or the cycle that forbids one. */
import { Failure } from '../lib/failure.ts'
import type { Graph } from './graph.ts'

/**
 * Each layer needs only those before it; sorted within.
 * @throws Failure `invalid` with the cycle in full.
 */
export function layers(graph: Graph): readonly (readonly string[])[] {
  const { sorted, rest } = peel(graph)
  if (rest.size > 0)
    throw new Failure('invalid', `Cannot order the services: ${cycleIn(graph, rest).join(' → ')} need each other`, {
      hint: 'Remove one of these dependencies',
    })
  return sorted
}

/** What is needed before what needs it. */
export function order(graph: Graph): readonly string[] {
  return layers(graph).flat()
}

/** ["web", "api", "web"], beginning with the first by name; undefined when there is none. */
export function findCycle(graph: Graph): readonly string[] | undefined {
  const { rest } = peel(graph)
  return rest.size === 0 ? undefined : cycleIn(graph, rest)
}

/** Takes away, layer by layer, what needs nothing that is left; what stays is in a cycle or needs one. */
function peel(graph: Graph): { readonly sorted: readonly (readonly string[])[]; readonly rest: ReadonlySet<string> } {
  const open = new Map(graph.nodes.map(id => [id, graph.dependencies(id).length]))
  const sorted: string[][] = []
  let layer = [...open.keys()].filter(id => open.get(id) === 0)
  while (layer.length > 0) {
    sorted.push(layer)
    const next: string[] = []
    for (const id of layer) {
      open.delete(id)
      for (const dependent of graph.dependents(id)) {
        const left = open.get(dependent)! - 1
        open.set(dependent, left)
        if (left === 0) next.push(dependent)
      }
    }
    layer = next.sort()
  }
  return { sorted, rest: new Set(open.keys()) }
}

function cycleIn(graph: Graph, rest: ReadonlySet<string>): readonly string[] {
  const path: string[] = []
  let id = [...rest][0]!
  // each node left over needs another one left over, so the walk must meet itself
  while (!path.includes(id)) {
    path.push(id)
    id = graph.dependencies(id).find(needed => rest.has(needed))!
  }
  const cycle = path.slice(path.indexOf(id))
  const first = cycle.indexOf([...cycle].sort()[0]!)
  const turned = [...cycle.slice(first), ...cycle.slice(0, first)]
  return [...turned, turned[0]!]
}
