/** A UDP socket that has one other end: datagrams go out whole, or are refused. */
import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { isIPv6 } from 'node:net'
import { errnoOf, Failure } from '../../../lib/failure.ts'
import { type Target, targetText } from './address.ts'

export type UdpTarget = Extract<Target, { readonly kind: 'udp' }>

export class UdpConnection {
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
    // what the network reports belongs to a datagram that is gone
    socket.on('error', () => undefined)
  }

  /** @throws Failure `unavailable` when there is no such host. */
  static async open(target: UdpTarget): Promise<UdpConnection> {
    try {
      const { address } = await lookup(target.host)
      const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
      const connection = new UdpConnection(socket)
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      socket.once('error', reject)
      socket.connect(target.port, address, resolve)
      try {
        await promise
      } catch (error) {
        socket.close()
        throw error
      }
      socket.unref()
      return connection
    } catch (cause) {
      const why = errnoOf(cause) === 'ENOTFOUND' ? 'no such host' : (cause as Error).message
      throw new Failure('unavailable', `Cannot send to "${targetText(target)}": ${why}`, { cause })
    }
  }

  /** Resolves when the kernel has it. @throws Failure `invalid` for more than a datagram holds. */
  async send(bytes: Buffer): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#socket.send(bytes, error => (error ? reject(error) : resolve()))
    try {
      await promise
    } catch (cause) {
      if (errnoOf(cause) !== 'EMSGSIZE') throw cause
      throw new Failure('invalid', `${bytes.length} bytes are more than a datagram holds`, { cause })
    }
  }

  async close(): Promise<void> {
    this.#socket.close()
  }
}
