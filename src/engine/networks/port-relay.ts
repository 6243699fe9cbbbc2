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

/** Each client has a socket of its own towards the container, by which the answers find back. */
export function relayUdp(socket: UdpSocket, { address, containerPort }: Target): { close(): void } {
  const clients = new Map<string, { readonly way: UdpSocket; readonly timer: NodeJS.Timeout }>()
  const forget = (key: string) => {
    const client = clients.get(key)
    if (!client) return
    clients.delete(key)
    clearTimeout(client.timer)
    client.way.close()
  }
  const wayOf = (key: string, from: { readonly address: string; readonly port: number }) => {
    const known = clients.get(key)
    if (known) {
      known.timer.refresh()
      return known.way
    }
    if (clients.size >= mostClients) forget(clients.keys().next().value!)
    const way = createSocket(isIPv6(address) ? 'udp6' : 'udp4').unref()
    way.on('error', error => log('%s', messageOf(error)))
    way.on('message', answer => {
      clients.get(key)?.timer.refresh()
      socket.send(answer, from.port, from.address, error => error && log('%s', messageOf(error)))
    })
    clients.set(key, { way, timer: setTimeout(() => forget(key), idle).unref() })
    return way
  }
  socket.on('message', (bytes, from) => {
    const way = wayOf(`${from.address} ${from.port}`, from)
    way.send(bytes, containerPort, address, error => error && log('%s', messageOf(error)))
  })
  return { close: () => [...clients.keys()].forEach(forget) }
}
