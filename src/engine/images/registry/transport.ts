/** Requests to registries: whose certificates count, redirects by rule, credentials only for the origin they were meant for. */
import { createHash } from 'node:crypto'
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { errnoOf, Failure, isFailure, messageOf } from '../../../lib/failure.ts'
import { lookupOf, Places } from './places.ts'
import { isLoopback, type RegistrySettings } from './settings.ts'
import { certificatesOf } from './tls.ts'

export interface Outgoing {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly headers?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  /** Sent again from its start when it must be. */
  readonly body?: Uint8Array | (() => AsyncIterable<Uint8Array>)
}

const mostRedirects = 5
const redirects = [301, 302, 303, 307, 308]
/** By what their connections have in common, for the life of the engine: connections are used again. */
const agents = new Map<string, HttpAgent | HttpsAgent>()
const mostAgents = 100

export class Transport {
  readonly settings: RegistrySettings
  readonly #places: Places

  constructor(settings: RegistrySettings, places = new Places(settings)) {
    this.settings = settings
    this.#places = places
  }

  /** One answer, whatever its status; redirects of GET and HEAD are followed. @throws Failure `unavailable`, `denied`, `cancelled`. */
  async send(start: URL, outgoing: Outgoing): Promise<IncomingMessage> {
    const { method = 'GET' } = outgoing
    let url = start
    let headers = outgoing.headers ?? {}
    for (let hops = 0; hops <= mostRedirects; hops++) {
      const response = await this.#once(url, { ...outgoing, headers })
      const { location } = response.headers
      if (!redirects.includes(response.statusCode!) || location === undefined) return response
      response.resume()
      if (method !== 'GET' && method !== 'HEAD')
        throw new Failure('denied', `Cannot send to registry "${url.host}": it sends us elsewhere with what is sent`)
      const next = URL.parse(location, url.href)
      if (next === null) throw new Failure('unavailable', `Cannot follow redirect of "${url.host}": it leads nowhere`)
      await this.check(next, start)
      if (next.origin !== url.origin) headers = withoutCredentials(headers)
      url = next
    }
    throw new Failure('unavailable', `Cannot read from "${start.host}": more than ${mostRedirects} redirects`)
  }

  /**
   * Plain HTTP is for this machine and what is configured; another machine must not send us to this one, nor to a link-local
   * metadata service. @throws Failure `denied`.
   */
  async check(target: URL, from: URL): Promise<void> {
    const refuse = (why: string) => {
      throw new Failure('denied', `Cannot go from registry "${from.host}" to "${target.origin}": ${why}`)
    }
    const { insecure, here } = await this.#places.of(target)
    if (target.protocol !== 'https:' && !(target.protocol === 'http:' && insecure)) refuse('it is not https')
    if (here && !(await this.#places.of(from)).here) refuse('it leads to this machine')
    if (/^169\.254\.|^\[fe[89ab][0-9a-f]:/i.test(target.hostname)) refuse('it is a link-local address')
    if (target.username !== '' || target.password !== '') refuse('it carries credentials')
  }

  /**
   * How a host is spoken to: TLS; where it may go without, TLS that nobody vouches for if it has it, else plain HTTP. A folder of
   * certificates for it means TLS that is verified.
   */
  async scheme(host: string, signal: AbortSignal): Promise<'http:' | 'https:'> {
    const secure = new URL(`https://${host}/v2/`)
    if (!(await this.#places.of(secure)).insecure) return 'https:'
    if (await certificatesOf(secure.host, this.settings.certificates)) return 'https:'
    try {
      const answer = await this.#once(secure, { method: 'HEAD', signal })
      answer.resume()
      return 'https:'
    } catch (error) {
      if (isFailure(error, 'cancelled')) throw error
      // who listens without TLS, or not at all, is seen by the request itself
      return 'http:'
    }
  }

  async #once(url: URL, { method = 'GET', headers, signal, body }: Outgoing): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const agent = await this.#agent(url)
    const cancelled = (cause: unknown) =>
      new Failure('cancelled', `Cannot go on with registry "${url.host}": cancelled`, { cause })
    if (signal.aborted) throw cancelled(signal.reason)
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest
    const request = send(url, { method, headers: { 'User-Agent': 'tscompose', ...headers }, signal, agent }, resolve)
    const { patience } = this.settings
    request.setTimeout(patience, () => {
      request.destroy(new Error(`no answer within ${patience / 1000} seconds`))
    })
    request.on('error', cause => {
      reject(signal.aborted ? cancelled(cause) : unreachable(url, cause))
    })
    if (body === undefined || body instanceof Uint8Array) request.end(body)
    else
      pipeline(Readable.from(body(), { objectMode: false }), request).catch(cause => {
        // the answer, or the request's own failure, says more when there is one
        reject(signal.aborted ? cancelled(cause) : isFailure(cause) ? cause : unreachable(url, cause))
      })
    return await promise
  }

  async #agent(url: URL): Promise<HttpAgent> {
    const { proxy, certificates } = this.settings
    const proxyEnv = isLoopback(url.hostname)
      ? {}
      : { HTTP_PROXY: proxy.http, HTTPS_PROXY: proxy.https, NO_PROXY: proxy.no }
    const { insecure, pinned } = await this.#places.of(url)
    const common = { keepAlive: true, proxyEnv, ...(pinned && { lookup: lookupOf(pinned) }) }
    if (url.protocol !== 'https:')
      return cached(
        JSON.stringify(['http', proxyEnv, pinned]),
        () => new HttpAgent(common as ConstructorParameters<typeof HttpAgent>[0]),
      )
    const found = await certificatesOf(url.host, certificates)
    const rejectUnauthorized = found !== undefined || !insecure
    const key = JSON.stringify(['https', proxyEnv, pinned, found && [url.host, digest(found)], rejectUnauthorized])
    const options = { ...common, ...found, ca: found?.ca && [...found.ca], rejectUnauthorized }
    return cached(key, () => new HttpsAgent(options as ConstructorParameters<typeof HttpsAgent>[0]))
  }
}

function cached(key: string, make: () => HttpAgent): HttpAgent {
  let agent = agents.get(key)
  if (agent === undefined) {
    const [oldest] = agents.size >= mostAgents ? agents.keys() : []
    if (oldest !== undefined) agents.delete(oldest)
    agents.set(key, (agent = make()))
  }
  return agent
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex')
}

function withoutCredentials(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { Authorization: _, ...rest } = headers
  return rest
}

function unreachable(url: URL, cause: unknown): Failure {
  const code = errnoOf(cause) ?? ''
  const untrusted = /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(code)
  return new Failure('unavailable', `Cannot reach registry "${url.host}": ${messageOf(cause) || code}`, {
    cause,
    hint: untrusted
      ? `Put its authority's certificate into /etc/docker/certs.d/${url.host}/ca.crt`
      : 'Check the registry in the image name, the network and the name server',
  })
}

/** A small body, whole. @throws Failure `invalid` beyond `limit`, `unavailable` when it does not come to an end within `patience` ms. */
export async function readBody(
  response: IncomingMessage,
  { limit, from, patience = 60_000 }: { readonly limit: number; readonly from: string; readonly patience?: number },
): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  const timer = setTimeout(() => {
    response.destroy(new Error(`it did not come to an end within ${patience / 1000} seconds`))
  }, patience)
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > limit) {
        response.destroy()
        throw new Failure('invalid', `Cannot read document of ${from}: it is larger than ${limit} bytes`)
      }
      chunks.push(chunk)
    }
  } catch (cause) {
    if (isFailure(cause)) throw cause
    throw new Failure('unavailable', `Cannot read document of ${from}: ${messageOf(cause)}`, { cause })
  } finally {
    clearTimeout(timer)
  }
  return Buffer.concat(chunks)
}
