/** Docker's port bindings to the places wanted on the host; pure. */
import type { PortBindings } from '../../api/container-body.ts'
import { Failure } from '../../lib/failure.ts'
import { type PortRange, type Protocol, parsePortKey, parsePortRange } from '../../lib/ports.ts'
import { formatAddress, parseAddress } from './address.ts'

/** One container port and where it is wanted: all of `hostIps` on the same port, the first of `hostPorts` that is free. */
export interface WantedPort {
  readonly protocol: Protocol
  readonly containerPort: number
  readonly hostIps: readonly string[]
  /** Inclusive; [0, 0] is any. */
  readonly hostPorts: PortRange
}

export interface WantOptions {
  readonly exposed?: readonly string[]
  /** -P: exposed ports without a binding go to any free host port. */
  readonly all?: boolean
  /** The network's own place for ports without a host address. */
  readonly binding?: string | undefined
  /** Whether it has an IPv4 address; else nothing leads there from IPv4. */
  readonly ipv4?: boolean
  /** How the host's IPv6 addresses reach the container: `relayed` is by a socket of ours to its IPv4 address. */
  readonly ipv6: 'direct' | 'relayed' | 'none'
}

/** @throws Failure `invalid`, naming the port. */
export function wantedPorts(bindings: PortBindings, options: WantOptions): WantedPort[] {
  const open = options.all ? (options.exposed ?? []).filter(key => !bindings[normalKey(key)]) : []
  const all: PortBindings = { ...bindings, ...Object.fromEntries(open.map(key => [key, [{}]])) }
  return Object.entries(all).flatMap(([key, places]) => {
    const target = parseContainerPort(key)
    // bindings of an empty list publish on a free port, as -p 80 sends it
    return (places ?? []).map(place => ({
      ...target,
      hostIps: hostIps(place.HostIp ?? '', `${target.containerPort}/${target.protocol}`, options),
      hostPorts: parseHostPorts(place.HostPort ?? ''),
    }))
  })
}

function normalKey(key: string): string {
  return key.includes('/') ? key : `${key}/tcp`
}

/** "80/tcp"; "80" is tcp. */
export function parseContainerPort(key: string): { readonly protocol: Protocol; readonly containerPort: number } {
  const parsed = parsePortKey(key)
  const [first, last] = parsed?.range ?? [0, 0]
  if (!parsed || first !== last || first === 0) throw new Failure('invalid', `invalid port specification: "${key}"`)
  return { protocol: parsed.protocol, containerPort: first }
}

/** "" is any. */
export function parseHostPorts(text: string): PortRange {
  const range = parsePortRange(text === '' ? '0' : text)
  if (!range || (range[0] === 0 && range[1] !== 0))
    throw new Failure('invalid', `invalid port specification: "${text}"`)
  return range
}

function hostIps(text: string, key: string, { binding, ipv4 = true, ipv6 }: WantOptions): string[] {
  // SCTP has no sockets here that could relay it
  const reaches6 = ipv6 === 'direct' || (ipv6 === 'relayed' && !key.endsWith('/sctp'))
  if (text === '' && binding && ipv4) return [binding]
  if (text === '') return [...(ipv4 ? ['0.0.0.0'] : []), ...(reaches6 ? ['::'] : [])]
  const address = parseAddress(text)
  if (!address) throw new Failure('invalid', `invalid IP address: ${text}`)
  if (address.family === 6 && !reaches6)
    throw new Failure('invalid', `Cannot publish ${key} on "${text}": the container has no IPv6 address`, {
      hint: 'Set enable_ipv6 on its network',
    })
  if (address.family === 4 && !ipv4)
    throw new Failure('invalid', `Cannot publish ${key} on "${text}": the container has no IPv4 address`)
  return [formatAddress(address)]
}
