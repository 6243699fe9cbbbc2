/** The attributes of the format by path, and where a stack uses them: what a target's support is told by. */
import type { Place } from '../lib/problems.ts'
import { stack } from './fields.ts'
import { longShape, type Shape } from './grammar.ts'
import { isNull, type Node, placeOf } from './tree.ts'

/** The path of every key the grammar knows. */
export function attributePaths(): readonly string[] {
  const paths: string[] = []
  const visit = (shape: Shape, path: string): void => {
    // Some attributes stand in the short form alone: `external.name`.
    if (shape.long) walk(shape, path)
    walk(longShape(shape), path)
  }
  const walk = (long: Shape, path: string): void => {
    if (long.kind === 'object')
      for (const [key, field] of Object.entries(long.fields)) {
        const at = path === '' ? key : `${path}.${key}`
        paths.push(at)
        visit(field, at)
      }
    else if (long.kind === 'map') visit(long.values, `${path}.*`)
    else if (long.kind === 'list') visit(long.items, `${path}.*`)
    else if (long.kind === 'choice') for (const option of long.options) visit(option, path)
  }
  visit(stack, '')
  return [...new Set(paths)]
}

type Plain = string | number | boolean

/** One use of an attribute in a stack. */
export interface Use {
  /** "services.*.ports.*.name": `*` stands for a name or an index. */
  readonly attribute: string
  readonly path: readonly string[]
  readonly place: Place | undefined
  /** Of a scalar, or of each item of a list that has no other. */
  readonly value: Value | readonly Plain[]
  /** Of the scalar at another path of the same stack. */
  readonly valueAt: (path: readonly string[]) => Value
}

type Value = Plain | undefined

interface Branch {
  readonly next: Map<string, Branch>
  attribute?: string
}

/** Every use of `attributes` in a tree; what a default set is none. */
export function usesOf(tree: Node, attributes: Iterable<string>): readonly Use[] {
  const uses: Use[] = []
  const visit = (node: Node, branch: Branch, path: readonly string[]): void => {
    if (branch.attribute !== undefined && !isNull(node) && node.source !== undefined)
      uses.push({
        attribute: branch.attribute,
        path,
        place: placeOf(node, 'key'),
        value: plainValue(node),
        valueAt: to => scalarOf(nodeAt(tree, to)),
      })
    if (node.kind === 'scalar' || branch.next.size === 0) return
    const any = branch.next.get('*')
    if (any) {
      const members = node.kind === 'map' ? node.entries : node.items.entries()
      for (const [key, member] of members) visit(member, any, [...path, String(key)])
    } else if (node.kind === 'map')
      for (const [key, inner] of branch.next) {
        const member = node.entries.get(key)
        if (member) visit(member, inner, [...path, key])
      }
  }
  visit(tree, trunkOf(attributes), [])
  return uses
}

function scalarOf(node: Node | undefined): Value {
  return node?.kind === 'scalar' ? (node.value ?? undefined) : undefined
}

function nodeAt(tree: Node, path: readonly string[]): Node | undefined {
  let node: Node | undefined = tree
  for (const key of path) node = node?.kind === 'map' ? node.entries.get(key) : undefined
  return node
}

function plainValue(node: Node): Use['value'] {
  if (node.kind !== 'list') return scalarOf(node)
  const values = node.items.flatMap(item => (item.kind === 'scalar' ? (item.value ?? []) : []))
  return values.length === node.items.length && values.length > 0 ? values : undefined
}

function trunkOf(attributes: Iterable<string>): Branch {
  const trunk: Branch = { next: new Map() }
  for (const attribute of attributes) {
    let at = trunk
    for (const key of attribute.split('.')) {
      const branch: Branch = at.next.get(key) ?? { next: new Map() }
      at.next.set(key, branch)
      at = branch
    }
    at.attribute = attribute
  }
  return trunk
}
