/** Calls of a Kubernetes API server: JSON over HTTPS on kept connections; what it refuses is told in its words. */
import type { Agent, ClientRequest, IncomingMessage } from 'node:http'
import type { AgentOptions } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'
import { debug } from '../../../lib/debug.ts'
import { Failure, type FailureKind, messageOf } from '../../../lib/failure.ts'
import { type CredentialSource, credentialSource } from './credentials.ts'
import type { ClusterAccess, Credentials } from './kubeconfig.ts'
import { type Status, statusOf } from './status.ts'

const log = debug('kubernetes')

/** Connections at most; others wait for one of them. */
const sockets = 16
/** How often a server that is busy is asked again. */
const retries = 5

export interface Request {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly body?: unknown
  /** Otherwise application/json. */
  readonly contentType?: string
  /** Otherwise application/json. */
  readonly accept?: string | undefined
  readonly signal?: AbortSignal | undefined
}

export interface Answer<T> {
  readonly status: number
  readonly body: T
  /** What the server warns of. */
  readonly warnings: readonly string[]
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export class Cluster {
  readonly access: ClusterAccess
  readonly #credentials: CredentialSource
  #agent: { readonly of: Credentials; readonly agent: Agent } | undefined
  #calls = 0

  constructor(access: ClusterAccess, env: Readonly<Record<string, string | undefined>>) {
    this.access = access
    this.#credentials = credentialSource(access.user, env)
  }

  /** How many were made. */
  get calls(): number {
    return this.#calls
  }

  close(): void {
    this.#agent?.agent.destroy()
  }

  /** @throws Failure of the server's Status as its cause */
  async call<T>(method: Method, path: string, request: Request = {}): Promise<Answer<T>> {
    let fresh = false
    for (let attempt = 0; ; attempt++) {
      const response = await this.#send(method, path, request, { fresh })
      const text = await textOf(response)
      const status = response.statusCode ?? 0
      if (status < 300) return { status, body: JSON.parse(text) as T, warnings: warningsOf(response) }
      const told = statusOf(text, status)
      // a token may have been taken back before its time
      fresh = status === 401 && attempt === 0 && this.access.user.kind === 'exec'
      if (fresh) continue
      const wait = Number(response.headers['retry-after'])
      if ((status === 429 || status === 503) && attempt < retries && Number.isFinite(wait)) {
        await pause(Math.min(wait, 5) * 1000, undefined, { ...(request.signal && { signal: request.signal }) })
        continue
      }
      throw failureOf(told)
    }
  }

  /** The body as it comes. @throws Failure when it is refused */
  async stream(path: string, request: Request = {}): Promise<IncomingMessage> {
    const response = await this.#send('GET', path, request, { fresh: false })
    const status = response.statusCode ?? 0
    if (status < 300) return response
    throw failureOf(statusOf(await textOf(response), status))
  }

  /** What a WebSocket to the server needs. */
  async socketOptions(): Promise<{ readonly headers: Readonly<Record<string, string>>; readonly tls: AgentOptions }> {
    const credentials = await this.#credentials()
    return { headers: headersOf(credentials), tls: this.#tls(credentials) }
  }

  async #send(
    method: Method,
    path: string,
    request: Request,
    how: { readonly fresh: boolean },
  ): Promise<IncomingMessage> {
    const credentials = await this.#credentials(how)
    const { query = {}, body, contentType = 'application/json', accept = 'application/json', signal } = request
    const search = new URLSearchParams(
      Object.entries(query).flatMap(([key, value]) =>
        value === undefined ? [] : [[key, String(value)] as [string, string]],
      ),
    ).toString()
    const url = `${this.access.server}${path}${search === '' ? '' : `?${search}`}`
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
    this.#calls++
    log(`${method} ${url}`)
    const { request: send } = url.startsWith('https:')
      ? process.getBuiltinModule('node:https')
      : process.getBuiltinModule('node:http')
    return await new Promise((done, failed) => {
      const sent: ClientRequest = send(url, {
        method,
        agent: this.#agentFor(credentials),
        ...(signal && { signal }),
        headers: {
          accept,
          'user-agent': 'tscompose',
          ...headersOf(credentials),
          ...(payload && { 'content-type': contentType, 'content-length': payload.length }),
        },
      })
      sent.once('response', done)
      sent.once('error', error => failed(this.#unreachable(error, signal)))
      sent.end(payload)
    })
  }

  #unreachable(error: Error, signal: AbortSignal | undefined): Failure {
    if (signal?.aborted) return new Failure('cancelled', 'Interrupted', { cause: error })
    return new Failure('unavailable', `Cannot reach the cluster at ${this.access.server}: ${messageOf(error)}`, {
      hint: `Look at context "${this.access.context}" of your kubeconfig`,
      cause: error,
    })
  }

  #tls({ cert, key }: Credentials): AgentOptions {
    const { ca, servername, rejectUnauthorized } = this.access.tls
    return {
      rejectUnauthorized,
      ...(ca && { ca }),
      ...(servername && { servername }),
      ...(cert && { cert }),
      ...(key && { key }),
    }
  }

  #agentFor(credentials: Credentials): Agent {
    if (this.#agent?.of !== credentials) {
      this.close()
      const options = { keepAlive: true, maxSockets: sockets }
      const agent = this.access.server.startsWith('https:')
        ? new (process.getBuiltinModule('node:https').Agent)({ ...options, ...this.#tls(credentials) })
        : new (process.getBuiltinModule('node:http').Agent)(options)
      this.#agent = { of: credentials, agent }
    }
    return this.#agent.agent
  }
}

function headersOf({ token, basic }: Credentials): Readonly<Record<string, string>> {
  if (token !== undefined) return { authorization: `Bearer ${token}` }
  if (basic === undefined) return {}
  return { authorization: `Basic ${Buffer.from(`${basic.username}:${basic.password}`).toString('base64')}` }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of response) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}

/** `299 - "text"`, RFC 7234. */
function warningsOf({ headers }: IncomingMessage): readonly string[] {
  const value = headers['warning']
  return value === undefined
    ? []
    : [...String(value).matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text!.replace(/\\(.)/g, '$1'))
}

const kinds: Readonly<Record<number, FailureKind>> = {
  400: 'invalid',
  401: 'denied',
  403: 'denied',
  404: 'not-found',
  405: 'unsupported',
  409: 'conflict',
  410: 'conflict',
  422: 'invalid',
  429: 'unavailable',
  500: 'internal',
  503: 'unavailable',
  504: 'unavailable',
}

function failureOf(status: Status): Failure {
  return new Failure(kinds[status.code] ?? 'internal', status.message, { cause: status })
}
