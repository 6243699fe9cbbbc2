/** What comes to a published port by sockets, since no rule of the firewall can lead it: on to the container and back. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { connect, isIPv6, type Socket } from 'node:net'
import { debug } from '../../lib/debug.ts'
import { messageOf } from '../../lib/failure.ts'

const log = debug('ports')

/** Where the port leads, in the container. */
export interface Target {
  readonly address: string
  readonly containerPort: number
}

/** Milliseconds without a datagram after which a client's way back is given up. */
const idle = 90_000
/** Milliseconds for which answers still come from where the port led before. */
const leaving = 10_000
/** At once: who sends from ever new ports does not use up the engine's descriptors. */
const mostWays = 1024

export function relayTcp(client: Socket, { address, containerPort }: Target): void {
  const server = connect({ host: address, port: containerPort, allowHalfOpen: true })
  // pipe passes an end on; what breaks off breaks the other side off too
  for (const [from, to] of [
    [client, server],
    [server, client],
  ] as const) {
    from.pipe(to)
    from.on('error', () => to.destroy())
  }
}

interface Sender {
  readonly address: string
  readonly port: number
}

/** A socket towards the container, by which the answers to one client find back. */
interface Way {
  readonly client: string
  readonly socket: UdpSocket
  readonly timer: NodeJS.Timeout
}

export class UdpRelay {
  readonly #socket: UdpSocket
  #target: Target
  /** By client: whose datagrams go by it. */
  readonly #ways = new Map<string, Way>()
  /** Those too by which nothing goes any more, and whose answers still come. */
  readonly #open = new Set<Way>()

  constructor(socket: UdpSocket, target: Target) {
    this.#socket = socket
    this.#target = target
  }

  /** A datagram of a client. */
  take(bytes: Uint8Array, from: Sender): void {
    const { address, containerPort } = this.#target
    this.#wayOf(from).send(bytes, containerPort, address, error => error && log('%s', messageOf(error)))
  }

  /** What comes from now on goes there; what was taken before is answered by whoever has got it. */
  lead(target: Target): void {
    this.#target = target
    const before = [...this.#ways.values()]
    this.#ways.clear()
    setTimeout(() => {
      for (const way of before) this.#end(way)
    }, leaving).unref()
  }

  close(): void {
    for (const way of this.#open) this.#end(way)
  }

  #wayOf(from: Sender): UdpSocket {
    const client = `${from.address} ${from.port}`
    const known = this.#ways.get(client)
    if (known) {
      known.timer.refresh()
      return known.socket
    }
    // the oldest
    if (this.#open.size >= mostWays) this.#end(this.#open.values().next().value!)
    const { address, containerPort } = this.#target
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4').unref()
    const way: Way = { client, socket, timer: setTimeout(() => this.#end(way), idle).unref() }
    socket.on('error', error => log('%s', messageOf(error)))
    socket.on('message', (answer, by) => {
      // anybody may find this socket: only who was asked answers
      if (by.address !== address || by.port !== containerPort) return
      if (this.#ways.get(client) === way) way.timer.refresh()
      this.#socket.send(answer, from.port, from.address, error => error && log('%s', messageOf(error)))
    })
    this.#ways.set(client, way)
    this.#open.add(way)
    return socket
  }

  #end(way: Way): void {
    if (!this.#open.delete(way)) return
    clearTimeout(way.timer)
    if (this.#ways.get(way.client) === way) this.#ways.delete(way.client)
    way.socket.close()
  }
}
