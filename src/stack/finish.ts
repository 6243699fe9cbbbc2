/** The merged tree to values: "64m" to bytes, "1m30s" to nanoseconds, "yes" to true; and each field's last word. */
import { parseBytes, parseDuration } from '../lib/units.ts'
import { refuse, warn } from './fields/forms.ts'
import { type Context, longShape, memberShape, type NumberShape, optionFor, type Shape } from './grammar.ts'
import { isNull, type ListNode, type MapNode, type Node, type ScalarNode } from './tree.ts'

/** Sizes and durations become numbers in place, members first; then a field may replace its value. */
export function finish(node: Node, shape: Shape, context: Context): Node {
  const option = shape.kind === 'choice' ? optionFor(shape, node) : shape
  if (node.kind === 'scalar') {
    let last: Node = node
    for (const at of option && option !== shape ? [option, shape] : [shape])
      if (at.finish) last = at.finish(last, context)
    if (last.kind === 'scalar' && option && isNumeric(option)) convert(last, option, context)
    return last
  }
  if (option) finishMembers(node, option, context)
  let last: Node = node
  for (const at of option && option !== shape ? [option, shape] : [shape])
    if (at.finish) last = at.finish(last, context)
  return last
}

function finishMembers(node: MapNode | ListNode, shape: Shape, context: Context): void {
  if (node.kind === 'map') {
    if (shape.kind !== 'map' && shape.kind !== 'object') return
    for (const [key, member] of node.entries) {
      const field = memberShape(shape, key)
      if (!field) continue
      const inner = longShape(field)
      if (inner.kind === 'text' && !inner.finish) continue
      context.path.push(key)
      const result = finish(member, inner, context)
      context.path.pop()
      if (result === member) continue
      result.keyOffset = member.keyOffset
      node.entries.set(key, result)
    }
  } else if (shape.kind === 'list') {
    const inner = longShape(shape.items)
    if (inner.kind === 'text' && !inner.finish) return
    for (const [index, item] of node.items.entries()) {
      context.path.push(String(index))
      node.items[index] = finish(item, inner, context)
      context.path.pop()
    }
  }
}

function isNumeric(shape: Shape): shape is NumberShape {
  return (
    shape.kind === 'bool' ||
    shape.kind === 'int' ||
    shape.kind === 'float' ||
    shape.kind === 'bytes' ||
    shape.kind === 'duration'
  )
}

function convert(node: ScalarNode, shape: NumberShape, context: Context): void {
  if (isNull(node)) return
  if (shape.kind === 'bool') {
    if (typeof node.value === 'boolean') return
    const value = parseBool(String(node.value))
    if (value === undefined)
      refuse(context, node, {
        code: 'bad-value',
        message: `Cannot read "${node.value}" as a boolean: it should be true or false`,
      })
    else node.value = value
    return
  }
  if (typeof node.value === 'number' && shape.kind === 'bytes' && node.text !== undefined && !isSize(node.text)) {
    warn(context, node, {
      code: 'ignored-size',
      message: `${node.text} is ignored: a size is a whole number of bytes, or text such as "64m"`,
    })
    node.value = 0
    return
  }
  if (typeof node.value === 'number' && shape.kind === 'int' && shape.whole && node.text !== undefined) {
    refuse(context, node, { code: 'bad-value', message: `Cannot use ${node.text} here: it should be a whole number` })
    return
  }
  if (typeof node.value === 'number' && shape.kind !== 'duration') {
    if (shape.kind === 'int' || shape.kind === 'bytes') node.value = Math.trunc(node.value)
    return
  }
  if (typeof node.value !== 'string') return
  const value = shape.numeric ? undefined : parse(node.value, shape)
  if (value === undefined)
    refuse(context, node, { code: 'bad-value', message: `Cannot read "${node.value}" as ${nouns[shape.kind]}` })
  else if (outOfRange(value, shape))
    refuse(context, node, { code: 'out-of-range', message: `Cannot use ${value} here: it should be ${rangeOf(shape)}` })
  else {
    node.template ??= node.value
    node.value = value
  }
}

/** A whole number that fits 64 bits. */
function isSize(text: string): boolean {
  return /^-?\d+$/.test(text) && BigInt(text) < 2n ** 63n
}

function outOfRange(value: number, shape: NumberShape): boolean {
  return (shape.min !== undefined && value < shape.min) || (shape.max !== undefined && value > shape.max)
}

/** "at least 0", "between 0 and 100". */
function rangeOf(shape: NumberShape): string {
  return shape.max === undefined ? `at least ${shape.min}` : `between ${shape.min} and ${shape.max}`
}

const nouns = {
  bool: 'a boolean',
  int: 'an integer',
  float: 'a number',
  bytes: 'a size: it should be like "64m" or "1.5g"',
  duration: 'a duration: it should be like "1m30s"',
}

function parse(text: string, shape: NumberShape): number | undefined {
  switch (shape.kind) {
    case 'int':
      if (shape.octal) return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : undefined
      return /^[+-]?\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined
    case 'float':
      return parseFloatText(text)
    case 'bytes':
      return parseBytes(text)
    default:
      return text === '' ? undefined : parseDuration(text)
  }
}

/** A number as Go reads it: digits may be parted by `_`. */
function parseFloatText(text: string): number | undefined {
  if (!/^[+-]?(\d+(_\d+)*\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) return undefined
  const value = Number(text.replaceAll('_', ''))
  return Number.isFinite(value) ? value : undefined
}

/** true, yes, on, y and their opposites, in any case. */
export function parseBool(text: string): boolean | undefined {
  const word = text.toLowerCase()
  if (word === 'true' || word === 'yes' || word === 'on' || word === 'y') return true
  return word === 'false' || word === 'no' || word === 'off' || word === 'n' ? false : undefined
}
