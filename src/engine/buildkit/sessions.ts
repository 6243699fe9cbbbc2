/** Clients that serve a build what only they have, each over a connection of its own: found by the id that a build names. */
import type { Duplex } from 'node:stream'
import { GrpcClient } from '../../api/buildkit/grpc-client.ts'
import { Failure } from '../../lib/failure.ts'

export interface SessionHello {
  readonly id: string
  /** Names the folder a client builds from, to tell its contexts from those of others; "" when it has none. */
  readonly sharedKey: string
  /** Paths of the methods it serves. */
  readonly methods: readonly string[]
}

export interface ClientSession extends SessionHello {
  readonly grpc: GrpcClient
  /** Fires when the client has left. */
  readonly left: AbortSignal
  /** Whether it serves that method; they are compared in any case, as Docker's engine does. */
  serves(path: string): boolean
}

/** A build may name its session before the connection is there. */
const patience = 10_000
const longestId = 256
const mostSessions = 1000
const mostMethods = 256

export class Sessions {
  readonly #byId = new Map<string, ClientSession>()
  readonly #waiting = new Map<string, Set<(session: ClientSession) => void>>()

  /**
   * Serves a session as long as its connection lasts.
   * @throws Failure `invalid` for an id that is none or is taken, `conflict` when there are too many.
   */
  open(hello: SessionHello): (connection: Duplex) => Promise<void> {
    if (hello.id === '' || hello.id.length > longestId)
      throw new Failure('invalid', 'Cannot open a session without an id')
    if (hello.methods.length > mostMethods) throw new Failure('invalid', 'Cannot open a session with so many methods')
    this.#checkFree(hello.id)
    return connection => this.#serve(hello, connection)
  }

  /**
   * The session of that id, once it is there.
   * @throws Failure `not-found` when it does not come, `cancelled` by the signal.
   */
  async get(id: string, signal: AbortSignal): Promise<ClientSession> {
    const found = this.#byId.get(id)
    if (found) return found
    const settled = Promise.withResolvers<ClientSession>()
    const waiting = this.#waiting.get(id) ?? new Set()
    this.#waiting.set(id, waiting.add(settled.resolve))
    const stop = () => settled.reject(new Failure('cancelled', 'context canceled', { cause: signal.reason }))
    const timer = setTimeout(
      () => settled.reject(new Failure('not-found', `no active session for ${id}: context deadline exceeded`)),
      patience,
    )
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    try {
      return await settled.promise
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      waiting.delete(settled.resolve)
      if (waiting.size === 0) this.#waiting.delete(id)
    }
  }

  close(): void {
    for (const session of this.#byId.values()) session.grpc.close()
  }

  #checkFree(id: string): void {
    if (this.#byId.has(id)) throw new Failure('conflict', `session ${id} already exists`)
    if (this.#byId.size >= mostSessions)
      throw new Failure('conflict', `Cannot open a session: ${mostSessions} are open`)
  }

  async #serve(hello: SessionHello, connection: Duplex): Promise<void> {
    // two may have asked at once
    this.#checkFree(hello.id)
    const grpc = new GrpcClient(connection)
    const left = new AbortController()
    const methods = new Set(hello.methods.map(path => path.toLowerCase()))
    const session: ClientSession = {
      ...hello,
      grpc,
      left: left.signal,
      serves: path => methods.has(path.toLowerCase()),
    }
    this.#byId.set(hello.id, session)
    for (const resolve of this.#waiting.get(hello.id) ?? []) resolve(session)
    await grpc.closed
    this.#byId.delete(hello.id)
    left.abort(new Failure('cancelled', 'the client has left'))
  }
}
