/** The functions a template may call: Go's own and those docker adds. */
import { display, print, printf } from './text.ts'

/** What is wrong with a call; where it stands is for the evaluator to say. */
export class CallError extends Error {}

export type TemplateFunction = (...values: never[]) => unknown

/** `and` and `or` are not among them: what they need not know they do not evaluate. */
export const functions: Readonly<Record<string, TemplateFunction>> = {
  not: (value: unknown) => !truth(value),
  len: (value: unknown) => lengthOf(value),
  index: (value: unknown, ...keys: unknown[]) => keys.reduce(at, value),
  slice,
  print: (...values: unknown[]) => print(values),
  println: (...values: unknown[]) => `${values.map(each => display(each, true)).join(' ')}\n`,
  printf: (format: unknown, ...values: unknown[]) => printf(text('printf', format), values),
  eq: (first: unknown, ...others: unknown[]) => {
    if (others.length === 0) throw new CallError('missing argument for comparison')
    return others.some(other => same(first, other))
  },
  ne: (a: unknown, b: unknown) => !same(a, b),
  lt: (a: unknown, b: unknown) => compare(a, b) < 0,
  le: (a: unknown, b: unknown) => compare(a, b) <= 0,
  gt: (a: unknown, b: unknown) => compare(a, b) > 0,
  ge: (a: unknown, b: unknown) => compare(a, b) >= 0,
  html: (...values: unknown[]) =>
    print(values).replace(/[<>&'"\0]/g, c => (c === '\0' ? '\uFFFD' : `&${entities[c] ?? `#${c.charCodeAt(0)}`};`)),
  urlquery: (...values: unknown[]) => encodeURIComponent(print(values)).replaceAll('%20', '+'),
  json,
  split: (value: unknown, separator: unknown) => text('split', value).split(text('split', separator)),
  join: (values: unknown, separator: unknown) => {
    if (!Array.isArray(values)) throw new CallError('wrong type for value of join: it takes a list and a separator')
    return values.map(each => display(each, true)).join(text('join', separator))
  },
  title: (value: unknown) =>
    text('title', value).replace(/(^|[^\p{L}\p{N}'_])(\p{L})/gu, (_, a, b) => a + b.toUpperCase()),
  lower: (value: unknown) => text('lower', value).toLowerCase(),
  upper: (value: unknown) => text('upper', value).toUpperCase(),
  pad: (value: unknown, before: unknown, after: unknown) => {
    const source = text('pad', value)
    return source === '' ? '' : ' '.repeat(count('pad', before)) + source + ' '.repeat(count('pad', after))
  },
  truncate: (value: unknown, length: unknown) => text('truncate', value).slice(0, count('truncate', length)),
}

/** What the functions do with headings of a table: what changes values leaves them as they are. */
export const headingFunctions: Readonly<Record<string, TemplateFunction>> = {
  ...functions,
  ...Object.fromEntries(
    ['json', 'split', 'join', 'title', 'lower', 'upper', 'truncate'].map(name => [name, (value: unknown) => value]),
  ),
}

const entities: Readonly<Record<string, string>> = { '<': 'lt', '>': 'gt', '&': 'amp' }

export function truth(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  if (value instanceof Map) return value.size > 0
  return Boolean(value)
}

/** A whole row as Go's encoder writes it, which escapes what HTML would take for its own; a single value without that. */
function json(value: unknown): string {
  const plain = JSON.stringify(value ?? null, (_, each) => (each instanceof Map ? sortedEntries(each) : each))
  const whole = typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Map)
  return whole ? plain.replace(/[<>&]/g, c => `\\u00${c.charCodeAt(0).toString(16)}`) : plain
}

/** A map has its keys in order, as Go writes it. */
function sortedEntries(map: ReadonlyMap<string, unknown>): object {
  return Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (Array.isArray(value)) return value.length
  if (value instanceof Map) return value.size
  throw new CallError('len of a value that has no length')
}

function at(value: unknown, key: unknown): unknown {
  if (value instanceof Map) return value.get(display(key, true))
  if (!Array.isArray(value) && typeof value !== 'string')
    throw new CallError("can't index item: it is no list and no map")
  if (typeof key !== 'number') throw new CallError('cannot index slice/array with a value that is no number')
  const items = typeof value === 'string' ? Buffer.from(value) : value
  if (key < 0 || key >= items.length) throw new CallError(`index out of range: ${key}`)
  return items[key]
}

function slice(value: unknown, from: unknown = 0, to: unknown = lengthOf(value)): unknown {
  const [start, end] = [count('slice', from), count('slice', to)]
  if (end > lengthOf(value) || start > end) throw new CallError(`index out of range: ${Math.max(start, end)}`)
  if (typeof value === 'string') return Buffer.from(value).subarray(start, end).toString('utf8')
  if (Array.isArray(value)) return value.slice(start, end)
  throw new CallError("can't slice item: it is no list and no string")
}

function same(a: unknown, b: unknown): boolean {
  if (a === null || a === undefined || b === null || b === undefined) return (a ?? null) === (b ?? null)
  if (typeof a !== typeof b || typeof a === 'object') throw new CallError('incompatible types for comparison')
  return a === b
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0
  throw new CallError('incompatible types for comparison')
}

function text(name: string, value: unknown): string {
  if (typeof value === 'string') return value
  throw new CallError(`wrong type for value of ${name}: it takes a string`)
}

function count(name: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 1e6) return value
  throw new CallError(`wrong type for value of ${name}: it takes a number`)
}
