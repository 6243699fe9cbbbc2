/** A directed graph with labelled edges; knows nothing of services. */

export interface Edge {
  readonly from: string
  readonly to: string
  /** Why it is there, in the order it was said; at least one. */
  readonly labels: readonly string[]
}

/** An edge goes from what needs to what is needed. */
export class Graph {
  readonly #edges = new Map<string, Map<string, string[]>>()
  readonly #dependents = new Map<string, Set<string>>()

  addNode(id: string): void {
    if (this.#edges.has(id)) return
    this.#edges.set(id, new Map())
    this.#dependents.set(id, new Set())
  }

  /** Adds both ends too; a second edge between them adds its label. */
  addEdge(from: string, to: string, label: string): void {
    this.addNode(from)
    this.addNode(to)
    const labels = this.#edges.get(from)!.get(to)
    if (labels === undefined) this.#edges.get(from)!.set(to, [label])
    else if (!labels.includes(label)) labels.push(label)
    this.#dependents.get(to)!.add(from)
  }

  /** Sorted, like all that follow. */
  get nodes(): readonly string[] {
    return [...this.#edges.keys()].sort()
  }

  get edges(): readonly Edge[] {
    return this.nodes.flatMap(from => this.dependencies(from).map(to => ({ from, to, labels: this.labels(from, to) })))
  }

  has(id: string): boolean {
    return this.#edges.has(id)
  }

  /** What `id` needs, directly. */
  dependencies(id: string): readonly string[] {
    return [...(this.#edges.get(id)?.keys() ?? [])].sort()
  }

  /** What needs `id`, directly. */
  dependents(id: string): readonly string[] {
    return [...(this.#dependents.get(id) ?? [])].sort()
  }

  labels(from: string, to: string): readonly string[] {
    return this.#edges.get(from)?.get(to) ?? []
  }

  /** `ids` and all they need, however far; those not in the graph are left out. */
  closure(ids: Iterable<string>): ReadonlySet<string> {
    const reached = new Set<string>()
    const open = [...ids].filter(id => this.has(id))
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (reached.has(id)) continue
      reached.add(id)
      open.push(...this.#edges.get(id)!.keys())
    }
    return reached
  }
}
