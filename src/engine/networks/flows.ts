/**
 * Published UDP ports that lead elsewhere now → what the kernel is to forget of their flows. It asks the rules once a flow, with the first packet;
 * a sender that goes on under the same port would be led for ever to a container that has gone, or to whoever has its address next.
 * A flow of TCP ends with its container.
 */
import { networkInterfaces } from 'node:os'
import { debug } from '../../lib/debug.ts'
import { messageOf } from '../../lib/failure.ts'
import { addressBytes } from '../../runtime/parts/network.ts'
import type { PublishedPort } from './published-port.ts'

const log = debug('ports')

/** `forgetFlows` of the runtime. */
export type ForgetFlows = (address: Uint8Array, protocol: number, port: number) => void

const udp = 17

export function forgetFlowsOf(
  ports: readonly PublishedPort[],
  forget: ForgetFlows,
  hostAddresses: () => readonly string[] = addressesOfHost,
): void {
  for (const { protocol, hostIp, hostPort } of ports) {
    if (protocol !== 'udp') continue
    // every address of this host and no others: what containers send to that port elsewhere is not ours to break
    const isSix = hostIp.includes(':')
    const isAny = hostIp === '0.0.0.0' || hostIp === '::'
    const places = isAny ? hostAddresses().filter(address => address.includes(':') === isSix) : [hostIp]
    for (const address of places)
      try {
        forget(addressBytes(address), udp, hostPort)
      } catch (error) {
        // kernels before 5.8 cannot choose flows: then an old one ends when it has been silent for its time
        log('%s:%d keeps its flows: %s', address, hostPort, messageOf(error))
      }
  }
}

function addressesOfHost(): string[] {
  return Object.values(networkInterfaces()).flatMap(each => each?.map(({ address }) => address) ?? [])
}
