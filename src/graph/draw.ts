/** A graph as text for other tools: Mermaid, Graphviz, JSON. */
import type { Graph } from './graph.ts'
import { layers } from './order.ts'

export const drawFormats = ['mermaid', 'dot', 'json'] as const
export type DrawFormat = (typeof drawFormats)[number]

/** Ends with a newline. Edges go from what needs to what is needed. */
export function draw(graph: Graph, format: DrawFormat): string {
  switch (format) {
    case 'mermaid':
      return mermaid(graph)
    case 'dot':
      return dot(graph)
    case 'json':
      return `${JSON.stringify({ nodes: graph.nodes, edges: graph.edges, layers: layers(graph) }, null, 2)}\n`
    default:
      return format satisfies never
  }
}

function mermaid(graph: Graph): string {
  // names may hold what Mermaid takes for syntax ("end", dots): numbered ids, names as quoted text
  const ids = new Map(graph.nodes.map((name, i) => [name, `n${i}`]))
  const nodes = graph.nodes.map(name => `  ${ids.get(name)}["${name}"]`)
  const edges = graph.edges.map(e => `  ${ids.get(e.from)} -->|${e.labels.join(', ')}| ${ids.get(e.to)}`)
  return `${['flowchart TD', ...nodes, ...edges].join('\n')}\n`
}

function dot(graph: Graph): string {
  const nodes = graph.nodes.map(name => `  ${JSON.stringify(name)};`)
  const edges = graph.edges.map(
    e => `  ${JSON.stringify(e.from)} -> ${JSON.stringify(e.to)} [label=${JSON.stringify(e.labels.join(', '))}];`,
  )
  return `${['digraph stack {', '  rankdir=LR;', '  node [shape=box];', ...nodes, ...edges, '}'].join('\n')}\n`
}
