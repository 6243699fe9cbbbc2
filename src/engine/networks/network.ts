/** A network: its record on disk, the request it comes from, and what inspect shows of it. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { NetworkContainer, NetworkInspect } from '../../api/networks.ts'
import { Failure } from '../../lib/failure.ts'
import type { EngineName } from '../base/engine-name.ts'
import type { Paths } from '../base/paths.ts'
import type { RecordKind } from '../base/store.ts'
import { type Address, contains, type Family } from './address.ts'
import { Addresses, checkPool, type PoolRequest } from './ipam.ts'

export const recordVersion = 1

const stringMap = z.record(z.string(), z.string())

export const networkSchema = z.object({
  version: z.literal(recordVersion),
  id: z.string().regex(/^[0-9a-f]{64}$/),
  name: z.string(),
  created: z.string(),
  driver: z.enum(['bridge', 'host', 'null']),
  internal: z.boolean(),
  attachable: z.boolean(),
  enableIPv4: z.boolean().default(true),
  enableIPv6: z.boolean(),
  options: stringMap,
  labels: stringMap,
  /** A configuration network: nothing is on it, others are made from it. */
  configOnly: z.boolean().default(false),
  /** The name of the one that this is made from. */
  configFrom: z.string().default(''),
  /** Null when none were asked for, which clients tell apart. */
  ipamOptions: stringMap.nullable().default({}),
  pools: z.array(
    z.object({
      subnet: z.string(),
      ipRange: z.string().optional(),
      gateway: z.string().optional(),
      auxiliary: stringMap.optional(),
      /** Nobody asked for it: members may not choose their addresses in it. */
      automatic: z.literal(true).optional(),
    }),
  ),
})
export type NetworkRecord = z.infer<typeof networkSchema>
export const networkKind: RecordKind<NetworkRecord> = { version: recordVersion, schema: networkSchema }

/** Options of the bridge driver. */
export const option = {
  bridge: 'com.docker.network.bridge.name',
  mtu: 'com.docker.network.driver.mtu',
  icc: 'com.docker.network.bridge.enable_icc',
  masquerade: 'com.docker.network.bridge.enable_ip_masquerade',
  binding: 'com.docker.network.bridge.host_binding_ipv4',
  inhibitIPv4: 'com.docker.network.bridge.inhibit_ipv4',
  gatewayMode4: 'com.docker.network.bridge.gateway_mode_ipv4',
  gatewayMode6: 'com.docker.network.bridge.gateway_mode_ipv6',
} as const

/** The three that are always there. */
export const predefined = ['bridge', 'host', 'none'] as const

export class Network {
  #record: NetworkRecord
  #addresses: readonly Addresses[]
  /** The interface's name. */
  readonly bridge: string
  /** Who is on it, by container id. */
  readonly members = new Map<string, NetworkContainer>()

  constructor(record: NetworkRecord, name: EngineName) {
    this.#record = record
    this.bridge = record.options[option.bridge] ?? name.bridge(record.id)
    this.#addresses = addressesOf(record)
  }

  /** Somebody has given its bridge a name, and so looks for it as soon as there is the network. */
  get hasChosenBridge(): boolean {
    return this.driver === 'bridge' && !this.isDefaultBridge && this.#record.options[option.bridge] !== undefined
  }

  get record(): NetworkRecord {
    return this.#record
  }
  get addresses(): readonly Addresses[] {
    return this.#addresses
  }

  /** Whether an address was set apart for a family that is off: asking for one there does nothing. */
  isUnused(address: Address): boolean {
    if (isOn(address.family, this.#record)) return false
    return this.#record.pools.some(pool => contains(checkPool(pool).subnet, address))
  }

  /** Subnets for a network that had none yet. */
  usePools(pools: readonly PoolRequest[]): void {
    this.#record = { ...this.#record, pools: pools.map(pool => ({ ...pool })) }
    this.#addresses = addressesOf(this.#record)
  }

  get id(): string {
    return this.record.id
  }
  get name(): string {
    return this.record.name
  }
  get driver(): NetworkRecord['driver'] {
    return this.record.driver
  }
  get internal(): boolean {
    return this.record.internal
  }
  get labels(): Readonly<Record<string, string>> {
    return this.record.labels
  }
  get isPredefined(): boolean {
    return (predefined as readonly string[]).includes(this.name)
  }
  /** The default bridge: no name resolution, made when the first container needs it. */
  get isDefaultBridge(): boolean {
    return this.name === 'bridge'
  }
  get mtu(): number {
    return Number(this.record.options[option.mtu] ?? 1500)
  }
  get icc(): boolean {
    return this.record.options[option.icc] !== 'false'
  }
  get masquerade(): boolean {
    return this.record.options[option.masquerade] !== 'false'
  }
  /** Whether the host itself has an address on it: not on an isolated one. */
  hasHostAddress(family: Family): boolean {
    return hostHasAddress(this.#record, family)
  }
  /** Where ports without a host address are published, as far as somebody has said it: of a predefined network, we have. */
  get binding(): string | undefined {
    return this.isPredefined ? undefined : this.record.options[option.binding]
  }

  attributes(): Record<string, string> {
    return { name: this.name, type: this.driver }
  }

  /** As Docker's inspect shows it; the list leaves Containers empty. */
  inspect(withContainers = true): NetworkInspect {
    const { record } = this
    const isSix = ({ subnet }: { readonly subnet: string }) => Number(subnet.includes(':'))
    const pools = [...record.pools].sort((a, b) => isSix(a) - isSix(b))
    const config = pools.map(({ subnet, ipRange, gateway, auxiliary }) => ({
      Subnet: subnet,
      ...(ipRange ? { IPRange: ipRange } : {}),
      ...(gateway ? { Gateway: gateway } : {}),
      ...(auxiliary ? { AuxiliaryAddresses: auxiliary } : {}),
    }))
    return {
      Name: record.name,
      Id: record.id,
      Created: record.created,
      Scope: 'local',
      Driver: record.driver,
      EnableIPv4: record.enableIPv4,
      EnableIPv6: record.enableIPv6,
      IPAM: {
        Driver: 'default',
        Options: this.isPredefined ? null : record.ipamOptions,
        Config: record.driver === 'bridge' || record.configOnly ? config : null,
      },
      Internal: record.internal,
      Attachable: record.attachable,
      Ingress: false,
      ConfigFrom: { Network: record.configFrom },
      ConfigOnly: record.configOnly,
      Containers: withContainers ? Object.fromEntries(this.members) : {},
      Options: record.options,
      Labels: record.labels,
    }
  }
}

function hostHasAddress({ options }: NetworkRecord, family: Family): boolean {
  if (family === 4 && options[option.inhibitIPv4] === 'true') return false
  return options[family === 4 ? option.gatewayMode4 : option.gatewayMode6] !== 'isolated'
}

/** The families that a network has addresses of. */
export type Families = Pick<NetworkRecord, 'enableIPv4' | 'enableIPv6'>

export function isOn(family: Family, { enableIPv4, enableIPv6 }: Families): boolean {
  return family === 4 ? enableIPv4 : enableIPv6
}

/** One a subnet of a family that is on, IPv4 before IPv6. */
export function addressesOf(record: NetworkRecord): Addresses[] {
  return record.pools
    .map(checkPool)
    .filter(({ subnet }) => isOn(subnet.family, record))
    .map(pool => new Addresses(pool, { hasGateway: !record.internal || hostHasAddress(record, pool.subnet.family) }))
    .sort((a, b) => a.family - b.family)
}

/** @throws Failure `denied` in Docker's words when another network has the bridge that this one asks for. */
export function checkBridge({ id, driver, options }: NetworkRecord, others: Iterable<Network>): void {
  const name = options[option.bridge]
  if (driver !== 'bridge' || name === undefined) return
  for (const other of others)
    if (other.driver === 'bridge' && other.bridge === name)
      throw new Failure(
        'denied',
        `cannot create network ${id} (${name}): conflicts with network ${other.id} (${name}): networks have same bridge name`,
        { hint: `Choose another name than that of the bridge of network "${other.name}"` },
      )
}

/** The record of a predefined network; its id is the same on every start of the same engine. */
export function predefinedRecord(name: (typeof predefined)[number], paths: Paths): NetworkRecord {
  const id = createHash('sha256').update(`${paths.roots.data} ${name}`).digest('hex')
  const options: Record<string, string> =
    name === 'bridge'
      ? {
          'com.docker.network.bridge.default_bridge': 'true',
          [option.icc]: 'true',
          [option.masquerade]: 'true',
          [option.binding]: '0.0.0.0',
          [option.bridge]: paths.name.bridge(id),
          [option.mtu]: '1500',
        }
      : {}
  return {
    version: recordVersion,
    id,
    name,
    created: new Date().toISOString(),
    driver: name === 'none' ? 'null' : name,
    internal: false,
    attachable: false,
    enableIPv4: true,
    enableIPv6: false,
    configOnly: false,
    configFrom: '',
    ipamOptions: {},
    options,
    labels: {},
    pools: [],
  }
}
