/** A typed look at a finished tree: what is not there is undefined, what is there was checked before. */
import { textOf } from './fields/forms.ts'
import { get, type Node } from './tree.ts'

export class View {
  readonly node: Node | undefined
  readonly path: readonly string[]

  constructor(node: Node | undefined, path: readonly string[]) {
    this.node = node
    this.path = path
  }

  at(key: string): View {
    return new View(get(this.node, key), [...this.path, key])
  }

  has(key: string): boolean {
    const node = get(this.node, key)
    return node !== undefined && !(node.kind === 'scalar' && node.value === null)
  }

  /** Text; empty text counts as nothing. */
  text(key: string): string | undefined {
    const node = get(this.node, key)
    if (node?.kind !== 'scalar' || node.value === null) return undefined
    return textOf(node) || undefined
  }

  number(key: string): number | undefined {
    const node = get(this.node, key)
    return node?.kind === 'scalar' && typeof node.value === 'number' ? node.value : undefined
  }

  /** A number other than zero, where zero means "not set". */
  positive(key: string): number | undefined {
    return this.number(key) || undefined
  }

  bool(key: string): boolean | undefined {
    const node = get(this.node, key)
    return node?.kind === 'scalar' && typeof node.value === 'boolean' ? node.value : undefined
  }

  texts(key: string): readonly string[] {
    const node = get(this.node, key)
    if (node?.kind === 'scalar' && node.value !== null) return [textOf(node)]
    return node?.kind === 'list' ? node.items.flatMap(item => (item.kind === 'scalar' ? [textOf(item)] : [])) : []
  }

  /** A list, where an empty one differs from none. */
  words(key: string): readonly string[] | undefined {
    return get(this.node, key)?.kind === 'list' ? this.texts(key) : undefined
  }

  views(key: string): readonly View[] {
    const node = get(this.node, key)
    return node?.kind === 'list'
      ? node.items.map((item, index) => new View(item, [...this.path, key, String(index)]))
      : []
  }

  members(): ReadonlyArray<readonly [string, View]> {
    const { node } = this
    return node?.kind === 'map'
      ? [...node.entries].map(([key, member]) => [key, new View(member, [...this.path, key])] as const)
      : []
  }

  /** A map of text; values without one are empty. */
  strings(key: string): Readonly<Record<string, string>> {
    const result: Record<string, string> = Object.create(null)
    for (const [name, value] of Object.entries(this.nullable(key))) result[name] = value ?? ''
    return result
  }

  /** A map of text or null. */
  nullable(key: string): Readonly<Record<string, string | null>> {
    const result: Record<string, string | null> = Object.create(null)
    const node = get(this.node, key)
    if (node?.kind === 'map')
      for (const [name, value] of node.entries)
        if (value.kind === 'scalar') result[name] = value.value === null ? null : textOf(value)
    return result
  }
}
