/** Short forms that many fields share, to their long form. */
import { type Context, choice, type ListShape, listOf, type MapShape, mapTo, type Shape, text } from '../grammar.ts'
import { formatNumber } from '../scalars.ts'
import { list, map, type Node, placeOf, type ScalarNode, scalar } from '../tree.ts'

export const namePattern = /^[a-zA-Z0-9._-]+$/

/** Adds an error at a node. */
export function refuse(
  context: Context,
  node: Node,
  problem: { code: string; message: string; hint?: string; path?: readonly string[] },
): void {
  context.problems.add({
    severity: 'error',
    place: placeOf(node),
    path: problem.path ?? [...context.path],
    code: problem.code,
    message: problem.message,
    hint: problem.hint,
  })
}

/** Adds a warning at a node. */
export function warn(
  context: Context,
  node: Node,
  problem: { code: string; message: string; hint?: string; blocks?: readonly string[] },
): void {
  context.problems.add({ severity: 'warning', place: placeOf(node), path: [...context.path], ...problem })
}

/** The text of a scalar as Compose would print it. */
export function textOf(node: ScalarNode): string {
  if (node.text !== undefined) return node.text
  return typeof node.value === 'number' && !Number.isInteger(node.value)
    ? formatNumber(node.value)
    : String(node.value ?? '')
}

/** A number or boolean as text, where the format takes either. */
export function toText(node: Node, context?: Context): Node {
  if (context?.asWritten) return node
  if (node.kind !== 'scalar' || node.value === null || typeof node.value === 'string') return node
  return { ...node, value: textOf(node), text: undefined }
}

/** "a" to ["a"]. */
export function oneToList(node: Node): Node {
  return node.kind === 'scalar' && node.value !== null ? list([node], node) : node
}

/** One string, or a list of strings. */
export function textOrList(doc: string, { items = text(), ...extra }: Partial<ListShape> = {}): Shape {
  const long = listOf(items, doc, { ...extra })
  return choice([text(), listOf(text(), undefined, { unique: extra.key === undefined, key: extra.key })], doc, {
    canonical: oneToList,
    long,
    merge: extra.merge,
  })
}

/** What makes two "KEY=value" items the same: the key. */
export function keyOf(item: Node): string | undefined {
  if (item.kind !== 'scalar') return undefined
  const value = textOf(item)
  const equals = value.indexOf('=')
  return equals < 0 ? value : value.slice(0, equals)
}

const looseText = text(undefined, { also: ['number', 'boolean', 'null'], canonical: toText, nullable: true })

/** ["A=1", "B"] or { A: 1, B: null }, to a map of text or null. */
export function keyValues(
  doc: string,
  { unique, ...extra }: Partial<MapShape> & { values?: Shape; unique?: boolean } = {},
): Shape {
  const long = mapTo(extra.values ?? looseText, doc, extra)
  return choice([mapTo(looseText, undefined, { names: /./ }), listOf(text(), undefined, { unique })], doc, {
    canonical: extra.printNull ? variablesToMap : pairsToMap,
    long,
  })
}

/** The same for variables, whose names end with no space. */
function variablesToMap(node: Node, context: Context): Node {
  if (node.kind === 'list')
    for (const item of node.items) {
      const name = keyOf(item)
      if (name === undefined || name === name.trimEnd()) continue
      refuse(context, item, {
        code: 'bad-name',
        message: `Cannot set variable "${name}": its name ends with a space`,
        hint: 'Write "NAME=value" without spaces around "="',
      })
    }
  return pairsToMap(node, context)
}

export function pairsToMap(node: Node, context?: Context): Node {
  if (context?.asWritten) return node
  if (node.kind === 'list') {
    const entries = new Map<string, Node>()
    for (const item of node.items) {
      if (item.kind !== 'scalar') continue
      const pair = textOf(item)
      const equals = pair.indexOf('=')
      const name = equals < 0 ? pair : pair.slice(0, equals)
      const value: ScalarNode = {
        ...item,
        value: equals < 0 ? null : pair.slice(equals + 1),
        text: undefined,
        keyOffset: item.offset,
      }
      entries.set(name, value)
    }
    return map(entries, node)
  }
  return node
}

/** A map of scalars printed as strings; null values are dropped by a merge. */
export function textMap(doc: string, also: readonly ('number' | 'boolean' | 'null')[] = ['number']): MapShape {
  return mapTo(text(undefined, { also, canonical: toText }), doc, { names: /./ })
}

/** ["a", "b"] to { a: null, b: null }. */
export function namesToMap(node: Node): Node {
  if (node.kind !== 'list') return node
  const entries = new Map<string, Node>()
  for (const item of node.items)
    if (item.kind === 'scalar') entries.set(textOf(item), { ...scalar(null, item), keyOffset: item.offset })
  return map(entries, node)
}

/** The later value, whatever it is; null takes the earlier one away. */
export function replace(_base: Node, over: Node): Node {
  return over
}
