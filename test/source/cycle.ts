/** The first circle of a graph, as the nodes along it with the first again at the end; undefined when there is none. */
export function cycle(edges: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>()
  const path: string[] = []
  const walk = (node: string): readonly string[] | undefined => {
    if (done.has(node)) return undefined
    const at = path.indexOf(node)
    if (at >= 0) return [...path.slice(at), node]
    path.push(node)
    for (const next of edges.get(node) ?? []) {
      const found = walk(next)
      if (found) return found
    }
    path.pop()
    done.add(node)
    return undefined
  }
  for (const node of edges.keys()) {
    const found = walk(node)
    if (found) return found
  }
  return undefined
}
