/** The merged tree to values: "64m" to bytes, "1m30s" to nanoseconds, "yes" to true; and each field's last word. */
import { parseBytes, parseDuration } from '../lib/units.ts'
import { refuse } from './fields/forms.ts'
import { type Context, longShape, memberShape, type NumberShape, optionFor, type Shape } from './grammar.ts'
import { isNull, type Node, type ScalarNode } from './tree.ts'

/** Sizes and durations become numbers in place; fields may replace a value. */
export function finish(node: Node, shape: Shape, context: Context): Node {
  let form = shape.finish ? shape.finish(node, context) : node
  let long = shape
  if (long.kind === 'choice') {
    const option = optionFor(long, form)
    if (!option) return form
    if (option.finish && option !== shape) form = option.finish(form, context)
    long = option
  }
  if (form.kind === 'scalar') {
    if (long.kind !== 'text' && long.kind !== 'any' && long.kind !== 'null') convert(form, long as NumberShape, context)
    return form
  }
  if (form.kind === 'map') {
    if (long.kind !== 'map' && long.kind !== 'object') return form
    for (const [key, member] of form.entries) {
      const inner = memberShape(long, key)
      if (!inner) continue
      const innerLong = longShape(inner)
      if (innerLong.kind === 'text' && !innerLong.finish) continue
      context.path.push(key)
      const result = finish(member, innerLong, context)
      context.path.pop()
      if (result !== member) {
        result.keyOffset = member.keyOffset
        form.entries.set(key, result)
      }
    }
    return form
  }
  if (long.kind !== 'list') return form
  const inner = longShape(long.items)
  if (inner.kind === 'text' && !inner.finish) return form
  for (const [index, item] of form.items.entries()) {
    context.path.push(String(index))
    form.items[index] = finish(item, inner, context)
    context.path.pop()
  }
  return form
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
  if (typeof node.value === 'number' && shape.kind !== 'duration') {
    if (shape.kind === 'int' || shape.kind === 'bytes') node.value = Math.trunc(node.value)
    return
  }
  if (typeof node.value !== 'string') return
  const value = parse(node.value, shape)
  if (value === undefined)
    refuse(context, node, { code: 'bad-value', message: `Cannot read "${node.value}" as ${nouns[shape.kind]}` })
  else {
    node.template ??= node.value
    node.value = value
  }
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
      return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined
    case 'bytes':
      return text === '-1' ? -1 : parseBytes(text)
    default:
      return text === '' ? undefined : parseDuration(text)
  }
}

/** true, yes, on, y and their opposites, in any case. */
export function parseBool(text: string): boolean | undefined {
  const word = text.toLowerCase()
  if (word === 'true' || word === 'yes' || word === 'on' || word === 'y') return true
  return word === 'false' || word === 'no' || word === 'off' || word === 'n' ? false : undefined
}
