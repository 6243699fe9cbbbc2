/** File over file, by each field's rule: scalars are replaced, maps merged, lists joined and made unique by the field's key. */
import { longShape, memberShape, nothing, optionFor, type Shape } from './grammar.ts'
import { isNull, list, type MapNode, type Node } from './tree.ts'

/** `over` laid on `base`, both in long form; `shape` is the long shape. An empty value changes nothing, unless the field says so. */
export function merge(base: Node, over: Node, shape: Shape): Node {
  if (shape.merge) return after(base, shape.merge(base, over, shape))
  const option = shape.kind === 'choice' ? (optionFor(shape, isNull(over) ? base : over) ?? shape) : shape
  if (option !== shape && option.merge) return after(base, option.merge(base, over, option))
  if (isNull(over)) return option.nullable ? after(base, over) : base
  if (isNull(base)) return after(base, over)
  if (base.kind === 'map' && over.kind === 'map') return mergeMaps(base, over, option)
  if (base.kind === 'list' && over.kind === 'list') {
    const items = [...base.items, ...over.items]
    return list(option.kind === 'list' && option.key ? dedupe(items, option.key) : items, over)
  }
  return after(base, over)
}

export function mergeMaps(base: MapNode, over: MapNode, shape: Shape): MapNode {
  const entries = new Map(base.entries)
  for (const [key, value] of over.entries) {
    const before = entries.get(key)
    const member = memberShape(shape, key)
    entries.set(key, before === undefined ? value : merge(before, value, member ? longShape(member) : nothing))
  }
  return { ...over, entries }
}

/** Items that are the same by `key` become one: the last value, in the first position. */
export function dedupe(items: Node[], key: (item: Node) => string | undefined): Node[] {
  const at = new Map<string, number>()
  const result: Node[] = []
  for (const item of items) {
    const name = key(item)
    const index = name === undefined ? undefined : at.get(name)
    if (index !== undefined) {
      if (item.previous === undefined) item.previous = result[index]!
      result[index] = item
      continue
    }
    if (name !== undefined) at.set(name, result.length)
    result.push(item)
  }
  return result.length === items.length ? items : result
}

function after(base: Node, result: Node): Node {
  if (result !== base && result.previous === undefined) result.previous = base
  return result
}

/** Takes out of `tree` what a later document marks !reset or !override. */
export function applyResets(tree: Node, resets: readonly (readonly string[])[]): void {
  for (const path of resets) {
    let at: Node | undefined = tree
    for (const key of path.slice(0, -1)) {
      if (at?.kind === 'map') at = at.entries.get(key)
      else if (at?.kind === 'list') at = at.items[Number(key)]
      else at = undefined
    }
    const last = path.at(-1)
    if (at?.kind === 'map' && last !== undefined) at.entries.delete(last)
  }
}
