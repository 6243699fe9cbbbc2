/** Method and raw URL to exactly one endpoint, its version and parameters, or none. */
import type { Endpoint } from '../../api/endpoint.ts'
import { isVersion, newestVersion } from '../../api/version.ts'
import { Failure } from '../../lib/failure.ts'

export interface Route {
  readonly endpoint: Endpoint
  readonly params: Readonly<Record<string, string>>
  /** As asked, not yet checked; the newest when the path has none. */
  readonly version: string
  readonly query: URLSearchParams
}

interface Pattern {
  readonly endpoint: Endpoint
  /** Literal text, `{id}` one segment, `{name*}` one or more. */
  readonly segments: readonly string[]
  readonly star: boolean
}

export class Router {
  /** Those with the most literal segments first: /images/json before /images/{name*}. */
  readonly #patterns = new Map<string, Pattern[]>()

  constructor(endpoints: Iterable<Endpoint>) {
    for (const endpoint of endpoints) {
      const segments = endpoint.path.slice(1).split('/')
      const pattern = { endpoint, segments, star: endpoint.path.includes('*}') }
      const list = this.#patterns.get(endpoint.method) ?? []
      list.push(pattern)
      this.#patterns.set(endpoint.method, list)
    }
    for (const list of this.#patterns.values()) list.sort((a, b) => weight(b) - weight(a))
  }

  /** Undefined when nothing serves it. @throws Failure `invalid` when the URL is malformed. */
  find(method: string, url: string): Route | undefined {
    const mark = url.indexOf('?')
    const segments = segmentsOf(mark < 0 ? url : url.slice(0, mark))
    if (segments === undefined) return undefined
    const prefix = segments[0]!
    const versioned = prefix.startsWith('v') && isVersion(prefix.slice(1))
    const rest = versioned ? segments.slice(1) : segments
    for (const pattern of this.#patterns.get(method) ?? []) {
      const params = match(pattern, rest)
      if (params === undefined) continue
      return {
        endpoint: pattern.endpoint,
        params,
        version: versioned ? prefix.slice(1) : newestVersion,
        query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)),
      }
    }
    return undefined
  }
}

function weight({ segments, star }: Pattern): number {
  return segments.filter(segment => !segment.startsWith('{')).length * 2 - (star ? 1 : 0)
}

/**
 * The path, decoded once and cut at slashes. Undefined for what has two readings: `.` and `..` segments, and empty ones but the
 * last, which a pattern may end in ("/networks/").
 * An escaped slash is a slash, as for Docker: it can reach the name of an image or of a link, never another endpoint's parameter.
 */
function segmentsOf(path: string): readonly string[] | undefined {
  let decoded: string
  try {
    decoded = decodeURIComponent(path)
  } catch (cause) {
    throw new Failure('invalid', `invalid URL escape in "${path.slice(0, 200)}"`, { cause })
  }
  if (!decoded.startsWith('/') || decoded.includes('\0')) return undefined
  const segments = decoded.slice(1).split('/')
  const twofold = segments.some((segment, i) =>
    segment === '' ? i < segments.length - 1 || i === 0 : segment === '.' || segment === '..',
  )
  return twofold ? undefined : segments
}

function match({ segments, star }: Pattern, path: readonly string[]): Record<string, string> | undefined {
  if (star ? path.length < segments.length : path.length !== segments.length) return undefined
  const params: Record<string, string> = {}
  let at = 0
  for (const [index, segment] of segments.entries()) {
    if (!segment.startsWith('{')) {
      if (path[at++] !== segment) return undefined
    } else if (segment.endsWith('*}')) {
      const end = path.length - (segments.length - 1 - index)
      if (path[end - 1] === '') return undefined
      params[segment.slice(1, -2)] = path.slice(at, end).join('/')
      at = end
    } else {
      if (path[at] === '') return undefined
      params[segment.slice(1, -1)] = path[at++]!
    }
  }
  return params
}
