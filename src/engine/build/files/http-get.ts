/** A file of a web server: redirects by rule, proxies as the build was given them, credentials for their own origin alone. */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { Failure, messageOf } from '../../../lib/failure.ts'

export interface GetOptions {
  readonly headers: Readonly<Record<string, string>>
  readonly proxy: ProxySettings
  readonly signal: AbortSignal
}

/** As HTTP_PROXY, HTTPS_PROXY and NO_PROXY have it. */
export interface ProxySettings {
  readonly http?: string | undefined
  readonly https?: string | undefined
  readonly no?: string | undefined
}

const mostRedirects = 10
/** Silence after which a server is given up, ms. */
const patience = 60_000

/**
 * The first answer that is no redirect, and where it came from.
 * @throws Failure `unavailable` when nobody answers, `denied` for a redirect that leads away from TLS or HTTP.
 */
export async function httpGet(start: URL, options: GetOptions): Promise<{ url: URL; response: IncomingMessage }> {
  let url = start
  for (let hops = 0; hops <= mostRedirects; hops++) {
    // credentials of the address itself; a redirect brings none along to another origin
    const response = await once(url, options)
    const { location } = response.headers
    if (![301, 302, 303, 307, 308].includes(response.statusCode!) || location === undefined) return { url, response }
    response.destroy()
    const next = URL.parse(location, url.href)
    if (next === null) throw new Failure('unavailable', `Cannot download "${shown(start)}": its redirect leads nowhere`)
    const isSafe = next.protocol === 'https:' || (next.protocol === 'http:' && url.protocol === 'http:')
    if (!isSafe)
      throw new Failure(
        'denied',
        `Cannot download "${shown(start)}": it is redirected to "${next.protocol}//${next.host}"`,
      )
    if (next.origin === url.origin && next.username === '') {
      next.username = url.username
      next.password = url.password
    }
    url = next
  }
  throw new Failure('unavailable', `Cannot download "${shown(start)}": more than ${mostRedirects} redirects`)
}

async function once(url: URL, { headers, proxy, signal }: GetOptions): Promise<IncomingMessage> {
  signal.throwIfAborted()
  const isSecure = url.protocol === 'https:'
  const proxyEnv = { HTTP_PROXY: proxy.http, HTTPS_PROXY: proxy.https, NO_PROXY: proxy.no }
  const Agent = isSecure ? HttpsAgent : HttpAgent
  const agent = new Agent({ keepAlive: false, proxyEnv } as ConstructorParameters<typeof HttpAgent>[0])
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const send = isSecure ? httpsRequest : httpRequest
  const request = send(
    withoutCredentials(url),
    { headers: { ...headers, ...authorization(url) }, signal, agent },
    resolve,
  )
  request.setTimeout(patience, () => {
    request.destroy(new Error(`no answer within ${patience / 1000} seconds`))
  })
  request.on('error', cause => {
    reject(
      signal.aborted
        ? signal.reason
        : new Failure('unavailable', `Cannot download "${shown(url)}": ${messageOf(cause)}`, { cause }),
    )
  })
  request.end()
  return await promise
}

function authorization({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === '') return {}
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { Authorization: `Basic ${Buffer.from(pair).toString('base64')}` }
}

function withoutCredentials(url: URL): URL {
  const bare = new URL(url)
  bare.username = ''
  bare.password = ''
  return bare
}

/** For messages and logs: without what must not be told. */
export function shown(url: URL): string {
  return withoutCredentials(url).href
}
