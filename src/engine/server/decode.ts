/** Query, headers and body of a request to what its endpoint's handler gets; Go's way of reading where clients rely on it. */
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { bodySchema } from '../../api/body-schema.ts'
import type { Endpoint, QueryKind, QueryTypes } from '../../api/endpoint.ts'
import { parseFilters } from '../../api/filters.ts'
import { Failure } from '../../lib/failure.ts'
import { parseJson } from './json.ts'

/** A JSON body may have this many bytes; the largest honest ones carry configurations and are far below. */
export const maxJsonBody = 4 * 1024 * 1024
/** How long a JSON body may take to arrive. */
export const bodyTimeout = 30_000

export function decodeQuery(endpoint: Endpoint, query: URLSearchParams): Record<string, QueryTypes[QueryKind]> {
  const decoded: Record<string, QueryTypes[QueryKind]> = {}
  for (const [name, kind] of Object.entries(endpoint.query)) {
    if (!query.has(name)) continue
    const value = decodeValue(name, kind, query)
    if (value !== undefined) decoded[name] = value
  }
  return decoded
}

function decodeValue(name: string, kind: QueryKind, query: URLSearchParams): QueryTypes[QueryKind] | undefined {
  const text = query.get(name) ?? ''
  switch (kind) {
    case 'string':
      if (text.includes('\0')) throw new Failure('invalid', `invalid ${name}: it holds a NUL character`)
      return text
    case 'strings':
      return query.getAll(name)
    case 'boolean':
      return !['', '0', 'no', 'false', 'none'].includes(text.trim().toLowerCase())
    case 'integer':
      if (text === '') return undefined
      if (!/^[+-]?\d{1,15}$/.test(text))
        throw new Failure('invalid', `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
      return Number(text)
    case 'time':
      return decodeTime(name, text)
    case 'filters':
      return parseFilters(text)
    default:
      return kind satisfies never
  }
}

/** "seconds", "seconds.nanos" or a float, to nanoseconds; empty is not given. */
function decodeTime(name: string, text: string): bigint | undefined {
  if (text === '') return undefined
  const match = /^(-?)(\d{1,12})(?:\.(\d*))?$/.exec(text)
  if (!match)
    throw new Failure(
      'invalid',
      `invalid ${name}: "${text.slice(0, 50)}" should be seconds since 1970, as in 1136073600.000000001`,
    )
  const nanoseconds = BigInt(match[2]!) * 1_000_000_000n + BigInt((match[3] ?? '').slice(0, 9).padEnd(9, '0'))
  return match[1] === '-' ? -nanoseconds : nanoseconds
}

export function decodeHeaders(endpoint: Endpoint, request: IncomingMessage): Record<string, string> {
  const decoded: Record<string, string> = {}
  for (const [member, header] of Object.entries(endpoint.headers)) {
    const value = request.headers[header.toLowerCase()]
    if (typeof value === 'string') decoded[member] = value
  }
  return decoded
}

/** The JSON body, checked. `source` is the request, or what follows the head of an upgraded one. */
export async function decodeBody(endpoint: Endpoint, request: IncomingMessage, source: Readable): Promise<unknown> {
  if (endpoint.body.kind === 'none') return undefined
  // a handler that stops reading must not close the connection its refusal has to go out on
  if (endpoint.body.kind === 'bytes') return source.iterator({ destroyOnReturn: false })
  const type = request.headers['content-type']
  const bare = request.headers['content-length'] === '0' || !hasBody(request)
  if (!(bare && type === undefined) && !/^application\/json\s*(;|$)/i.test(type ?? ''))
    throw new Failure('invalid', `unsupported Content-Type header (${type ?? ''}): must be 'application/json'`)
  const text = bare ? '' : await readText(source)
  if (text.trim() === '') {
    if (endpoint.body.optional) return undefined
    throw new Failure('invalid', 'invalid JSON: got EOF while reading request body')
  }
  const data = parseJson(text)
  // what Go's clients send for nothing
  if (data === null && endpoint.body.optional) return undefined
  const schema = bodySchema(endpoint)
  if (schema === undefined) throw new Failure('internal', `${endpoint.name} has no schema of its body`)
  const result = schema.safeParse(withNamesOf((schema as { readonly shape?: object }).shape, data))
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  throw new Failure('invalid', `invalid JSON: ${[issue.path.join('.'), issue.message].filter(Boolean).join(': ')}`)
}

/** Go reads a member's name in any case, and docker-py sends some so ("detachKeys"); the exact name wins. */
function withNamesOf(shape: object | undefined, data: unknown): unknown {
  if (shape === undefined || typeof data !== 'object' || data === null || Array.isArray(data)) return data
  const names = new Map(Object.keys(shape).map(name => [name.toLowerCase(), name]))
  const named: Record<string, unknown> = Object.create(null)
  for (const [key, value] of Object.entries(data)) {
    const name = Object.hasOwn(shape, key) ? key : (names.get(key.toLowerCase()) ?? key)
    if (name === key || !Object.hasOwn(data, name)) named[name] = value
  }
  return named
}

export function hasBody(request: IncomingMessage): boolean {
  return request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined
}

async function readText(source: Readable): Promise<string> {
  const timer = setTimeout(
    () => source.destroy(new Failure('invalid', 'invalid JSON: the request body did not arrive in time')),
    bodyTimeout,
  )
  const pieces: Buffer[] = []
  let length = 0
  try {
    // destroyOnReturn would close the connection before the answer is out
    for await (const piece of source.iterator({ destroyOnReturn: false })) {
      length += (piece as Buffer).length
      if (length > maxJsonBody)
        throw new Failure('invalid', `invalid JSON: the request body is over ${maxJsonBody} bytes`)
      pieces.push(piece as Buffer)
    }
  } finally {
    clearTimeout(timer)
  }
  return Buffer.concat(pieces).toString('utf8')
}
