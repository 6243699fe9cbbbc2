/** One GET to a registry, redirects followed by rule: credentials stay with the origin they were meant for. */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { isIPv4 } from 'node:net'
import { Failure, messageOf } from '../../lib/failure.ts'

export interface GetOptions {
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  readonly method?: 'GET' | 'POST'
  readonly body?: string
}

const agents = { 'http:': new HttpAgent({ keepAlive: true }), 'https:': new HttpsAgent({ keepAlive: true }) }
const mostRedirects = 5
/** Silence on a connection after which it is given up, ms. */
const patience = 60_000

/** Follows redirects; whatever final status comes is the caller's to judge. @throws Failure `unavailable`, `denied`, `cancelled`. */
export async function get(start: URL, options: GetOptions): Promise<IncomingMessage> {
  let url = start
  let headers = options.headers
  for (let hops = 0; hops <= mostRedirects; hops++) {
    const response = await once(url, { ...options, headers })
    const location = response.headers.location
    if (![301, 302, 303, 307, 308].includes(response.statusCode!) || location === undefined) return response
    response.resume()
    const next = URL.parse(location, url.href)
    if (next === null) throw new Failure('unavailable', `Cannot follow redirect of "${url.host}": it leads nowhere`)
    checkTarget(next, start)
    if (next.origin !== url.origin) headers = withoutCredentials(headers)
    url = next
  }
  throw new Failure('unavailable', `Cannot read from "${start.host}": more than ${mostRedirects} redirects`)
}

/** Plain HTTP is for this machine; another machine must not send us to this one, nor to a link-local metadata service. */
export function checkTarget(target: URL, from: URL): void {
  const refuse = (why: string) => {
    throw new Failure('denied', `Cannot go from registry "${from.host}" to "${target.origin}": ${why}`)
  }
  if (target.protocol !== 'https:' && !(target.protocol === 'http:' && isLoopback(target.hostname))) {
    refuse('it is not https')
  }
  if (isLoopback(target.hostname) && !isLoopback(from.hostname)) refuse('it leads to this machine')
  if (/^169\.254\.|^\[fe[89ab][0-9a-f]:/i.test(target.hostname)) refuse('it is a link-local address')
  if (target.username !== '' || target.password !== '') refuse('it carries credentials')
}

/** 127.0.0.0/8, ::1 and localhost, which resolvers must not send elsewhere (RFC 6761). */
export function isLoopback(host: string): boolean {
  return (isIPv4(host) && host.startsWith('127.')) || host === '[::1]' || host === '::1' || host === 'localhost'
}

function withoutCredentials(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { Authorization: _, ...rest } = headers
  return rest
}

function once(url: URL, { headers, signal, method = 'GET', body }: GetOptions): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const secure = url.protocol === 'https:'
  const send = secure ? httpsRequest : httpRequest
  const request = send(url, { method, headers, signal, agent: secure ? agents['https:'] : agents['http:'] }, resolve)
  request.setTimeout(patience, () => {
    request.destroy(new Error(`no answer within ${patience / 1000} seconds`))
  })
  request.on('error', cause => {
    reject(
      signal.aborted
        ? new Failure('cancelled', `Cannot read from registry "${url.host}": cancelled`, { cause })
        : new Failure('unavailable', `Cannot reach registry "${url.host}": ${messageOf(cause)}`, {
            cause,
            hint: 'Check the registry in the image name, the network and the name server',
          }),
    )
  })
  request.end(body)
  return promise
}

/** A small body, whole. @throws Failure `invalid` beyond `limit`. */
export async function readBody(response: IncomingMessage, limit: number, from: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > limit) {
      response.destroy()
      throw new Failure('invalid', `Cannot read document of ${from}: it is larger than ${limit} bytes`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
