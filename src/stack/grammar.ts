/** The words the format's grammar is written in: one Shape says what may stand at a place, and what every phase does with it there. */
import type { Problems } from '../lib/problems.ts'
import type { Complaint } from './fields/values.ts'
import type { Node } from './tree.ts'

/** What canonical forms may need to know. */
export interface Context {
  readonly problems: Problems
  /** Path of the node at hand; pushed and popped by the walkers. */
  readonly path: string[]
  /** Variables were left as they stand: a value may not be readable yet, and is then left too. */
  readonly lenient?: boolean
  /** Nothing will be merged with it either: pairs and numbers stay in the form they were written in, as the reference shows them. */
  readonly asWritten?: boolean
}

interface ShapeBase {
  /** For people and editors. */
  readonly doc?: string
  readonly examples?: readonly unknown[]
  readonly deprecated?: boolean
  /** Short form to long form. The result is described by `long`. */
  readonly canonical?: (node: Node, context: Context) => Node
  /** The shape after `canonical`; the same shape when left out. */
  readonly long?: Shape
  /** After merging: the last word on one value, where an error can still be named. */
  readonly finish?: (node: Node, context: Context) => Node
  /** Merges a later file's value over an earlier one's; otherwise by kind: scalars replace, lists append, maps merge. */
  readonly merge?: (base: Node, over: Node, shape: Shape) => Node
  /** For a list: what makes two items the same; the later one takes the earlier one's position. */
  readonly key?: (item: Node) => string | undefined
  /** Made absolute against the folder of the file: `always`, or only when it looks like a path (`context`). */
  readonly path?: 'always' | 'file' | 'bind' | 'context' | 'additional-context'
  /** Printed by `config` also when it is zero or false. */
  readonly keep?: boolean
  /** Never printed by `config`, or not in its JSON. */
  readonly hidden?: true | 'json'
  /** Null is a value of its own, and survives a merge. */
  readonly nullable?: boolean
}

export interface TextShape extends ShapeBase {
  readonly kind: 'text'
  readonly values?: readonly string[]
  readonly pattern?: RegExp
  /** Numbers, booleans that are taken as text. */
  readonly also?: readonly ('number' | 'integer' | 'boolean' | 'null')[]
  /** What no engine takes, though it may stand in a file; of the finished value. */
  readonly judge?: (text: string) => Complaint | undefined
}

export interface NumberShape extends ShapeBase {
  readonly kind: 'int' | 'float' | 'bytes' | 'duration' | 'bool'
  readonly min?: number
  readonly max?: number
  /** Without the string form. */
  readonly strict?: boolean
  /** Text is let pass by the grammar, and refused where the value is read. */
  readonly numeric?: boolean
  /** `int` that the grammar lets be any number. */
  readonly loose?: boolean
  /** `config` prints it as a string. */
  readonly quoted?: boolean
  /** Of an `int`: written in octal, as a file mode. */
  readonly octal?: boolean
  /** Of `bytes`: only as text, "64m". */
  readonly textOnly?: boolean
  /** Of `bytes`: no fractions. */
  readonly whole?: boolean
  /** What no engine takes, though it may stand in a file; of the finished value. */
  readonly judge?: (value: number) => Complaint | undefined
}

export interface ListShape extends ShapeBase {
  readonly kind: 'list'
  readonly items: Shape
  /** Equal items are an error when no `key` makes them one. */
  readonly unique?: boolean
  /** Kept by `config` when empty. */
}

/** Names the author chooses, all with values of one shape. */
export interface MapShape extends ShapeBase {
  readonly kind: 'map'
  readonly values: Shape
  readonly names?: RegExp
  /** Names that do not match are let pass unread. */
  readonly open?: boolean
  /** `config` prints a null value as null; otherwise as an empty string. */
  readonly printNull?: boolean
  /** What no engine takes, of a name and its value. */
  readonly judgeEntry?: (name: string, value: string) => Complaint | undefined
}

export interface ObjectShape extends ShapeBase {
  readonly kind: 'object'
  readonly fields: Readonly<Record<string, Shape>>
  readonly required?: readonly string[]
  /** x-* keys may stand here; `unprinted`: and `config` leaves them out. */
  readonly extensions?: boolean | 'unprinted'
  /** Unknown keys may stand here. */
  readonly open?: boolean
  /** Unknown keys have no effect, and are no error, as in the reference. */
  readonly tolerant?: boolean
}

/** One of several, told apart by the kind of the value. */
interface ChoiceShape extends ShapeBase {
  readonly kind: 'choice'
  readonly options: readonly Shape[]
}

interface OtherShape extends ShapeBase {
  readonly kind: 'null'
}

export type Shape = TextShape | NumberShape | ListShape | MapShape | ObjectShape | ChoiceShape | OtherShape

type Extra = Omit<ShapeBase, never>

export const text = (doc?: string, extra: Extra & Partial<TextShape> = {}): TextShape => ({
  kind: 'text',
  doc,
  ...extra,
})
export const oneOf = (values: readonly string[], doc?: string, extra: Extra = {}): TextShape => ({
  kind: 'text',
  values,
  doc,
  ...extra,
})
export const bool = (doc?: string, extra: Extra & Partial<NumberShape> = {}): NumberShape => ({
  ...extra,
  kind: 'bool',
  doc,
})
export const int = (doc?: string, extra: Extra & Partial<NumberShape> = {}): NumberShape => ({
  ...extra,
  kind: 'int',
  doc,
})
export const float = (doc?: string, extra: Extra & Partial<NumberShape> = {}): NumberShape => ({
  ...extra,
  kind: 'float',
  doc,
})
export const bytes = (doc?: string, extra: Extra & Partial<NumberShape> = {}): NumberShape => ({
  ...extra,
  kind: 'bytes',
  doc,
})
export const duration = (doc?: string, extra: Extra & Partial<NumberShape> = {}): NumberShape => ({
  ...extra,
  kind: 'duration',
  doc,
})
export const listOf = (items: Shape, doc?: string, extra: Extra & Partial<ListShape> = {}): ListShape => ({
  ...extra,
  kind: 'list',
  items,
  doc,
})
export const mapTo = (values: Shape, doc?: string, extra: Extra & Partial<MapShape> = {}): MapShape => ({
  ...extra,
  kind: 'map',
  values,
  doc,
})
export const choice = (options: readonly Shape[], doc?: string, extra: Extra = {}): ChoiceShape => ({
  ...extra,
  kind: 'choice',
  options,
  doc,
})
export const nothing: OtherShape = { kind: 'null' }

/** An object whose x-* keys are let pass, as nearly everywhere in the format. */
export const object = (
  fields: Readonly<Record<string, Shape>>,
  doc?: string,
  extra: Extra & Partial<ObjectShape> = {},
): ObjectShape => ({
  extensions: true,
  ...extra,
  kind: 'object',
  fields,
  doc,
})

/** The shape of what `canonical` leaves. */
export function longShape(shape: Shape): Shape {
  return shape.long ?? shape
}

/** The shape of the member `key` of a map or object in long form. */
export function memberShape(shape: Shape, key: string): Shape | undefined {
  if (shape.kind === 'map') return shape.values
  if (shape.kind !== 'object') return undefined
  return Object.hasOwn(shape.fields, key) ? shape.fields[key] : undefined
}

/** The option of a choice that takes this kind of value. */
export function optionFor(shape: Shape, node: Node): Shape | undefined {
  if (shape.kind !== 'choice') return shape
  return shape.options.find(option => accepts(option, node))
}

/** Whether the kind of value fits the shape, members not looked at. */
export function accepts(shape: Shape, node: Node): boolean {
  switch (shape.kind) {
    case 'choice':
      return shape.options.some(option => accepts(option, node))
    case 'object':
    case 'map':
      return node.kind === 'map'
    case 'list':
      return node.kind === 'list'
    case 'null':
      return node.kind === 'scalar' && node.value === null
    default:
      return node.kind === 'scalar' && !node.timestamp && acceptsScalar(shape, node.value)
  }
}

function acceptsScalar(shape: TextShape | NumberShape, value: string | number | boolean | null): boolean {
  if (value === null) return shape.kind === 'text' && (shape.also?.includes('null') ?? false)
  if (shape.kind === 'text')
    return (
      typeof value === 'string' ||
      (shape.also?.includes(typeof value as 'number' | 'boolean') ?? false) ||
      (Number.isInteger(value) && (shape.also?.includes('integer') ?? false))
    )
  if (shape.kind === 'bool') return typeof value === 'boolean' || (typeof value === 'string' && !shape.strict)
  if (typeof value === 'string') return !shape.strict
  if (typeof value !== 'number' || shape.kind === 'duration' || shape.textOnly) return false
  if (shape.kind === 'bytes' && shape.whole) return Number.isInteger(value)
  return shape.kind !== 'int' || shape.loose === true || Number.isInteger(value)
}
