/** Names in the abstract socket namespace (unix(7)) at which somebody sits who has a project: they die with whoever holds them. */
import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { errnoOf, Failure } from '../lib/failure.ts'

/** Who holds it, in their own words: not to be trusted, only to be shown. */
export interface Holder {
  readonly pid: number
  readonly user: string
  readonly command: string
}

export interface SeatOf {
  /** The engine's host as text. */
  readonly host: string
  readonly project: string
}

/** apply: whoever applies something to it. watch: whoever watches it. */
export function seatName(kind: 'apply' | 'watch', { host, project }: SeatOf): string {
  const whose = [realHost(host), project]
  const hash = createHash('sha256')
    .update(JSON.stringify(kind === 'apply' ? whose : [...whose, kind]))
    .digest('hex')
  return `\0tscompose/${hash.slice(0, 32)}`
}

/** /var/run/docker.sock and /run/docker.sock are one engine. */
function realHost(host: string): string {
  if (!host.startsWith('unix://')) return host
  try {
    return `unix://${realpathSync(host.slice('unix://'.length))}`
  } catch {
    // not there yet, or not for us to see: then the text is all there is
    return host
  }
}

/**
 * Sits at a name until it is disposed of; whoever connects hears first who sits there, and is `serve`'s then. Undefined when somebody sits there.
 * @throws Failure `internal`, with `what` it is a place of
 */
export function takeSeat(
  name: string,
  { holder, what, serve }: { readonly holder: Holder; readonly what: string; serve?(socket: Socket): void },
): Promise<AsyncDisposable | undefined> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.unref()
    // one who goes away is no concern of whoever sits here
    socket.on('error', () => undefined)
    socket.once('close', () => sockets.delete(socket))
    socket.write(`${JSON.stringify(holder)}\n`)
    serve?.(socket)
  })
  const { promise, resolve, reject } = Promise.withResolvers<AsyncDisposable | undefined>()
  server.once('error', error => {
    if (errnoOf(error) === 'EADDRINUSE') resolve(undefined)
    else reject(new Failure('internal', `Cannot take ${what}: ${errnoOf(error)}`, { cause: error }))
  })
  server.listen(name, () => {
    server.unref()
    resolve({
      [Symbol.asyncDispose]: () =>
        new Promise(done => {
          server.close(() => done())
          for (const socket of sockets) socket.destroy()
        }),
    })
  })
  return promise
}

export function parseHolder(word: string): Holder | undefined {
  let data: unknown
  try {
    data = JSON.parse(word)
  } catch {
    // anybody can listen there and say anything
    return undefined
  }
  if (typeof data !== 'object' || data === null) return undefined
  const { pid, user, command } = data as Readonly<Record<string, unknown>>
  if (typeof pid !== 'number' || typeof user !== 'string' || typeof command !== 'string') return undefined
  return { pid, user, command }
}
