/** A registry's HTTP API (version 2) as manifests and blobs: who we are, what was asked, what went wrong in Docker's words. */
import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { Failure, isFailure } from '../../lib/failure.ts'
import type { RegistryAuth } from './auth.ts'
import { type Digest, digestOf } from './digest.ts'
import { checkTarget, get, isLoopback, readBody } from './http-get.ts'
import { largestDocument, mediaTypes } from './manifest.ts'
import { familiarName, type Reference } from './reference.ts'

export interface FetchedManifest {
  readonly data: Buffer
  readonly digest: Digest
  readonly mediaType: string | undefined
}

const errorsSchema = z.looseObject({
  errors: z.array(z.looseObject({ code: z.string(), message: z.string().optional() })).min(1),
})
const tagsSchema = z.looseObject({ tags: z.array(z.string().regex(/^[A-Za-z0-9_][\w.-]{0,127}$/)).nullish() })
const tokenSchema = z.looseObject({ token: z.string().optional(), access_token: z.string().optional() })

/** One repository of a registry, for the length of one pull. */
export class Registry {
  /** "registry 127.0.0.1:5000", for messages. */
  readonly name: string
  readonly #reference: Reference
  readonly #auth: RegistryAuth | undefined
  readonly #base: URL
  #authorization: string | undefined
  /** Several layers asked at once share one token. */
  #authorizing: Promise<void> | undefined

  constructor(reference: Reference, auth: RegistryAuth | undefined) {
    this.#reference = reference
    this.#auth = auth
    this.name = `registry ${reference.domain}`
    // names without a registry belong to the hub, whose API is at another host than its name
    const host = reference.domain === 'docker.io' ? `registry-1.${reference.domain}` : reference.domain
    const hostname = new URL(`https://${host}`).hostname
    this.#base = new URL(`${isLoopback(hostname) ? 'http' : 'https'}://${host}/v2/${reference.path}/`)
    if (auth?.registryToken) this.#authorization = `Bearer ${auth.registryToken}`
  }

  /** A manifest or index by tag or digest; its digest is computed, and must be the one asked for or announced. */
  async manifest(which: string, signal: AbortSignal): Promise<FetchedManifest> {
    const response = await this.#get(`manifests/${which}`, signal, { Accept: Object.values(mediaTypes).join(', ') })
    if (response.statusCode !== 200) throw await this.#failure(response, which)
    const data = await readBody(response, largestDocument, this.name)
    const digest = digestOf(data)
    const announced = response.headers['docker-content-digest']
    const wanted = which.startsWith('sha256:') ? which : typeof announced === 'string' ? announced : digest
    if (wanted !== digest) {
      throw new Failure('invalid', `Cannot use manifest "${wanted}" of ${this.name}: its content has digest ${digest}`)
    }
    return { data, digest, mediaType: response.headers['content-type'] }
  }

  /** The bytes of a blob; the caller verifies them. */
  async blob(digest: Digest, signal: AbortSignal): Promise<IncomingMessage> {
    const response = await this.#get(`blobs/${digest}`, signal, {})
    if (response.statusCode === 200) return response
    throw await this.#failure(response, digest)
  }

  /** All tags, page by page. */
  async tags(signal: AbortSignal): Promise<readonly string[]> {
    const found: string[] = []
    for (let path: string | undefined = 'tags/list'; path !== undefined; ) {
      const response: IncomingMessage = await this.#get(path, signal, {})
      if (response.statusCode !== 200) throw await this.#failure(response, 'tags')
      const page = tagsSchema.safeParse(parseJson(await readBody(response, largestDocument, this.name)))
      if (!page.success) throw new Failure('invalid', `Cannot read the tags of ${this.name}: it is no list of them`)
      found.push(...(page.data.tags ?? []))
      if (found.length > 100_000)
        throw new Failure('invalid', `Cannot read the tags of ${this.name}: there are too many`)
      path = nextPage(response.headers.link, this.#base)
    }
    return found
  }

  async #get(path: string, signal: AbortSignal, headers: Readonly<Record<string, string>>): Promise<IncomingMessage> {
    const url = new URL(path, this.#base)
    const sent = this.#authorization
    const first = await get(url, { headers: this.#signed(headers), signal })
    if (first.statusCode !== 401) return first
    const challenge = first.headers['www-authenticate']
    // another request may have been told the same meanwhile
    if (this.#authorization === sent) {
      this.#authorizing ??= this.#authorize(challenge, url, signal).finally(() => {
        this.#authorizing = undefined
      })
    }
    if (this.#authorizing) {
      first.resume()
      await this.#authorizing
    }
    if (this.#authorization === sent) return first
    return await get(url, { headers: this.#signed(headers), signal })
  }

  #signed(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    const agent = { 'User-Agent': 'tscompose', ...headers }
    return this.#authorization === undefined ? agent : { ...agent, Authorization: this.#authorization }
  }

  async #authorize(challenge: string | undefined, url: URL, signal: AbortSignal): Promise<void> {
    const { scheme, parameters } = parseChallenge(challenge ?? '')
    if (scheme === 'basic') {
      const basic = this.#basic()
      if (basic === undefined) {
        throw new Failure('denied', `Get "${url}": no basic auth credentials`, {
          hint: `Log in: docker login ${this.#reference.domain}`,
        })
      }
      this.#authorization = basic
    } else if (scheme === 'bearer') {
      this.#authorization = `Bearer ${await this.#token(parameters, signal)}`
    } else {
      throw new Failure('denied', `Cannot log in to ${this.name}: it asks for "${scheme}", which is not supported`)
    }
  }

  async #token(parameters: Readonly<Record<string, string>>, signal: AbortSignal): Promise<string> {
    const realm = URL.parse(parameters['realm'] ?? '')
    if (realm === null) throw new Failure('denied', `Cannot log in to ${this.name}: it names no place to get a token`)
    checkTarget(realm, this.#base)
    const scope = `repository:${this.#reference.path}:pull`
    const service = parameters['service']
    const basic = this.#basic()
    const identity = this.#auth?.identityToken
    if ((basic ?? identity) !== undefined && !isSameSite(realm, this.#base)) {
      throw new Failure(
        'denied',
        `Cannot log in to ${this.name}: it sends credentials to "${realm.host}", which is another site`,
        { hint: 'Log out of this registry if its images are public' },
      )
    }
    let response: IncomingMessage
    if (identity !== undefined) {
      const form = new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: identity,
        scope,
        client_id: 'tscompose',
      })
      if (service) form.set('service', service)
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
      response = await get(realm, { method: 'POST', body: form.toString(), headers, signal })
    } else {
      realm.searchParams.set('scope', scope)
      if (service) realm.searchParams.set('service', service)
      response = await get(realm, { headers: basic === undefined ? {} : { Authorization: basic }, signal })
    }
    if (response.statusCode !== 200) throw await this.#failure(response, 'a token')
    const result = tokenSchema.safeParse(parseJson(await readBody(response, 1024 * 1024, this.name)))
    const token = result.data?.token || result.data?.access_token
    if (!token || !/^[\x21-\x7e]+$/.test(token)) {
      throw new Failure('unavailable', `Cannot log in to ${this.name}: "${realm.host}" sent no token`)
    }
    return token
  }

  #basic(): string | undefined {
    const { username, password } = this.#auth ?? {}
    if (username === undefined || password === undefined) return undefined
    return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  }

  /** Docker's texts, which its clients match. */
  async #failure(response: IncomingMessage, which: string): Promise<Failure> {
    const body = await readBody(response, 64 * 1024, this.name).catch((cause: unknown) => {
      if (isFailure(cause, 'cancelled')) throw cause
      return Buffer.alloc(0) // the status alone says enough
    })
    const error = errorsSchema.safeParse(parseJson(body)).data?.errors[0]
    const code = error?.code ?? ''
    const text = `${code.toLowerCase().replaceAll('_', ' ')}: ${error?.message ?? code}`
    const status = response.statusCode!
    const name = familiarName(this.#reference)
    if (code === 'MANIFEST_UNKNOWN' || (status === 404 && code === '')) {
      const full = `${name}${which.startsWith('sha256:') ? '@' : ':'}${which}`
      return new Failure('not-found', `manifest for ${full} not found: manifest unknown: manifest unknown`)
    }
    if (code === 'NAME_UNKNOWN' || status === 401 || status === 403) {
      const detail = code === '' ? '' : `: ${text}`
      return new Failure(
        'not-found',
        `pull access denied for ${name}, repository does not exist or may require 'docker login'${detail}`,
      )
    }
    if (status === 404)
      return new Failure('not-found', `Cannot pull "${name}": ${this.name} has no "${which}": ${text}`)
    const detail = error ? text : `received unexpected HTTP status: ${status} ${response.statusMessage ?? ''}`.trim()
    return new Failure('unavailable', `Cannot pull "${name}" from ${this.name}: ${detail}`)
  }
}

/** `Bearer realm="…",service="…"` in its parts (RFC 9110, 11.6.1); only the first challenge counts. */
export function parseChallenge(header: string): {
  readonly scheme: string
  readonly parameters: Readonly<Record<string, string>>
} {
  const [, scheme = '', rest = ''] = /^\s*([A-Za-z0-9_-]+)\s*(.*)$/s.exec(header) ?? []
  const parameters: Record<string, string> = Object.create(null)
  for (const [, key, quoted, plain] of rest.matchAll(/([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g)) {
    parameters[key!.toLowerCase()] ??= quoted?.replace(/\\(.)/g, '$1') ?? plain!
  }
  return { scheme: scheme.toLowerCase(), parameters }
}

/**
 * Whether credentials for one may be shown to the other: the same host, or a common parent domain that can have one owner.
 * "co.uk" and the like have many; two short labels are taken for such.
 */
function isSameSite(a: URL, b: URL): boolean {
  if (a.hostname === b.hostname || (isLoopback(a.hostname) && isLoopback(b.hostname))) return true
  const site = ({ hostname }: URL) => {
    if (/^[\d.]+$|^\[/.test(hostname)) return hostname
    const labels = hostname.split('.')
    const shared = labels.at(-1)!.length === 2 && (labels.at(-2)?.length ?? 0) <= 3 ? 3 : 2
    return labels.slice(-shared).join('.')
  }
  return site(a) === site(b)
}

/** `Link: </v2/app/tags/list?last=b>; rel="next"`: below the repository again, or it is not followed. */
function nextPage(link: string | string[] | undefined, base: URL): string | undefined {
  const target = /<([^>]+)>\s*;\s*rel="?next"?/.exec([link ?? ''].flat().join(','))?.[1]
  const url = target === undefined ? null : URL.parse(target, base.href)
  return url?.href.startsWith(base.href) ? url.href : undefined
}

function parseJson(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'))
  } catch {
    return undefined // an HTML error page, say: the status is reported instead
  }
}
