/** The real server on a socket of its own with the handlers a test gives, and the real client to it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Handlers } from '../../src/api/endpoint.ts'
import { type EndpointName, endpoints } from '../../src/api/endpoints.ts'
import { type Client, createClient } from '../../src/client/client.ts'
import type { Listener } from '../../src/engine/server/answer.ts'
import type { Unread } from '../../src/engine/server/arrival.ts'
import { notYet } from '../../src/engine/server/not-yet.ts'
import { type Server, serve } from '../../src/engine/server/server.ts'

type Table = Handlers<typeof endpoints>

export interface Serving extends AsyncDisposable {
  readonly path: string
  readonly client: Client
  readonly server: Server
  /** What the server found worth a line in the engine's log. */
  readonly problems: string[]
  /** A bare connection. */
  dial(): Socket
  /** Sends `text`, half-closes, and reads until the end. */
  exchange(text: string): Promise<string>
}

export interface ServingOptions {
  readonly listeners?: readonly Listener[]
  readonly unread?: Unread
  readonly mostOperations?: number
}

/** Endpoints without a handler answer 501. */
export async function serving(
  handlers: Partial<Table>,
  { listeners = [], unread, mostOperations }: ServingOptions = {},
): Promise<Serving> {
  const folder = await mkdtemp(join(tmpdir(), 'tscompose-http-'))
  const path = join(folder, 'engine.sock')
  const problems: string[] = []
  const all = {
    ...Object.fromEntries(Object.entries(endpoints).map(([name, endpoint]) => [name, notYet(endpoint)])),
    ping: () => 'OK',
    pingHead: () => '',
    ...handlers,
  } as Record<EndpointName, unknown> as Table
  const options = {
    listeners: [{ kind: 'unix', path }, ...listeners] as const,
    handlers: all,
    serverVersion: '0.0.0-test',
    unread,
    mostOperations,
    onProblem: (line: string) => void problems.push(line),
  }
  const server = await serve(options).catch(async error => {
    await rm(folder, { recursive: true, force: true })
    throw error
  })
  const client = createClient(`unix://${path}`)
  const dial = () => connect({ path, allowHalfOpen: true })
  return {
    path,
    client,
    server,
    problems,
    dial,
    exchange: text =>
      new Promise((resolve, reject) => {
        const socket = dial()
        const pieces: Buffer[] = []
        socket.on('data', piece => pieces.push(piece))
        socket.on('end', () => {
          resolve(Buffer.concat(pieces).toString('latin1'))
          socket.destroy()
        })
        socket.on('error', reject)
        socket.write(text)
      }),
    async [Symbol.asyncDispose]() {
      client.close()
      await server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A GET without a body, on a connection that ends with it. */
export function get(path: string, method = 'GET'): string {
  return `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`
}
