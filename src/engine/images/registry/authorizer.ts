/** Who we are at one registry: its challenge answered by basic credentials or a token, which is renewed when it has run out. */
import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { Failure } from '../../../lib/failure.ts'
import type { RegistryAuth } from '../auth.ts'
import { replyFailure } from './replies.ts'
import { isLoopback } from './settings.ts'
import { readBody, type Transport } from './transport.ts'

const tokenSchema = z.looseObject({
  token: z.string().optional(),
  access_token: z.string().optional(),
  refresh_token: z.string().optional(),
  /** Seconds; a minute when it is not said. */
  expires_in: z.number().optional(),
})

export interface AuthorizerOptions {
  readonly transport: Transport
  /** The registry's own address, which credentials are for. */
  readonly base: URL
  readonly auth: RegistryAuth | undefined
  /** "repository:app:pull,push". */
  readonly scopes: readonly string[]
  /** "registry 127.0.0.1:5000". */
  readonly name: string
}

export class Authorizer {
  readonly #options: AuthorizerOptions
  #authorization: string | undefined
  /** Milliseconds since the epoch after which the token is not worth sending. */
  #until = Number.POSITIVE_INFINITY
  #parameters: Readonly<Record<string, string>> | undefined
  /** Several requests that are told the same at once share one token. */
  #authorizing: Promise<void> | undefined
  /** A refresh token, when the login was asked for one. */
  identityToken: string | undefined

  constructor(options: AuthorizerOptions) {
    this.#options = options
    if (options.auth?.registryToken) this.#authorization = `Bearer ${options.auth.registryToken}`
  }

  /** What to send along; a token that has run out is renewed first. */
  async headers(signal: AbortSignal): Promise<{ readonly Authorization?: string }> {
    if (this.#parameters !== undefined && Date.now() >= this.#until) await this.#renew(this.#parameters, signal)
    return this.#authorization === undefined ? {} : { Authorization: this.#authorization }
  }

  /** After a 401: whether there is something else to send now than what was `sent`. @throws Failure `denied`. */
  async challenged(
    response: IncomingMessage,
    sent: string | undefined,
    url: URL,
    signal: AbortSignal,
  ): Promise<boolean> {
    // another request may have been told the same meanwhile
    if (this.#authorization === sent) {
      this.#authorizing ??= this.#authorize(response.headers['www-authenticate'] ?? '', url, signal).finally(() => {
        this.#authorizing = undefined
      })
    }
    await this.#authorizing
    return this.#authorization !== sent
  }

  async #authorize(challenge: string, url: URL, signal: AbortSignal): Promise<void> {
    const { name, base } = this.#options
    const { scheme, parameters } = parseChallenge(challenge)
    if (scheme === 'basic') {
      const basic = this.#basic()
      if (basic === undefined)
        throw new Failure('denied', `Get "${url}": no basic auth credentials`, {
          hint: `Log in: tscompose login ${base.host}`,
        })
      this.#authorization = basic
    } else if (scheme === 'bearer') {
      this.#parameters = parameters
      await this.#renew(parameters, signal)
    } else {
      throw new Failure('denied', `Cannot log in to ${name}: it asks for "${scheme}", which is not supported`)
    }
  }

  async #renew(parameters: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
    const { transport, name } = this.#options
    const realm = await this.#realm(parameters)
    const started = Date.now()
    const response = await this.#askToken(realm, parameters['service'], signal)
    if (response.statusCode !== 200) throw await replyFailure(response, { name, action: 'log in' })
    const { patience } = transport.settings
    const body = await readBody(response, { limit: 1024 * 1024, from: name, patience })
    const found = tokenSchema.safeParse(parseJson(body)).data
    const token = found?.token || found?.access_token
    if (!token || !/^[\x21-\x7e]+$/.test(token))
      throw new Failure('unavailable', `Cannot log in to ${name}: "${realm.host}" sent no token`)
    this.#authorization = `Bearer ${token}`
    this.identityToken = found?.refresh_token
    const lifetime = found?.expires_in ?? 60
    // a tenth less, so that it does not run out on its way
    this.#until = started + Math.max(1, lifetime * 0.9) * 1000
  }

  async #realm(parameters: Readonly<Record<string, string>>): Promise<URL> {
    const { name, base, transport, auth } = this.#options
    const realm = URL.parse(parameters['realm'] ?? '')
    if (realm === null) throw new Failure('denied', `Cannot log in to ${name}: it names no place to get a token`)
    await transport.check(realm, base)
    if ((this.#basic() ?? auth?.identityToken) !== undefined && !isSameSite(realm, base))
      throw new Failure(
        'denied',
        `Cannot log in to ${name}: it sends credentials to "${realm.host}", which is another site`,
        { hint: 'Log out of this registry if its images are public' },
      )
    return realm
  }

  async #askToken(realm: URL, service: string | undefined, signal: AbortSignal): Promise<IncomingMessage> {
    const { transport, auth, scopes } = this.#options
    if (auth?.identityToken !== undefined) {
      const form = new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: auth.identityToken,
        client_id: 'tscompose',
        ...(service && { service }),
        ...(scopes.length > 0 && { scope: scopes.join(' ') }),
      })
      return await transport.send(realm, {
        method: 'POST',
        body: Buffer.from(form.toString()),
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        signal,
      })
    }
    const basic = this.#basic()
    for (const scope of scopes) realm.searchParams.append('scope', scope)
    if (service) realm.searchParams.set('service', service)
    if (basic !== undefined && scopes.length === 0) {
      // a login: what may be kept instead of the password
      realm.searchParams.set('offline_token', 'true')
      realm.searchParams.set('client_id', 'tscompose')
      realm.searchParams.set('account', auth!.username!)
    }
    return await transport.send(realm, { headers: basic === undefined ? {} : { Authorization: basic }, signal })
  }

  #basic(): string | undefined {
    const { username, password } = this.#options.auth ?? {}
    if (username === undefined || password === undefined) return undefined
    return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
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

function parseJson(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'))
  } catch {
    return undefined // no JSON has no token: told by the caller
  }
}
