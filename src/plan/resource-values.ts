/** Networks and volumes field by field, in the notation of a stack file: what there is, and what is to be made. */
import type { IpamPool, NetworkCreate } from '../api/networks.ts'
import type { VolumeCreate } from '../api/volumes.ts'
import type { Change } from './change.ts'
import { valueChanges } from './field-changes.ts'
import { divided } from './field-values.ts'
import type { Fields } from './fields.ts'
import { differing } from './fields.ts'
import type { ObservedNetwork, ObservedVolume } from './observed.ts'

interface Compared<There, Body> {
  readonly before: Fields
  readonly after: Fields
  readonly there: There
  readonly body: Body
}

/** "subnet 10.0.0.0/24→10.1.0.0/24". */
export function networkChanges({
  before,
  after,
  there,
  body,
}: Compared<ObservedNetwork, NetworkCreate>): readonly Change[] {
  return differing(before, after).flatMap(field => {
    const { shape } = there
    if (!shape) return [{ path: field }]
    const [name, key] = divided(field)
    const changes = name === 'ipam' ? ipamChanges(shape.IPAM, body.IPAM ?? {}) : singleOf(name, key)
    return changes.length > 0 ? changes : [{ path: field }]
    function singleOf(name: string, key: string): readonly Change[] {
      const old = { ...shape!, Labels: there.labels }
      return valueChanges(
        field,
        Object.hasOwn(before, field) ? networkValue(old, name, key) : undefined,
        Object.hasOwn(after, field) ? networkValue(body, name, key) : undefined,
      )
    }
  })
}

type Network = Omit<Partial<NetworkCreate>, 'Options' | 'Labels'> & {
  readonly Options?: Readonly<Record<string, string>> | null
  readonly Labels?: Readonly<Record<string, string>> | null
}

function networkValue(network: Network, name: string, key: string): string | undefined {
  const flag = (value: boolean | undefined) => (value === undefined ? undefined : String(value))
  switch (name) {
    case 'driver':
      return network.Driver
    case 'internal':
      return flag(network.Internal)
    case 'attachable':
      return flag(network.Attachable)
    case 'enable_ipv4':
      return flag(network.EnableIPv4)
    case 'enable_ipv6':
      return flag(network.EnableIPv6)
    case 'driver_opts':
      return network.Options?.[key]
    case 'labels':
      return network.Labels?.[key]
    default:
      return undefined
  }
}

type Ipam = NonNullable<NetworkCreate['IPAM']>

/** Pool by pool. */
function ipamChanges(from: Ipam, to: Ipam): readonly Change[] {
  const [old, now] = [from.Config ?? [], to.Config ?? []]
  const pools = Array.from(
    { length: Math.max(old.length, now.length) },
    (_, i) => [old[i] ?? {}, now[i] ?? {}] as const,
  )
  return [
    ...(to.Driver === undefined ? [] : valueChanges('ipam.driver', from.Driver, to.Driver)),
    ...pools.flatMap(([a, b]) => poolChanges(a, b)),
    ...Object.keys({ ...from.Options, ...to.Options }).flatMap(key =>
      valueChanges(`ipam.options.${key}`, from.Options?.[key], to.Options?.[key]),
    ),
  ]
}

function poolChanges(from: IpamPool, to: IpamPool): readonly Change[] {
  const same = from.Subnet === to.Subnet
  return [
    ...valueChanges('subnet', from.Subnet, to.Subnet),
    // an engine chooses the gateway of a subnet where none is given
    ...(to.Gateway === undefined && !same ? [] : valueChanges('gateway', from.Gateway, to.Gateway)),
    ...valueChanges('ip_range', from.IPRange || undefined, to.IPRange),
    ...Object.keys({ ...from.AuxiliaryAddresses, ...to.AuxiliaryAddresses }).flatMap(key =>
      valueChanges(`aux_addresses.${key}`, from.AuxiliaryAddresses?.[key], to.AuxiliaryAddresses?.[key]),
    ),
  ]
}

export function volumeChanges({
  before,
  after,
  there,
  body,
}: Compared<ObservedVolume, VolumeCreate>): readonly Change[] {
  return differing(before, after).flatMap(field => {
    const { shape } = there
    if (!shape) return [{ path: field }]
    const [name, key] = divided(field)
    const of = (fields: Fields, value: string | undefined) => (Object.hasOwn(fields, field) ? value : undefined)
    const values: Readonly<Record<string, readonly [string | undefined, string | undefined]>> = {
      driver: [shape.Driver, body.Driver],
      driver_opts: [shape.Options?.[key], body.DriverOpts?.[key]],
      labels: [there.labels[key], body.Labels?.[key]],
    }
    const [from, to] = values[name] ?? []
    const changes = valueChanges(field, of(before, from), of(after, to))
    return changes.length > 0 ? changes : [{ path: field }]
  })
}
