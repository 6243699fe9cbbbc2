/** A web view over an engine and roads that answer from tables, for tests of what it lets pass. */
import { request } from 'node:http'
import type { Client } from '../../src/client/client.ts'
import { Failure } from '../../src/lib/failure.ts'
import type { Roads } from '../../src/web/roads.ts'
import { serveWeb } from '../../src/web/server.ts'
import { fakeClient, summary } from '../cli/fake-client.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

export interface Served extends AsyncDisposable {
  readonly port: number
  /** Addresses to log in by, as they were told. */
  readonly logins: readonly string[]
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>
  send(path: string, body: unknown, headers?: Readonly<Record<string, string>>, method?: string): Promise<Answer>
  /** Logs in; the cookie. */
  login(): Promise<string>
}

const never = async function* () {
  await new Promise(() => undefined)
}

export function engineOf(more: Parameters<typeof fakeClient>[0] = {}): Client {
  return fakeClient({
    containerList: () => [summary('web', 1), summary('db', 1)],
    events: () => never(),
    ...more,
  })
}

export function roadsOf(client: Client, more: Partial<Roads> = {}): Roads {
  const unasked = (): never => {
    throw new Failure('unsupported', 'This test does not ask for that')
  }
  return {
    client,
    env: { TSCOMPOSE_STATE: '/nonexistent' },
    here: undefined,
    schema: unasked,
    read: unasked,
    foresee: unasked,
    apply: unasked,
    turn: unasked,
    ...more,
  }
}

export async function serve(roads: Roads, { readOnly = false } = {}): Promise<Served> {
  const logins: string[] = []
  const server = await serveWeb({ roads, host: '127.0.0.1', port: 0, readOnly, onAddress: url => logins.push(url) })
  const port = Number(new URL(server.url).port)
  const ask = (path: string, method: string, headers: Readonly<Record<string, string>>, body?: string) =>
    new Promise<Answer>((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, response => {
        const chunks: Buffer[] = []
        response.on('data', chunk => chunks.push(chunk))
        response.on('end', () =>
          resolve({
            status: response.statusCode!,
            headers: response.headers,
            text: Buffer.concat(chunks).toString('utf8'),
          }),
        )
      })
      asked.on('error', reject)
      asked.end(body)
    })
  const own = { origin: `http://127.0.0.1:${port}`, 'content-type': 'application/json' }
  return {
    port,
    logins,
    get: (path, headers = {}) => ask(path, 'GET', headers),
    send: (path, body, headers = {}, method = 'POST') =>
      ask(path, method, { ...own, ...headers }, JSON.stringify(body)),
    async login() {
      const { headers } = await ask(new URL(logins.at(-1)!).pathname + new URL(logins.at(-1)!).search, 'GET', {})
      return String(headers['set-cookie']).split(';')[0]!
    },
    [Symbol.asyncDispose]: () => server.close(),
  }
}
