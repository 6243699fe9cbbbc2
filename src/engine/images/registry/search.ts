/** A search of a registry by `GET /v1/search`, which the hub has and few others. */
import { z } from 'zod'
import { Failure } from '../../../lib/failure.ts'
import { isFor, type RegistryAuth } from '../auth.ts'
import type { RegistrySettings } from './settings.ts'
import { readBody, Transport } from './transport.ts'

const replySchema = z.looseObject({
  results: z
    .array(
      z.looseObject({
        name: z.string(),
        description: z.string().nullable().default(''),
        star_count: z.number().default(0),
        is_official: z.boolean().default(false),
        is_automated: z.boolean().default(false),
      }),
    )
    .nullable(),
})

export interface SearchResult {
  readonly name: string
  readonly description: string
  readonly star_count: number
  readonly is_official: boolean
  readonly is_automated: boolean
}

export interface SearchOptions {
  readonly limit: number
  readonly auth?: RegistryAuth | undefined
  readonly signal: AbortSignal
}

const longestReply = 4 * 1024 * 1024

/**
 * @param term words, after a registry's host where it is not the hub: "registry.example:5000/app".
 * @throws Failure `invalid` for no term, `unsupported` naming a registry that cannot be searched.
 */
export async function search(
  settings: RegistrySettings,
  term: string,
  { limit, auth, signal }: SearchOptions,
): Promise<readonly SearchResult[]> {
  const { host, words } = partsOf(term)
  const transport = new Transport(settings)
  const api = host === 'docker.io' ? `index.${host}` : host
  const url = new URL(`${await transport.scheme(api, signal)}//${api}/v1/search`)
  url.searchParams.set('q', words)
  url.searchParams.set('n', String(limit))
  const response = await transport.send(url, { headers: headersFor(host, auth), signal })
  if (response.statusCode !== 200) {
    response.resume()
    const status = response.statusCode!
    if (status === 404) throw unsearchable(host)
    throw new Failure('unavailable', `Cannot search registry ${host}: Unexpected status code ${status}`)
  }
  const body = await readBody(response, { limit: longestReply, from: `registry ${host}` })
  let data: unknown
  try {
    data = JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw unsearchable(host, cause)
  }
  const reply = replySchema.safeParse(data)
  if (!reply.success) throw unsearchable(host, reply.error)
  return (reply.data.results ?? []).slice(0, limit).map(found => ({
    name: found.name,
    description: found.description ?? '',
    star_count: found.star_count,
    is_official: found.is_official,
    is_automated: found.is_automated,
  }))
}

/** The first part is a host when it looks like one, as in names of images. */
function partsOf(term: string): { readonly host: string; readonly words: string } {
  if (term.includes('://'))
    throw new Failure('invalid', `invalid repository name: repository name (${term}) must not have a scheme`)
  const slash = term.indexOf('/')
  const first = slash < 0 ? '' : term.slice(0, slash)
  const isHost = /^(?:localhost|.*[.:].*)$/.test(first)
  const host = isHost ? first.toLowerCase() : 'docker.io'
  const words = isHost ? term.slice(slash + 1) : term
  if (words.trim() === '') throw new Failure('invalid', 'Cannot search for nothing: a term is needed')
  if (URL.parse(`https://${host}`)?.host !== host)
    throw new Failure('invalid', `Cannot search "${host}": it is no registry`)
  return { host, words: host === 'docker.io' ? words.replace(/^library\//, '') : words }
}

function headersFor(host: string, auth: RegistryAuth | undefined): Record<string, string> {
  if (auth?.username === undefined || auth.password === undefined || !isFor(auth, host)) return {}
  return { authorization: `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}` }
}

function unsearchable(host: string, cause?: unknown): Failure {
  return new Failure('unsupported', `Cannot search registry ${host}: it offers no search`, {
    hint: "Search on the registry's own page",
    cause,
  })
}
