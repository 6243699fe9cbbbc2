/** The project's networks: missing, diverged or fine. */
import { list } from '../../../lib/text.ts'
import type { Network } from '../../../model/network.ts'
import type { Project } from '../../../model/project.ts'
import type { Service } from '../../../model/service.ts'
import type { Change } from '../../../plan/change.ts'
import type { NodeId } from '../../../plan/operation.ts'
import type { EnginePlan } from '../engine-plan.ts'
import { labels, networkLabels, parseFields } from '../labels.ts'
import type { Observed, ObservedContainer } from '../observed.ts'
import { isLive, on, planStopping } from './ending.ts'
import { describeChange } from './fields.ts'
import { hashNetwork } from './hash.ts'
import { networkChanges } from './resource-values.ts'

export interface PlannedNetwork {
  readonly name: string
  /** Undefined when it is still to be made. */
  readonly id: string | undefined
  /** The node that makes it. */
  readonly node: NodeId | undefined
  /** Made anew: containers that stay are taken from the old one and put into the new one. */
  readonly anew?: boolean
}

export interface PlannedNetworks {
  /** By key in the stack. */
  readonly networks: ReadonlyMap<string, PlannedNetwork>
  /** Containers that are stopped since a network of theirs is made anew: id → node. */
  readonly stopped: ReadonlyMap<string, NodeId>
  /** Containers that were taken from networks that are made anew: id → keys in the stack. */
  readonly parted: ReadonlyMap<string, readonly string[]>
}

function isOurs(container: ObservedContainer, names: ReadonlySet<string>): boolean {
  return names.has(container.service) && !container.oneOff
}

export interface NetworksInput {
  /** Which containers go away with this plan: they keep no network. */
  readonly removeOrphans?: ((container: ObservedContainer) => boolean) | undefined
  readonly project: Project
  readonly observed: Observed
  /** Those to be brought up. */
  readonly services: readonly Service[]
  /** What no service uses is made too: the whole project is brought up, and keeps such a thing only when asked (--all-resources). */
  readonly all?: boolean
  readonly timeout: number | undefined
  /** Diverged ones stay as they are, with a warning: for whoever does not bring the services up that use them. */
  readonly keep?: boolean
}

export function planNetworks(plan: EnginePlan, input: NetworksInput): PlannedNetworks {
  const { project, observed, services, timeout } = input
  const networks = new Map<string, PlannedNetwork>()
  const stopped = new Map<string, NodeId>()
  const parted = new Map<string, readonly string[]>()
  const names = new Set(services.map(service => service.name))
  const wanted = new Set(
    input.all ? Object.keys(project.networks) : services.flatMap(service => Object.keys(service.networks)),
  )
  for (const key of [...wanted].sort()) {
    const network = project.networks[key]
    if (!network) continue
    const there = observed.networks.get(network.name)
    if (network.external) {
      if (there) networks.set(key, { name: network.name, id: there.id, node: undefined })
      else
        plan.refuse(project, ['networks', key], {
          code: 'missing-network',
          // Compose's text, which scripts look for
          message: `network ${network.name} declared as external, but could not be found`,
          hint: `Create it first, or remove "external" from network "${key}"`,
        })
      continue
    }
    const hashed = hashNetwork(network)
    const body = {
      Name: network.name,
      ...(network.driver === undefined ? {} : { Driver: network.driver }),
      ...(network.internal ? { Internal: true } : {}),
      ...(network.attachable ? { Attachable: true } : {}),
      ...(network.enableIPv4 === undefined ? {} : { EnableIPv4: network.enableIPv4 }),
      ...(network.enableIPv6 === undefined ? {} : { EnableIPv6: network.enableIPv6 }),
      ...(Object.keys(network.driverOpts).length === 0 ? {} : { Options: network.driverOpts }),
      ...ipam(network),
      Labels: {
        ...network.labels,
        ...networkLabels(project.name, key, hashed.hash),
        [labels.fields]: JSON.stringify(hashed.fields),
      },
    }
    const create = (cause: string, after: readonly NodeId[], changes: readonly Change[] = []): void => {
      const given = changes.length > 0 ? { changes } : {}
      const node = plan.add({ kind: 'create-network', cause, name: network.name, body, ...given }, after)
      networks.set(key, { name: network.name, id: undefined, node, anew: after.length > 0 })
    }
    if (!there) {
      create('not found', [])
      continue
    }
    if (there.labels[labels.project] !== project.name || there.labels[labels.network] !== key) {
      const owner = there.labels[labels.project]
      const whose = owner === undefined ? 'was not made by a stack' : `belongs to project "${owner}"`
      plan.refuse(project, ['networks', key], {
        code: 'foreign-network',
        message: `Cannot use network "${network.name}": one of that name exists and ${whose}`,
        hint: `Declare network "${key}" with "external: true", or give it another name`,
      })
      continue
    }
    const keep = { name: network.name, id: there.id, node: undefined }
    // one made by Docker Compose carries a hash we cannot check: it is taken as it is
    const fields = parseFields(there.labels[labels.fields])
    if (there.labels[labels.configHash] === hashed.hash || !fields) {
      networks.set(key, keep)
      continue
    }
    const changes = networkChanges({ before: fields, after: hashed.fields, there, body })
    if (changes.length === 0) {
      networks.set(key, keep)
      continue
    }
    const change = describeChange(fields, hashed.fields) ?? 'configuration changed'
    const attached = observed.containers.filter(container => Object.hasOwn(container.networks, network.name))
    const others = attached.filter(
      container => input.keep || !(isOurs(container, names) || input.removeOrphans?.(container)),
    )
    if (others.length > 0) {
      plan.warn(
        `Network "${key}" is kept although its ${change}: ${list(others.map(o => `"${o.name}"`))} would lose it`,
      )
      networks.set(key, keep)
      continue
    }
    const away: NodeId[] = []
    for (const container of attached) {
      const { id } = container
      const cause = `network ${key} is made anew`
      if (isLive(container) && !stopped.has(id))
        stopped.set(id, planStopping(plan, container, { cause, service: project.services[container.service], timeout }))
      const after = stopped.has(id) ? [stopped.get(id)!] : []
      away.push(plan.add({ kind: 'disconnect-network', cause, ...on(container), network: network.name }, after))
      parted.set(id, [...(parted.get(id) ?? []), key])
    }
    const removal = plan.add({ kind: 'remove-network', cause: change, name: network.name, id: there.id }, away)
    create(change, [removal], changes)
  }
  return { networks, stopped, parted }
}

function ipam(network: Network): { IPAM?: object } {
  const { driver, config, options } = network.ipam
  const pools = config.map(pool => ({
    ...(pool.subnet === undefined ? {} : { Subnet: pool.subnet }),
    ...(pool.ipRange === undefined ? {} : { IPRange: pool.ipRange }),
    ...(pool.gateway === undefined ? {} : { Gateway: pool.gateway }),
    ...(Object.keys(pool.auxAddresses).length === 0 ? {} : { AuxiliaryAddresses: pool.auxAddresses }),
  }))
  const body = {
    ...(driver === undefined ? {} : { Driver: driver }),
    ...(Object.keys(options).length === 0 ? {} : { Options: options }),
    ...(pools.length === 0 ? {} : { Config: pools }),
  }
  return Object.keys(body).length === 0 ? {} : { IPAM: body }
}
