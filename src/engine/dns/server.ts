/** The name server at 127.0.0.11 inside each sandbox: the containers' own names, and the rest forwarded. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { readFileSync, statSync } from 'node:fs'
import { createServer, type Server, type Socket as TcpSocket } from 'node:net'
import { debug } from '../../lib/debug.ts'
import { messageOf } from '../../lib/failure.ts'
import { Frames, frame, type Upstream } from './forward.ts'
import { dnsAddress, parseResolvConf } from './host-files.ts'
import { KnownAnswers } from './known-answers.ts'
import type { Names } from './names.ts'
import type { Resolved, View } from './resolve.ts'

const log = debug('dns')

/** `socketIn` of the runtime: a bound (TCP: listening) socket in the namespace at a path. */
export type SocketIn = (netnsPath: string, kind: 'udp' | 'tcp', address: string, port: number) => number

export interface DnsOptions {
  readonly names: Names
  readonly socketIn: SocketIn
  /** Leads port 53 of 127.0.0.11 to other ports, inside a sandbox. */
  readonly redirect: (sandbox: string, ports: { readonly udp: number; readonly tcp: number }) => Promise<void>
  /** The host's. */
  readonly resolvConf?: string
}

export interface ServeOptions {
  /** The container's own `dns:` servers; asked from inside the sandbox. Empty: the host's, asked from the host. */
  readonly servers?: readonly string[]
  /** The container exposes or publishes port 53: its own name server must be able to take 0.0.0.0:53. */
  readonly ownNameServer?: boolean
}

const limits = { queries: 100, connections: 32, idle: 5000 }

interface Listener {
  readonly udp: UdpSocket
  readonly tcp: Server
  readonly connections: Set<TcpSocket>
}

export class Dns {
  readonly #options: DnsOptions
  readonly #listeners = new Map<string, Listener>()
  #host: { readonly time: number; readonly upstreams: readonly Upstream[] } | undefined

  constructor(options: DnsOptions) {
    this.#options = options
  }

  /**
   * Listens in a sandbox, once it exists; again with other options for another container that moves in.
   *
   * Port 53 of 127.0.0.11 taken, nobody could take port 53 of 0.0.0.0 but with SO_REUSEADDR. So where a container shows by its
   * ports that it is a name server, we listen elsewhere and a rule inside the sandbox leads there; all others are spared that rule.
   */
  async serve(sandbox: string, containerId: string, options: ServeOptions = {}): Promise<void> {
    this.stop(sandbox)
    const port = options.ownNameServer ? 0 : 53
    const view = this.#view(sandbox, containerId, options.servers ?? [])
    const listener = {
      udp: createSocket({ type: 'udp4', lookup: literal }),
      tcp: createServer(),
      connections: new Set<TcpSocket>(),
    }
    this.#listeners.set(sandbox, listener)
    try {
      listenUdp(listener.udp, this.#options.socketIn(sandbox, 'udp', dnsAddress, port), view)
      listenTcp(listener, this.#options.socketIn(sandbox, 'tcp', dnsAddress, port), view)
      if (options.ownNameServer) {
        const address = listener.tcp.address()
        if (address === null || typeof address === 'string') throw new Error('a listening TCP socket has a port')
        await this.#options.redirect(sandbox, { udp: listener.udp.address().port, tcp: address.port })
      }
    } catch (error) {
      this.stop(sandbox)
      throw error
    }
  }

  stop(sandbox: string): void {
    const listener = this.#listeners.get(sandbox)
    if (!listener) return
    this.#listeners.delete(sandbox)
    listener.udp.close()
    listener.tcp.close()
    for (const connection of listener.connections) connection.destroy()
  }

  /** That a container was removed. */
  forget(containerId: string): void {
    this.#options.names.forget(containerId)
  }

  close(): void {
    for (const sandbox of [...this.#listeners.keys()]) this.stop(sandbox)
  }

  #view(sandbox: string, containerId: string, servers: readonly string[]): () => View {
    const { names, socketIn } = this.#options
    if (servers.length > 0) {
      const upstreams = servers.map(address => ({ address, port: 53 }))
      const outside = { upstreams, from: (kind: 'udp', address: string) => socketIn(sandbox, kind, address, 0) }
      return () => ({ names, containerId, outside })
    }
    return () => ({
      names,
      containerId,
      outside: names.reachesOutside(containerId) ? { upstreams: this.#hostServers(), from: undefined } : undefined,
    })
  }

  /** The host's servers, read again when the file has changed. */
  #hostServers(): readonly Upstream[] {
    const path = this.#options.resolvConf ?? '/etc/resolv.conf'
    const time = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
    if (this.#host?.time === time) return this.#host.upstreams
    const text = time === 0 ? '' : readFileSync(path, 'utf8')
    const upstreams = parseResolvConf(text).servers.map(address => ({ address, port: 53 }))
    this.#host = { time, upstreams }
    return upstreams
  }
}

/** Answers one message; a defect of ours costs that answer, not the engine. */
async function answer(bytes: Buffer, view: View, tcp: boolean): Promise<Resolved | undefined> {
  try {
    // the wire format's library is loaded by the first query, not by every engine
    const [{ resolve }, { fitted }] = await modules()
    const result = await resolve(bytes, view, tcp)
    if (!result?.query || tcp) return result
    const { query, response, own } = result
    return { query, response: fitted(response, query), own: own?.map(each => fitted(each, query)) }
  } catch (error) {
    log('query of %s failed: %s', view.containerId, messageOf(error))
    return undefined
  }
}

let loaded: ReturnType<typeof load> | undefined
const modules = () => (loaded ??= load())
const load = () => Promise.all([import('./resolve.ts'), import('./message.ts')])

function listenUdp(socket: UdpSocket, fd: number, view: () => View): void {
  const known = new KnownAnswers(view().names)
  let busy = 0
  socket.on('message', (bytes, client) => {
    const again = known.find(bytes)
    if (again) return send(socket, again, client)
    // what is too much is dropped, and asked again by a client that still wants it
    if (busy >= limits.queries) return
    busy++
    const seen = view()
    const { version } = seen.names
    void answer(bytes, seen, false).then(result => {
      busy--
      if (!result) return
      if (result.own) known.keep(bytes, result.own, version)
      send(socket, result.response, client)
    })
  })
  socket.on('error', error => log('%s', messageOf(error)))
  socket.bind({ fd })
}

/** Of the addresses that answers go to, for which Node would wait a turn of its loop each time. */
function literal(address: string, _: unknown, found: (error: null, address: string, family: number) => void): void {
  found(null, address, 4)
}

function send(socket: UdpSocket, response: Buffer, client: { readonly port: number; readonly address: string }): void {
  try {
    socket.send(response, client.port, client.address)
  } catch (error) {
    // the sandbox was closed while the answer was on its way
    log('%s', messageOf(error))
  }
}

function listenTcp({ tcp, connections }: Listener, fd: number, view: () => View): void {
  tcp.maxConnections = limits.connections
  tcp.on('connection', socket => {
    connections.add(socket)
    socket.setTimeout(limits.idle, () => socket.destroy())
    socket.on('error', error => log('%s', messageOf(error)))
    socket.on('close', () => connections.delete(socket))
    let last = Promise.resolve()
    let busy = 0
    const frames = new Frames(message => {
      if (++busy > limits.queries) return void socket.destroy()
      last = last.then(async () => {
        const result = await answer(message, view(), true)
        busy--
        if (result && socket.writable) socket.write(frame(result.response))
      })
    })
    socket.on('data', (chunk: Buffer) => frames.take(chunk))
  })
  tcp.on('error', error => log('%s', messageOf(error)))
  tcp.listen({ fd })
}
