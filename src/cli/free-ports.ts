/** Host ports for a stack that runs beside another: those of its files where they are free, others where they are taken. */
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { endpoints } from '../api/endpoints.ts'
import type { Client } from '../client/client.ts'
import { errnoOf, Failure } from '../lib/failure.ts'
import { isFixed, portKey } from '../model/isolate.ts'
import type { Port } from '../model/port.ts'
import type { Project } from '../model/project.ts'
import type { Isolated } from '../state/isolated.ts'
import { labels } from '../targets/engine/labels.ts'

export interface MovedPort {
  readonly service: string
  readonly from: string
  readonly to: string
  readonly protocol: string
}

export interface ChosenPorts {
  /** By `portKey`: those that are not what the files say. */
  readonly ports: Readonly<Record<string, string>>
  readonly moved: readonly MovedPort[]
}

export interface PortsToChoose {
  /** With the ports of its files. */
  readonly project: Project
  /** Those that were chosen before: they stay, unless somebody has taken them since. */
  readonly before: Readonly<Record<string, string>>
  /** "tcp 8080" of what the project publishes itself. */
  readonly own: ReadonlySet<string>
  isFree(port: Port, published: string): Promise<boolean>
}

/** How far from the wanted port another is looked for. */
const reach = 2000

export async function choosePorts({ project, before, own, isFree }: PortsToChoose): Promise<ChosenPorts> {
  const ports: Record<string, string> = {}
  const moved: MovedPort[] = []
  const used = new Set<string>()
  const all = Object.values(project.services).flatMap(service => service.ports)
  // one that has to move does not push another out of its place
  const wanted = new Set(all.map(({ protocol, published }) => `${protocol} ${published}`))
  for (const service of Object.values(project.services))
    for (const port of service.ports) {
      if (!isFixed(port)) continue
      const key = portKey(service.name, port)
      const to = await chosen(port, before[key] ?? port.published)
      used.add(`${port.protocol} ${to}`)
      if (to === port.published) continue
      ports[key] = to
      moved.push({ service: service.name, from: port.published, to, protocol: port.protocol })
    }
  return { ports, moved }

  async function chosen(port: Port & { readonly published: string }, first: string): Promise<string> {
    const { protocol, published } = port
    const can = async (each: string) =>
      !used.has(`${protocol} ${each}`) && (own.has(`${protocol} ${each}`) || (await isFree(port, each)))
    if (await can(first)) return first
    for (let next = Number(published) + 1; next <= Math.min(65_535, Number(published) + reach); next++)
      if (!wanted.has(`${protocol} ${next}`) && (await can(String(next)))) return String(next)
    throw new Failure('conflict', `Cannot publish port ${published}: it is taken, and so are ${reach} ports above it`)
  }
}

/** What engine and host have to say: ports of other containers and, where the engine is on this machine, whatever listens. */
export async function freePorts(
  client: Client,
  {
    project,
    isolated,
    signal,
  }: { readonly project: Project; readonly isolated: Isolated; readonly signal: AbortSignal },
): Promise<ChosenPorts> {
  const containers = await client.call(endpoints.containerList, { query: {} }, { signal })
  const own = new Set<string>()
  const others = new Set<string>()
  for (const { Labels, Ports } of containers)
    for (const { PublicPort, Type } of Ports ?? [])
      if (PublicPort !== undefined)
        (Labels?.[labels.project] === isolated.name ? own : others).add(`${Type} ${PublicPort}`)
  const isHere = client.host.startsWith('unix://')
  return await choosePorts({
    project,
    before: isolated.ports,
    own,
    isFree: async (port, published) =>
      !others.has(`${port.protocol} ${published}`) && (!isHere || (await canListen(port, Number(published)))),
  })
}

/** Whether nobody listens there; what we may not ask for ourselves counts as free. */
async function canListen({ protocol, hostIp }: Port, port: number): Promise<boolean> {
  // one who listens on all addresses of one family is in the way of all
  const addresses = hostIp === undefined || hostIp === '' ? ['0.0.0.0', '::'] : [hostIp]
  for (const address of addresses) {
    const errno =
      protocol === 'udp'
        ? await udpErrno(address, port)
        : protocol === 'tcp'
          ? await tcpErrno(address, port)
          : undefined
    if (errno === 'EADDRINUSE') return false
  }
  return true
}

function tcpErrno(host: string, port: number): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const server = createServer()
  server.once('error', error => resolve(errnoOf(error)))
  server.listen({ host, port, exclusive: true, ipv6Only: host.includes(':') }, () =>
    server.close(() => resolve(undefined)),
  )
  return promise
}

function udpErrno(address: string, port: number): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const isIPv6 = address.includes(':')
  const socket = createSocket({ type: isIPv6 ? 'udp6' : 'udp4', ipv6Only: isIPv6 })
  socket.once('error', error => {
    socket.close()
    resolve(errnoOf(error))
  })
  socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve(undefined)))
  return promise
}
