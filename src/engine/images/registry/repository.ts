/** One repository of a registry by its HTTP API (OCI distribution, version 2): manifests, blobs, tags, and what is sent. */
import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { Failure } from '../../../lib/failure.ts'
import { isFor, type RegistryAuth } from '../auth.ts'
import { type Digest, digestOf } from '../digest.ts'
import { largestDocument, mediaTypes } from '../manifest.ts'
import { familiarName, type Reference } from '../reference.ts'
import { Authorizer } from './authorizer.ts'
import { replyFailure } from './replies.ts'
import { askedWait, isPassing, Retry } from './retry.ts'
import type { RegistrySettings } from './settings.ts'
import { type Outgoing, readBody, Transport } from './transport.ts'

export interface FetchedManifest {
  readonly data: Buffer
  readonly digest: Digest
  readonly mediaType: string | undefined
}

export interface RepositoryOptions {
  readonly reference: Pick<Reference, 'domain' | 'path'>
  readonly auth?: RegistryAuth | undefined
  readonly settings: RegistrySettings
  readonly action: 'pull' | 'push'
  /** Where the API is, if not at the reference's own host. */
  readonly mirror?: URL | undefined
  /** Other repositories of the registry from which blobs are to be taken over. */
  readonly from?: readonly string[]
}

const tagsSchema = z.looseObject({ tags: z.array(z.string().regex(/^[A-Za-z0-9_][\w.-]{0,127}$/)).nullish() })
const mostTags = 100_000

/** For the length of one pull or push. */
export class Repository {
  /** "registry 127.0.0.1:5000", for messages. */
  readonly name: string
  readonly settings: RegistrySettings
  /** "127.0.0.1:5000/app". */
  readonly repository: string
  readonly #options: RepositoryOptions
  readonly #transport: Transport
  #opened: Promise<{ readonly base: URL; readonly authorizer: Authorizer }> | undefined
  /** It has answered once: what fails now may be better in a moment. */
  #reached = false

  constructor(options: RepositoryOptions) {
    const { reference, mirror, settings } = options
    this.#options = options
    this.settings = settings
    this.name = mirror ? `mirror ${mirror.host}` : `registry ${reference.domain}`
    this.repository = familiarName({ ...reference, tag: undefined, digest: undefined })
    this.#transport = new Transport(settings)
  }

  /** A manifest or index by tag or digest; its digest is computed, and must be the one asked for or announced. */
  async manifest(which: string, signal: AbortSignal): Promise<FetchedManifest> {
    const headers = { Accept: Object.values(mediaTypes).join(', ') }
    const response = await this.request(`manifests/${which}`, { headers, signal })
    if (response.statusCode !== 200) throw await this.failure(response, which)
    const data = await this.#body(response)
    const digest = digestOf(data)
    const announced = response.headers['docker-content-digest']
    const wanted = which.startsWith('sha256:') ? which : typeof announced === 'string' ? announced : digest
    if (wanted !== digest)
      throw new Failure('invalid', `Cannot use manifest "${wanted}" of ${this.name}: its content has digest ${digest}`)
    return { data, digest, mediaType: response.headers['content-type'] }
  }

  /** A blob's bytes from `offset` on where the registry can (206), from its start otherwise (200); the caller verifies them. */
  async blob(digest: Digest, signal: AbortSignal, offset = 0): Promise<IncomingMessage> {
    const headers = { 'Accept-Encoding': 'identity', ...(offset > 0 && { Range: `bytes=${offset}-` }) }
    const response = await this.request(`blobs/${digest}`, { headers, signal })
    if (response.statusCode === 200 || (response.statusCode === 206 && offset > 0)) return response
    throw await this.failure(response, digest)
  }

  async has(digest: Digest, signal: AbortSignal): Promise<boolean> {
    const response = await this.request(`blobs/${digest}`, { method: 'HEAD', signal })
    response.resume()
    if (response.statusCode === 200) return true
    if (response.statusCode === 404) return false
    throw await this.failure(response, digest)
  }

  /** All tags, page by page. */
  async tags(signal: AbortSignal): Promise<readonly string[]> {
    const found: string[] = []
    const { base } = await this.#open(signal)
    for (let path: string | undefined = 'tags/list'; path !== undefined; ) {
      const response: IncomingMessage = await this.request(path, { signal })
      if (response.statusCode !== 200) throw await this.failure(response, 'tags')
      const page = tagsSchema.safeParse(parseJson(await this.#body(response)))
      if (!page.success)
        throw new Failure('unavailable', `Cannot read the tags of ${this.name}: it sent no list of them`)
      found.push(...(page.data.tags ?? []))
      if (found.length > mostTags)
        throw new Failure('invalid', `Cannot read the tags of ${this.name}: there are too many`)
      path = nextPage(response.headers.link, base)
    }
    return found
  }

  async putManifest(which: string, data: Buffer, mediaType: string, signal: AbortSignal): Promise<void> {
    const headers = { 'Content-Type': mediaType, 'Content-Length': String(data.length) }
    const response = await this.request(`manifests/${which}`, { method: 'PUT', headers, body: data, signal })
    if (response.statusCode !== 201 && response.statusCode !== 200) throw await this.failure(response, which)
    response.resume()
  }

  /** @param where below the repository, or an address that it told us. The answer's status is the caller's to judge. */
  async request(where: string | URL, outgoing: Outgoing): Promise<IncomingMessage> {
    const retry = new Retry(this.settings, outgoing.signal)
    // what is sent as a stream may have arrived in part: whoever sends it asks how much
    const isRepeatable = typeof outgoing.body !== 'function' && outgoing.method !== 'POST'
    for (;;) {
      let response: IncomingMessage
      try {
        response = await this.#authorized(where, outgoing)
      } catch (error) {
        if (!this.#reached || !isRepeatable) throw error
        await retry.after(error)
        continue
      }
      this.#reached = true
      if (!isRepeatable || !isPassing(response)) return response
      await retry.after(await this.failure(response, String(where)), { asked: askedWait(response) })
    }
  }

  /** Where a reply of ours says to go on, checked. @throws Failure `unavailable`, `denied`. */
  async location(response: IncomingMessage, signal: AbortSignal): Promise<URL> {
    const { base } = await this.#open(signal)
    const url = URL.parse(response.headers.location ?? '', base.href)
    if (url === null || !response.headers.location)
      throw new Failure('unavailable', `Cannot send to ${this.name}: it does not say where to`)
    await this.#transport.check(url, base)
    return url
  }

  /** What a status means, in Docker's words. */
  async failure(response: IncomingMessage, which: string): Promise<Failure> {
    const { action } = this.#options
    return await replyFailure(response, { name: this.name, action, repository: this.repository, which })
  }

  async #authorized(where: string | URL, outgoing: Outgoing): Promise<IncomingMessage> {
    const { base, authorizer } = await this.#open(outgoing.signal)
    const url = new URL(where, base)
    // credentials are for the registry itself, wherever it keeps what it has
    if (url.origin !== base.origin) return await this.#transport.send(url, outgoing)
    const own = await authorizer.headers(outgoing.signal)
    const send = (headers: Readonly<Record<string, string>>) =>
      this.#transport.send(url, { ...outgoing, headers: { ...outgoing.headers, ...headers } })
    const first = await send(own)
    if (first.statusCode !== 401) return first
    const again = await authorizer.challenged(first, own.Authorization, url, outgoing.signal)
    if (!again) return first
    first.resume()
    return await send(await authorizer.headers(outgoing.signal))
  }

  #open(signal: AbortSignal) {
    this.#opened ??= this.#find(signal).catch(error => {
      this.#opened = undefined
      throw error
    })
    return this.#opened
  }

  async #find(signal: AbortSignal) {
    const { reference, mirror, auth, action, from = [] } = this.#options
    // names without a registry belong to the hub, whose API is at another host than its name
    const host =
      mirror?.host ?? (reference.domain === 'docker.io' ? `registry-1.${reference.domain}` : reference.domain)
    const scheme = mirror?.protocol ?? (await this.#transport.scheme(host, signal))
    const prefix = mirror?.pathname.replace(/\/$/, '') ?? ''
    const base = new URL(`${scheme}//${host}${prefix}/v2/${reference.path}/`)
    await this.#transport.check(base, base)
    const rights = action === 'push' ? 'pull,push' : 'pull'
    const scopes = [`repository:${reference.path}:${rights}`, ...from.map(path => `repository:${path}:pull`)]
    const own = auth && isFor(auth, reference.domain) ? auth : undefined
    const authorizer = new Authorizer({ transport: this.#transport, base, auth: own, scopes, name: this.name })
    return { base, authorizer }
  }

  async #body(response: IncomingMessage): Promise<Buffer> {
    return await readBody(response, { limit: largestDocument, from: this.name, patience: this.settings.patience })
  }
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
    return undefined // told by the caller, which finds nothing in it
  }
}
