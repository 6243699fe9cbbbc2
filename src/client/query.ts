/** An endpoint and its input to the path and headers of a request. */
import type { Endpoint, QueryKind } from '../api/endpoint.ts'
import { type Filters, formatFilters } from '../api/filters.ts'
import { Failure } from '../lib/failure.ts'

/** `/containers/web/json?size=1`, without the version. A parameter stays in its place: its slashes are escaped unless it may hold some. */
export function requestPath(
  endpoint: Endpoint,
  params: Readonly<Record<string, string>>,
  query: Readonly<Record<string, unknown>>,
): string {
  const path = endpoint.path.replace(/\{(\w+)(\*?)\}/g, (_, name: string, many: string) => {
    const value = params[name]
    if (!value) throw new Failure('invalid', `Cannot call ${endpoint.name}: "${name}" is empty`)
    const segments = many ? value.split('/') : [value]
    // an engine would fold these away and answer for another path
    if (segments.some(segment => segment === '' || segment === '.' || segment === '..'))
      throw new Failure('invalid', `Cannot call ${endpoint.name}: "${value}" is no name`)
    return segments.map(encodeSegment).join('/')
  })
  const search = Object.entries(endpoint.query)
    .flatMap(([name, kind]) => queryPairs(name, kind, query[name]))
    .join('&')
  return search === '' ? path : `${path}?${search}`
}

/** Colons and at-signs of image references may stand as they are. */
function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replace(/%3A/g, ':').replace(/%40/g, '@')
}

function queryPairs(name: string, kind: QueryKind, value: unknown): string[] {
  if (value === undefined) return []
  const pair = (text: string) => `${encodeURIComponent(name)}=${encodeURIComponent(text)}`
  switch (kind) {
    case 'string':
      return [pair(value as string)]
    case 'strings':
      return (value as readonly string[]).map(pair)
    case 'boolean':
      return [pair(value ? '1' : '0')]
    case 'integer':
      return [pair(String(value))]
    case 'time':
      return [pair(formatTime(value as bigint))]
    case 'filters':
      return Object.keys(value as Filters).length === 0 ? [] : [pair(formatFilters(value as Filters))]
    default:
      return kind satisfies never
  }
}

/** Nanoseconds as "seconds.nanoseconds". */
function formatTime(nanoseconds: bigint): string {
  return `${nanoseconds / 1_000_000_000n}.${(nanoseconds % 1_000_000_000n).toString().padStart(9, '0')}`
}
