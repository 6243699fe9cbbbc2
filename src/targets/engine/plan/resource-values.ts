/** Networks and volumes field by field, in the notation of a stack file: what there is, and what is to be made. */
import type { IpamPool, NetworkCreate } from '../../../api/networks.ts'
import type { VolumeCreate } from '../../../api/volumes.ts'
import type { Change } from '../../../plan/change.ts'
import type { ObservedNetwork, ObservedVolume } from '../observed.ts'
import { valueChanges } from './field-changes.ts'
import { divided } from './field-values.ts'
import type { Fields } from './fields.ts'
import { differing } from './fields.ts'

interface Compared<There, Body> {
  readonly before: Fields
  readonly after: Fields
  readonly there: There
  readonly body: Body
}

/** "subnet 10.0.0.0/24→10.1.0.0/24"; empty when all that differs is that a default is written out, or no longer. */
export function networkChanges({
  before,
  after,
  there,
  body,
}: Compared<ObservedNetwork, NetworkCreate>): readonly Change[] {
  const { shape } = there
  return differing(before, after).flatMap(field => {
    if (!shape) return [{ path: field }]
    const [name, key] = divided(field)
    if (name === 'ipam') return ipamChanges(shape.IPAM, body.IPAM ?? {}, Object.hasOwn(before, field))
    const defaults: Readonly<Record<string, string>> = { driver: 'bridge', enable_ipv4: 'true' }
    return resourceChanges(field, {
      from: networkValue({ ...shape, Labels: there.labels }, name, key),
      to: networkValue(body, name, key) ?? defaults[name],
      was: Object.hasOwn(before, field),
    })
  })
}

/** `was`: whether the stack had said it before. */
function resourceChanges(
  path: string,
  { from, to, was }: { readonly from: string | undefined; readonly to: string | undefined; readonly was: boolean },
): readonly Change[] {
  return from === to ? [] : valueChanges(path, was ? from : undefined, to)
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
function ipamChanges(from: Ipam, to: Ipam, was: boolean): readonly Change[] {
  const [old, now] = [from.Config ?? [], to.Config ?? []]
  const pools = Array.from(
    { length: Math.max(old.length, now.length) },
    (_, i) => [old[i] ?? {}, now[i] ?? {}] as const,
  )
  return [
    ...(to.Driver === undefined ? [] : valueChanges('ipam.driver', from.Driver, to.Driver)),
    ...pools.flatMap(([a, b]) => poolChanges(a, b, was)),
    ...Object.keys({ ...from.Options, ...to.Options }).flatMap(key =>
      valueChanges(`ipam.options.${key}`, from.Options?.[key], to.Options?.[key]),
    ),
  ]
}

function poolChanges(from: IpamPool, to: IpamPool, was: boolean): readonly Change[] {
  const chosen = to.Gateway === undefined && (!was || from.Subnet !== to.Subnet)
  return [
    ...valueChanges('subnet', from.Subnet, to.Subnet),
    // an engine chooses the gateway of a subnet where none is given
    ...(chosen ? [] : valueChanges('gateway', from.Gateway, to.Gateway)),
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
  const { shape } = there
  return differing(before, after).flatMap(field => {
    if (!shape) return [{ path: field }]
    const [name, key] = divided(field)
    const values: Readonly<Record<string, readonly [string | undefined, string | undefined]>> = {
      driver: [shape.Driver, body.Driver ?? 'local'],
      driver_opts: [shape.Options?.[key], body.DriverOpts?.[key]],
      labels: [there.labels[key], body.Labels?.[key]],
    }
    const [from, to] = values[name] ?? []
    return resourceChanges(field, { from, to, was: Object.hasOwn(before, field) })
  })
}
