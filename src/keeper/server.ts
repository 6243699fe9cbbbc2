/** The keeper's endpoints over HTTP: JSON in and out, JSON lines for what goes on. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Endpoint, Reply } from '../api/endpoint.ts'
import { type HoldEvent, keeperEndpoints, type Turn } from '../api/keeper.ts'
import { errorReply, statusOf } from '../api/status.ts'
import { Failure } from '../lib/failure.ts'
import type { Keeper } from './keeper.ts'
import { checkedRequest } from './records.ts'

// Not by `import`: naming its exports reads getters that load all of fetch
const http = process.getBuiltinModule('node:http')

/** A model of a stack as large as this is none. */
const maxBody = 64 * 1024 * 1024

export interface Serving {
  readonly keeper: Keeper
  status(): Reply<typeof keeperEndpoints.keeperStatus>
  stop(): void
}

interface Call {
  readonly name: string
  readonly query: URLSearchParams
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** Undefined: nothing to say; the handlers of lines answer by themselves. */
type Handler = (call: Call) => Promise<unknown> | unknown

export function createServer(serving: Serving): Server {
  const handlers = handlersOf(serving)
  return http.createServer((request, response) => {
    answer(handlers, request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy()
      else sendJson(response, statusOf(error), errorReply(error))
    })
  })
}

/** The keeper is asked for at each call: it is made when the socket is ours. */
function handlersOf(serving: Serving): Readonly<Record<keyof typeof keeperEndpoints, Handler>> {
  return {
    keeperStatus: () => serving.status(),
    keeperStop: ({ response }) => {
      response.once('close', () => serving.stop())
    },
    stackList: () => serving.keeper.list(),
    stackInspect: ({ name }) => serving.keeper.get(name).shown,
    stackHold: async ({ name, request }) => serving.keeper.hold(name, checkedRequest(name, await documentOf(request))),
    stackRelease: ({ name }) => serving.keeper.release(name),
    stackUnwatch: ({ name }) => serving.keeper.unwatch(name),
    stackEvents: ({ name, response }) => {
      const line = lines<HoldEvent>(response)
      const stop = serving.keeper.get(name).listen(line)
      response.once('close', stop)
      line({ kind: 'listening', time: new Date().toISOString() })
    },
    jobList: () => serving.keeper.jobs(),
    jobRun: ({ name, query }) => serving.keeper.get(name).jobs.run(query.get('service') ?? ''),
    stackTurn: async ({ name, query, response }) => {
      const ended = new Promise<void>(resolve => response.once('close', resolve))
      const by = (['watching', 'making'] as const).find(each => query.get(each) === '1') ?? 'turning'
      const end = await serving.keeper.turn(name, by)
      void ended.then(end)
      lines<Turn>(response)({ held: true })
    },
  }
}

async function answer(
  handlers: ReturnType<typeof handlersOf>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://keeper')
  const found = find(request.method ?? 'GET', url.pathname)
  if (!found) throw new Failure('not-found', 'page not found')
  const { endpoint, name } = found
  const handler = handlers[endpoint.name as keyof typeof keeperEndpoints]
  const reply = await handler({ name, query: url.searchParams, request, response })
  if (endpoint.reply.kind === 'lines') return
  if (endpoint.reply.kind === 'json') sendJson(response, 200, reply)
  else response.writeHead(endpoint.status).end()
}

/** "/v1.0/stacks/shop/turn". A project's name has no character that is escaped. */
function find(method: string, path: string): { endpoint: Endpoint; name: string } | undefined {
  const segments = path.replace(/^\/v\d+\.\d+(?=\/)/, '').split('/')
  for (const endpoint of Object.values(keeperEndpoints)) {
    const pattern = endpoint.path.split('/')
    if (endpoint.method !== method || pattern.length !== segments.length) continue
    if (!pattern.every((each, i) => each === segments[i] || (each === '{name}' && isName(segments[i]!)))) continue
    const at = pattern.indexOf('{name}')
    return { endpoint, name: at < 0 ? '' : segments[at]! }
  }
  return undefined
}

/** It becomes a folder's name. */
function isName(text: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,199}$/.test(text)
}

async function documentOf(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    length += piece.length
    if (length > maxBody) throw new Failure('invalid', `the request is over ${maxBody} bytes`)
    pieces.push(piece)
  }
  let data: unknown
  try {
    data = JSON.parse(Buffer.concat(pieces).toString('utf8'))
  } catch (cause) {
    throw new Failure('invalid', 'the request is not JSON', { cause })
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    throw new Failure('invalid', 'the request should be an object')
  return data as Readonly<Record<string, unknown>>
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

/** Sends the headers at once, and then each line. */
function lines<T>(response: ServerResponse): (value: T) => void {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.flushHeaders()
  return value => {
    // whoever reads this slowly is no reason to grow
    if (response.writableLength < 1024 * 1024) response.write(`${JSON.stringify(value)}\n`)
  }
}
