/** Which places on the host a container takes over from another, and which it must find itself; pure. */
import type { WantedPort } from './port-bindings.ts'
import type { PublishedPort } from './published-port.ts'

export interface Inheritance {
  /** Those that pass: index of the place, and the port in the container that it leads to from now on. */
  readonly passing: readonly { readonly index: number; readonly containerPort: number }[]
  /** Wanted, and not the other's. */
  readonly open: readonly WantedPort[]
  /** The other's that nobody could have beside it, since one of the two is every address: they are given up. */
  readonly inTheWay: readonly number[]
}

/** What of `held` passes to somebody who wants `wanted`. */
export function inherit(wanted: readonly WantedPort[], held: readonly PublishedPort[]): Inheritance {
  const passing = new Map<number, number>()
  const open: WantedPort[] = []
  for (const want of wanted) {
    const found = placesFor(want, held, passing)
    if (!found) open.push(want)
    else for (const index of found) passing.set(index, want.containerPort)
  }
  const inTheWay = held.flatMap((port, index) =>
    !passing.has(index) && open.some(want => isInTheWay(want, port)) ? [index] : [],
  )
  return { passing: [...passing].map(([index, containerPort]) => ({ index, containerPort })), open, inTheWay }
}

/** One port on all wanted addresses; any port is the one that led to the same port of the container. */
function placesFor(
  { protocol, containerPort, hostIps, hostPorts: [first, last] }: WantedPort,
  held: readonly PublishedPort[],
  taken: ReadonlyMap<number, number>,
): readonly number[] | undefined {
  const free = held.flatMap((port, index) => (port.protocol === protocol && !taken.has(index) ? [{ port, index }] : []))
  for (const { port: candidate } of free) {
    const { hostPort } = candidate
    const isWanted = first === 0 ? candidate.containerPort === containerPort : hostPort >= first && hostPort <= last
    if (!isWanted) continue
    const places = hostIps.map(hostIp => free.find(({ port }) => port.hostIp === hostIp && port.hostPort === hostPort))
    if (places.every(place => place !== undefined)) return places.map(({ index }) => index)
  }
  return undefined
}

function isInTheWay({ protocol, hostPorts: [first, last] }: WantedPort, port: PublishedPort): boolean {
  return port.protocol === protocol && first !== 0 && port.hostPort >= first && port.hostPort <= last
}
