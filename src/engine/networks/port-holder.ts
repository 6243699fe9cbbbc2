/** Sockets that hold published ports on the host, and who holds one that is taken. */
import { createSocket } from 'node:dgram'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer, isIPv6 } from 'node:net'
import type { Protocol } from '../../lib/ports.ts'
import { formatAddress } from './address.ts'
import { relayTcp, type Target, UdpRelay } from './port-relay.ts'

export interface Place {
  readonly protocol: Protocol
  readonly hostIp: string
  /** 0: any free one. */
  readonly hostPort: number
}

export interface Holder {
  readonly port: number
  /** From now on it leads there: to another address of the container, or to another container. */
  lead(target: Target): void
  release(): void
}

export type Hold = (place: Place, target: Target) => Promise<Holder>

/**
 * Takes a place on the host and keeps it, so that no other program takes it too and then waits for connections that go past it.
 * Packets are led to the container before they would reach the socket; what does reach it is relayed, while there is an engine: what comes
 * by the other family than the container has, from ::1, and from a network whose members are kept from each other, which no rule can lead;
 * and what comes in the moment in which the kernel changes the rules' map, when one processor may find neither the old element nor the new.
 * The sockets end with the engine, the rules do not: the next engine takes the places again.
 * SCTP has no sockets in Node: such a port is held among our containers only.
 */
export async function hold(place: Place, target: Target): Promise<Holder> {
  if (place.protocol === 'tcp') return holdTcp(place, target)
  if (place.protocol === 'udp') return holdUdp(place, target)
  return unheld(place.hostPort)
}

/** Of a port that no socket holds. */
export function unheld(port: number): Holder {
  return { port, lead: () => undefined, release: () => undefined }
}

function holdTcp({ hostIp, hostPort }: Place, first: Target): Promise<Holder> {
  const { promise, resolve, reject } = Promise.withResolvers<Holder>()
  let target = first
  const server = createServer({ allowHalfOpen: true }, socket => relayTcp(socket, target))
  server.once('error', reject)
  server.listen({ host: hostIp, port: hostPort, ipv6Only: isIPv6(hostIp), exclusive: true }, () => {
    const address = server.address()
    server.unref()
    resolve({
      port: typeof address === 'object' && address !== null ? address.port : hostPort,
      lead: to => {
        target = to
      },
      release: () => void server.close(),
    })
  })
  return promise
}

function holdUdp({ hostIp, hostPort }: Place, first: Target): Promise<Holder> {
  const { promise, resolve, reject } = Promise.withResolvers<Holder>()
  const six = isIPv6(hostIp)
  const socket = createSocket({ type: six ? 'udp6' : 'udp4', ipv6Only: six })
  const relay = new UdpRelay(socket, first)
  socket.on('message', (bytes, from) => relay.take(bytes, from))
  socket.once('error', error => {
    socket.close()
    reject(error)
  })
  socket.bind({ address: hostIp, port: hostPort, exclusive: true }, () => {
    socket.unref()
    resolve({
      port: socket.address().port,
      lead: target => relay.lead(target),
      release: () => {
        relay.close()
        socket.close()
      },
    })
  })
  return promise
}

export interface HostProcess {
  readonly pid: number
  readonly name: string
}

/** The process behind a taken place, looked for in /proc; undefined when it is not to be seen. */
export function processAt({ protocol, hostIp, hostPort }: Place): HostProcess | undefined {
  const inodes = new Set(['', '6'].flatMap(suffix => socketInodes(`/proc/net/${protocol}${suffix}`, hostIp, hostPort)))
  if (inodes.size === 0) return undefined
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      for (const fd of readdirSync(`/proc/${pid}/fd`)) {
        if (!inodes.has(readlinkSync(`/proc/${pid}/fd/${fd}`))) continue
        return { pid: Number(pid), name: readFileSync(`/proc/${pid}/comm`, 'utf8').trim() }
      }
    } catch {
      // processes and descriptors come and go while we look
    }
  }
  return undefined
}

/** Links ("socket:[123]") of the sockets of a /proc/net table that stand at the place; wildcards stand at every address. */
export function socketInodes(path: string, hostIp: string, hostPort: number): string[] {
  const links: string[] = []
  for (const line of readTable(path)) {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/)
    const [address = '', port = ''] = local.split(':')
    if (Number.parseInt(port, 16) !== hostPort) continue
    // 0A is LISTEN; UDP sockets are 07
    if (path.includes('/tcp') && state !== '0A') continue
    const bound = parseProcAddress(address)
    if (bound === hostIp || ['0.0.0.0', '::'].includes(bound) || ['0.0.0.0', '::'].includes(hostIp))
      links.push(`socket:[${inode}]`)
  }
  return links
}

function readTable(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').slice(1)
  } catch {
    // no IPv6 in this kernel
    return []
  }
}

/** 32-bit groups in the machine's byte order. */
function parseProcAddress(text: string): string {
  const bytes = Buffer.from(text, 'hex')
  for (let at = 0; at + 4 <= bytes.length; at += 4) bytes.subarray(at, at + 4).reverse()
  const value = BigInt(`0x${bytes.toString('hex') || '0'}`)
  return formatAddress({ family: bytes.length === 16 ? 6 : 4, value })
}
