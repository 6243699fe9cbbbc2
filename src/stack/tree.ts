/** Values that remember file, line and column of their key and value, through merge, extends and include. */
import type { Place } from '../lib/problems.ts'

export type Scalar = string | number | boolean | null

/** A text that was parsed, and how it came to be read. */
export interface Source {
  /** As it is to be shown. */
  readonly file: string
  /** Absolute path, or "-". */
  readonly path: string
  readonly text: string
  /** "included by compose.yaml:3:5", nearest first. */
  readonly via: readonly string[]
  /** Offsets at which lines begin; made when the first place is asked for. */
  lines?: readonly number[]
}

/** A variable that interpolation put into a value. */
export interface VariableUse {
  readonly name: string
  readonly value: string | undefined
  /** "the environment", or the file it was read from. */
  readonly from?: string
  readonly place?: Place
}

interface NodeBase {
  /** Undefined for what a default added. */
  source: Source | undefined
  /** Where the value begins. */
  offset: number
  /** Where its key in the parent map begins; -1 in a list. */
  keyOffset: number
  /** The value this one replaced in a merge. */
  previous?: Node
  /** What extends or include brought it here, for trace. */
  origin?: string
}

export interface ScalarNode extends NodeBase {
  readonly kind: 'scalar'
  value: Scalar
  /** Text of a number that is not its shortest form (big integers); a timestamp's. */
  text?: string
  /** An unquoted date: no string, no number. */
  timestamp?: boolean
  /** A path as it was written, before it was made absolute. */
  written?: string
  /** The text before interpolation. */
  template?: string
  variables?: readonly VariableUse[]
  /** Of the name of a variable: its value where the file that names it stands. */
  named?: { readonly value: string | undefined }
}

export interface ListNode extends NodeBase {
  readonly kind: 'list'
  items: Node[]
}

export interface MapNode extends NodeBase {
  readonly kind: 'map'
  entries: Map<string, Node>
}

export type Node = ScalarNode | ListNode | MapNode

type At = Pick<NodeBase, 'source' | 'offset' | 'keyOffset'>

const nowhere: At = { source: undefined, offset: 0, keyOffset: -1 }

export function scalar(value: Scalar, at: At = nowhere): ScalarNode {
  return { kind: 'scalar', value, source: at.source, offset: at.offset, keyOffset: at.keyOffset }
}

export function list(items: Node[], at: At = nowhere): ListNode {
  return { kind: 'list', items, source: at.source, offset: at.offset, keyOffset: at.keyOffset }
}

export function map(entries: Map<string, Node>, at: At = nowhere): MapNode {
  return { kind: 'map', entries, source: at.source, offset: at.offset, keyOffset: at.keyOffset }
}

/** A map with these members, those that are undefined left out; each stands where `at` stands. */
export function mapOf(members: Record<string, Node | Scalar | undefined>, at: At = nowhere): MapNode {
  const entries = new Map<string, Node>()
  for (const [key, member] of Object.entries(members))
    if (member !== undefined) entries.set(key, typeof member === 'object' && member ? member : scalar(member, at))
  return map(entries, at)
}

export function isNull(node: Node | undefined): boolean {
  return node?.kind === 'scalar' && node.value === null
}

/** The member `key` of a map; undefined for anything else. */
export function get(node: Node | undefined, ...keys: readonly string[]): Node | undefined {
  let at = node
  for (const key of keys) {
    if (at?.kind === 'map') at = at.entries.get(key)
    else if (at?.kind === 'list') at = at.items[Number(key)]
    else return undefined
  }
  return at
}

/** The string at a member; undefined when it is something else. */
export function textAt(node: Node | undefined, ...keys: readonly string[]): string | undefined {
  const found = get(node, ...keys)
  return found?.kind === 'scalar' && typeof found.value === 'string' ? found.value : undefined
}

/** A copy that shares nothing; `origin` marks every node that has none yet. */
export function clone(node: Node, origin?: string): Node {
  const copy = { ...node }
  if (origin !== undefined && copy.origin === undefined) copy.origin = origin
  if (copy.kind === 'list') copy.items = copy.items.map(item => clone(item, origin))
  else if (copy.kind === 'map') {
    const entries = new Map<string, Node>()
    for (const [key, member] of copy.entries) entries.set(key, clone(member, origin))
    copy.entries = entries
  }
  return copy
}

/** Plain data of a tree; maps become records without prototype. */
export function plain(node: Node): unknown {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') return node.items.map(plain)
  const record: Record<string, unknown> = Object.create(null)
  for (const [key, member] of node.entries) record[key] = plain(member)
  return record
}

/** File, line and column of a node's value, or of its key. */
export function placeOf(node: Node | undefined, what: 'value' | 'key' = 'value'): Place | undefined {
  const source = node?.source
  if (!node || !source) return undefined
  const offset = what === 'key' && node.keyOffset >= 0 ? node.keyOffset : node.offset
  return placeAt(source, offset)
}

export function placeAt(source: Source, offset: number): Place {
  source.lines ??= lineStarts(source.text)
  let low = 0
  let high = source.lines.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (source.lines[middle]! <= offset) low = middle
    else high = middle - 1
  }
  const place = { file: source.file, line: low + 1, column: offset - source.lines[low]! + 1 }
  return source.via.length > 0 ? { ...place, via: source.via } : place
}

/** "compose.yaml:3:5". */
export function showPlace(place: Place | undefined): string {
  return place ? `${place.file}:${place.line}:${place.column}` : 'default'
}

/** What a reader calls the kind of a value: "a mapping", "a list", "a string", "a number". */
export function describe(node: Node): string {
  if (node.kind === 'map') return 'a mapping'
  if (node.kind === 'list') return 'a list'
  if (node.timestamp) return 'a date'
  if (node.value === null) return 'empty'
  if (typeof node.value === 'boolean') return 'a boolean'
  return typeof node.value === 'number' ? 'a number' : 'a string'
}

function lineStarts(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}
