/** ?filters={…}: the two JSON forms of Docker's clients, and how a value is matched. */
import { Failure } from '../lib/failure.ts'
import { parseDuration } from '../lib/units.ts'

/** Name → values; several values of a name are alternatives, except for labels, which must all match. */
export type Filters = Readonly<Record<string, readonly string[]>>

/**
 * Reads `{"label":{"a=b":true}}` (Go clients) and `{"label":["a=b"]}` (others); null is none.
 * @throws Failure `invalid` when it is neither.
 */
export function parseFilters(text: string): Filters {
  if (text === '') return {}
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch (cause) {
    throw new Failure('invalid', `invalid filters: ${text.slice(0, 100)} is not JSON`, { cause })
  }
  // what a Go client makes of no filters
  if (data === null) return {}
  if (typeof data !== 'object' || Array.isArray(data)) throw malformed()
  const filters: Record<string, readonly string[]> = Object.create(null)
  for (const [name, values] of Object.entries(data)) {
    if (Array.isArray(values)) {
      if (!values.every(value => typeof value === 'string')) throw malformed()
      filters[name] = values
    } else if (typeof values === 'object' && values !== null) {
      filters[name] = Object.entries(values)
        .filter(([, on]) => on !== false)
        .map(([value]) => value)
    } else {
      throw malformed()
    }
  }
  return filters
}

function malformed(): Failure {
  return new Failure('invalid', 'invalid filters: expected {"name":["value"]} or {"name":{"value":true}}')
}

/** The map form, which every server reads; names and values sorted. */
export function formatFilters(filters: Filters): string {
  const names = Object.keys(filters).sort()
  return JSON.stringify(
    Object.fromEntries(
      names.map(name => [name, Object.fromEntries([...filters[name]!].sort().map(value => [value, true]))]),
    ),
  )
}

/** @throws Failure `invalid` naming the first filter that is not among `known`, as Docker words it. */
export function checkFilters(filters: Filters, known: readonly string[]): void {
  for (const name of Object.keys(filters))
    if (!known.includes(name)) throw new Failure('invalid', `invalid filter '${name}'`)
}

/** Whether labels carry every asked "key" or "key=value". */
export function matchesLabels(
  asked: readonly string[] | undefined,
  labels: Readonly<Record<string, string>> | null | undefined,
): boolean {
  return (asked ?? []).every(label => {
    const at = label.indexOf('=')
    const key = at < 0 ? label : label.slice(0, at)
    if (!labels || !Object.hasOwn(labels, key)) return false
    return at < 0 || labels[key] === label.slice(at + 1)
  })
}

/** Whether no value was asked, or one of them is `value`. */
export function matchesOne(asked: readonly string[] | undefined, value: string): boolean {
  return asked === undefined || asked.length === 0 || asked.includes(value)
}

/** Whether no value was asked, or one of them is `text` or, as a regular expression, matches in it. */
export function matchesPattern(asked: readonly string[] | undefined, text: string): boolean {
  if (asked === undefined || asked.length === 0) return true
  return asked.some(value => value === text || expression(value)?.test(text))
}

/** Undefined for what is none: it matches nothing, as in Docker. */
function expression(source: string): RegExp | undefined {
  try {
    return new RegExp(source)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** The one boolean of a filter such as dangling; undefined when it was not asked. */
export function booleanFilter(filters: Filters, name: string): boolean | undefined {
  const values = filters[name]
  if (values === undefined || values.length === 0) return undefined
  const value = values[0]!.toLowerCase()
  if (values.length === 1 && (value === '1' || value === 'true')) return true
  if (values.length === 1 && (value === '0' || value === 'false')) return false
  throw new Failure('invalid', `invalid filter '${name}=[${values.join(' ')}]'`)
}

/** "until": seconds since 1970, an RFC 3339 date, or a duration back from now ("24h", "1h30m"); milliseconds since the epoch. */
export function timeFilter(text: string, now = Date.now()): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000
  const duration = parseDuration(text)
  if (duration !== undefined) return now - duration / 1e6
  const date = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(date)) throw new Failure('invalid', `failed to parse value as time or duration: "${text}"`)
  return date
}

/** The one time of "until", as `timeFilter` reads it; undefined when it was not asked. @throws Failure `invalid`, also for several. */
export function untilFilter(filters: Filters, now = Date.now()): number | undefined {
  const [text, ...more] = filters['until'] ?? []
  if (more.length > 0) throw new Failure('invalid', 'more than one until filter specified')
  return text === undefined ? undefined : timeFilter(text, now)
}
