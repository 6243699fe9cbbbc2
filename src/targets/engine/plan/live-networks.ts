/** The networks that a container is on, compared with those it should be on. */
import type { EndpointSettings } from '../../../api/container-body.ts'
import type { Change } from '../../../plan/change.ts'
import { valueChanges } from './field-changes.ts'

type Endpoints = Readonly<Record<string, EndpointSettings | null>>

export interface NetworkDifference {
  /** Key in the stack; the name where the stack has none of it. */
  readonly key: string
  /** The engine's. */
  readonly name: string
  /** reconnect: with other aliases or addresses. */
  readonly kind: 'connect' | 'disconnect' | 'reconnect'
  readonly changes: readonly Change[]
}

export interface ComparedNetworks {
  readonly containerId: string
  readonly there: Endpoints
  /** By the network's name: what is wanted, and its key. */
  readonly wanted: Readonly<Record<string, { readonly key: string; readonly endpoint: EndpointSettings }>>
  /** Whether a network that is not wanted is the stack's to take away: what a person has connected by hand stays. */
  readonly ours: (name: string) => string | undefined
}

/** Disconnections first. */
export function networkDifferences({
  containerId,
  there,
  wanted,
  ours,
}: ComparedNetworks): readonly NetworkDifference[] {
  const gone = Object.keys(there).flatMap((name): readonly NetworkDifference[] => {
    const key = Object.hasOwn(wanted, name) ? undefined : ours(name)
    if (key === undefined) return []
    return [{ key, name, kind: 'disconnect', changes: [{ path: `networks.${key}`, from: 'connected' }] }]
  })
  const others = Object.entries(wanted).flatMap(([name, { key, endpoint }]): readonly NetworkDifference[] => {
    const found = Object.hasOwn(there, name) ? (there[name] ?? {}) : undefined
    if (!found) return [{ key, name, kind: 'connect', changes: [{ path: `networks.${key}`, to: 'connected' }] }]
    const changes = endpointChanges(`networks.${key}`, withoutId(found, containerId), endpoint)
    return changes.length === 0 ? [] : [{ key, name, kind: 'reconnect', changes }]
  })
  return [...gone, ...others]
}

/** Older engines answer a container's short id among its aliases. */
function withoutId(endpoint: EndpointSettings, id: string): EndpointSettings {
  return { ...endpoint, Aliases: (endpoint.Aliases ?? []).filter(alias => alias !== id.slice(0, 12)) }
}

function endpointChanges(path: string, from: EndpointSettings, to: EndpointSettings): readonly Change[] {
  const [old, now] = [from.IPAMConfig ?? {}, to.IPAMConfig ?? {}]
  const options = Object.keys({ ...from.DriverOpts, ...to.DriverOpts }).sort()
  const some = (text: string | undefined) => text || undefined
  return [
    ...valueChanges(`${path}.aliases`, from.Aliases ?? [], to.Aliases ?? []),
    ...valueChanges(`${path}.links`, from.Links ?? [], to.Links ?? []),
    ...valueChanges(`${path}.ipv4_address`, some(old.IPv4Address), some(now.IPv4Address)),
    ...valueChanges(`${path}.ipv6_address`, some(old.IPv6Address), some(now.IPv6Address)),
    ...valueChanges(`${path}.link_local_ips`, old.LinkLocalIPs ?? [], now.LinkLocalIPs ?? []),
    ...valueChanges(`${path}.gw_priority`, priority(from), priority(to)),
    ...options.flatMap(key => valueChanges(`${path}.driver_opts.${key}`, from.DriverOpts?.[key], to.DriverOpts?.[key])),
  ]
}

function priority({ GwPriority }: EndpointSettings): string | undefined {
  return GwPriority ? String(GwPriority) : undefined
}
