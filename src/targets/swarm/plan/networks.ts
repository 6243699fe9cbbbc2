/** Networks of a stack: overlays, which cannot change once they are there, and are made anew then with all that is on them. */
import type { NetworkCreate, NetworkInspect } from '../../../api/networks.ts'
import type { SwarmService } from '../../../api/swarm-objects.ts'
import { list } from '../../../lib/text.ts'
import type { Network } from '../../../model/network.ts'
import type { Project } from '../../../model/project.ts'
import type { NodeId } from '../../../plan/operation.ts'
import { labels } from '../labels.ts'
import type { ObservedSwarm } from '../observed.ts'
import { keyOf } from '../slots.ts'
import type { SwarmPlan } from '../swarm-plan.ts'

export interface PlannedNetworks {
  /** Node that makes each network that is missing, by its key. */
  readonly made: ReadonlyMap<string, NodeId>
  /** Services that have left a network which is made anew: by their names the node after which the last of their tasks has ended. */
  readonly moved: ReadonlyMap<string, NodeId>
}

interface Given {
  readonly project: Project
  readonly observed: ObservedSwarm
  /** Keys of networks that services are on. */
  readonly used: ReadonlySet<string>
  /** Names of services that are brought up. */
  readonly services: ReadonlySet<string>
}

export function planNetworks(plan: SwarmPlan, given: Given): PlannedNetworks {
  const { project, observed, used } = given
  const made = new Map<string, NodeId>()
  const moved = new Map<string, NodeId>()
  for (const [key, network] of Object.entries(project.networks)) {
    if (!used.has(key)) continue
    const found = observed.networks.get(network.name)
    const refuse = (code: string, message: string, hint: string) =>
      plan.refuse(project, ['networks', key], {
        code,
        message: `Cannot use network "${key}": ${message}`,
        hint,
      })
    if (network.external) {
      if (!found)
        refuse('missing-network', `the swarm has no network "${network.name}"`, `Make it, or leave out "external"`)
      else if (found.Scope !== 'swarm' && found.Name !== 'host')
        refuse('local-network', `"${network.name}" is of one machine alone`, 'Name a network of the driver overlay')
      continue
    }
    const body = bodyOf(project.name, network)
    if (!found) {
      const cause = `no network "${network.name}"`
      made.set(key, plan.add({ kind: 'create-network', cause, name: network.name, body }))
      continue
    }
    if (found.Labels?.[labels.stack] !== project.name) {
      refuse(
        'foreign-network',
        `there is a network "${network.name}" that is not of this stack`,
        'Give it another name, or say "external: true"',
      )
      continue
    }
    const changed = differences(body, found)
    if (changed.length === 0) continue
    const users = usersOf(observed, found)
    const others = users.filter(({ Spec }) => !given.services.has(Spec.Name))
    if (others.length > 0) {
      const names = list(others.map(({ Spec }) => `"${Spec.Name}"`))
      refuse(
        'changed-network',
        `${list(changed)} cannot change while ${names} ${others.length === 1 ? 'is' : 'are'} on it`,
        'Bring all of the stack up, with --remove-orphans where it has such services no more',
      )
      continue
    }
    const ends = users.map(service => leave(plan, { project, key, service, moved }))
    const { name } = network
    const cause = `${list(changed)} ${changed.length === 1 ? 'has' : 'have'} changed`
    const gone = plan.add({ kind: 'remove-network', cause, name, id: found.Id }, ends)
    made.set(key, plan.add({ kind: 'create-network', cause, name, body }, [gone]))
  }
  return { made, moved }
}

function usersOf({ services }: ObservedSwarm, { Id, Name }: NetworkInspect): readonly SwarmService[] {
  return [...services.values()].filter(({ Spec }) =>
    (Spec.TaskTemplate.Networks ?? []).some(({ Target }) => Target === Id || Target === Name),
  )
}

interface Leaving {
  readonly project: Project
  /** Of the network. */
  readonly key: string
  readonly service: SwarmService
  readonly moved: Map<string, NodeId>
}

/** A network is held by its tasks, so that a service on one that cannot change goes, once, and is made anew. */
function leave(plan: SwarmPlan, { project, key, service, moved }: Leaving): NodeId {
  const { Name } = service.Spec
  const known = moved.get(Name)
  if (known !== undefined) return known
  const of = { cause: `network "${key}" is made anew`, name: Name, service: keyOf(service), id: service.ID }
  const removed = plan.add({ kind: 'remove-service', ...of })
  const node = plan.add({ kind: 'wait-gone', stack: project.name, ...of }, [removed])
  moved.set(Name, node)
  return node
}

function bodyOf(project: string, network: Network): NetworkCreate {
  const { ipam } = network
  const config = ipam.config.map(({ subnet, ipRange, gateway, auxAddresses }) => ({
    ...(subnet === undefined ? {} : { Subnet: subnet }),
    ...(ipRange === undefined ? {} : { IPRange: ipRange }),
    ...(gateway === undefined ? {} : { Gateway: gateway }),
    ...(Object.keys(auxAddresses).length === 0 ? {} : { AuxiliaryAddresses: auxAddresses }),
  }))
  return {
    Name: network.name,
    Driver: network.driver ?? 'overlay',
    Scope: 'swarm',
    Internal: network.internal,
    Attachable: network.attachable,
    ...(network.enableIPv4 === undefined ? {} : { EnableIPv4: network.enableIPv4 }),
    ...(network.enableIPv6 === undefined ? {} : { EnableIPv6: network.enableIPv6 }),
    Options: network.driverOpts,
    IPAM: {
      Driver: ipam.driver ?? 'default',
      Options: ipam.options,
      Config: config,
    },
    Labels: {
      ...network.labels,
      [labels.stack]: project,
      [labels.project]: project,
      [labels.network]: network.key,
    },
  }
}

/** In the stack's words; what the engine fills in where nothing was asked for is none. */
function differences(wanted: NetworkCreate, found: NetworkInspect): readonly string[] {
  const subnets = (pools: NonNullable<NetworkCreate['IPAM']>['Config']) =>
    (pools ?? []).map(({ Subnet, IPRange, Gateway }) => [Subnet, IPRange, Gateway])
  const asked = subnets(wanted.IPAM?.Config)
  const has = subnets(found.IPAM.Config)
  const differs = (pool: readonly (string | undefined)[], i: number) =>
    pool.some((part, at) => part !== undefined && part !== has[i]?.[at])
  const strings = (wantedOnes: Readonly<Record<string, string>> = {}, ones: Readonly<Record<string, string>> | null) =>
    Object.entries(wantedOnes).some(([key, value]) => ones?.[key] !== value)
  return [
    ...(wanted.Driver === found.Driver ? [] : ['driver']),
    ...(wanted.Internal === found.Internal ? [] : ['internal']),
    ...(wanted.Attachable === found.Attachable ? [] : ['attachable']),
    ...((wanted.EnableIPv6 ?? false) === found.EnableIPv6 ? [] : ['enable_ipv6']),
    ...(strings(wanted.Options, found.Options) ? ['driver_opts'] : []),
    ...(strings(wanted.Labels, found.Labels) ? ['labels'] : []),
    ...(asked.some(differs) ? ['ipam'] : []),
  ].map(word => `"${word}"`)
}
