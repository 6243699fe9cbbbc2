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
/** Clients at once: who sends from ever new ports does not use up the engine's descriptors. */
const mostClients = 1024

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

/** Each client has a socket of its own towards the container, by which the answers find back. */
export class UdpRelay {
  readonly #socket: UdpSocket
  readonly #target: Target
  readonly #clients = new Map<string, { readonly way: UdpSocket; readonly timer: NodeJS.Timeout }>()

  constructor(socket: UdpSocket, target: Target) {
    this.#socket = socket
    this.#target = target
  }

  /** A datagram of a client. */
  take(bytes: Uint8Array, from: Sender): void {
    const { address, containerPort } = this.#target
    this.#wayOf(from).send(bytes, containerPort, address, error => error && log('%s', messageOf(error)))
  }

  close(): void {
    for (const key of [...this.#clients.keys()]) this.#forget(key)
  }

  #wayOf(from: Sender): UdpSocket {
    const key = `${from.address} ${from.port}`
    const known = this.#clients.get(key)
    if (known) {
      known.timer.refresh()
      return known.way
    }
    if (this.#clients.size >= mostClients) this.#forget(this.#clients.keys().next().value!)
    const way = createSocket(isIPv6(this.#target.address) ? 'udp6' : 'udp4').unref()
    way.on('error', error => log('%s', messageOf(error)))
    way.on('message', answer => {
      this.#clients.get(key)?.timer.refresh()
      this.#socket.send(answer, from.port, from.address, error => error && log('%s', messageOf(error)))
    })
    this.#clients.set(key, { way, timer: setTimeout(() => this.#forget(key), idle).unref() })
    return way
  }

  #forget(key: string): void {
    const client = this.#clients.get(key)
    if (!client) return
    this.#clients.delete(key)
    clearTimeout(client.timer)
    client.way.close()
  }
}
