/** Networks of a stack: overlays, which cannot change once they are there. */
import type { NetworkCreate, NetworkInspect } from '../../../api/networks.ts'
import type { Network } from '../../../model/network.ts'
import type { Project } from '../../../model/project.ts'
import type { NodeId } from '../../../plan/operation.ts'
import { labels } from '../labels.ts'
import type { ObservedSwarm } from '../observed.ts'
import type { SwarmPlan } from '../swarm-plan.ts'

/** Node that makes each network that is missing, by its key. */
export function planNetworks(
  plan: SwarmPlan,
  {
    project,
    observed,
    used,
  }: {
    readonly project: Project
    readonly observed: ObservedSwarm
    readonly used: ReadonlySet<string>
  },
): ReadonlyMap<string, NodeId> {
  const made = new Map<string, NodeId>()
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
    if (!found) {
      const cause = `no network "${network.name}"`
      made.set(
        key,
        plan.add({
          kind: 'create-network',
          cause,
          name: network.name,
          body: bodyOf(project.name, network),
        }),
      )
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
    const changed = differences(bodyOf(project.name, network), found)
    if (changed.length > 0)
      refuse(
        'changed-network',
        `${changed.join(' and ')} cannot change on a network that is there`,
        'Run down, then up: its services are then made anew on another network',
      )
  }
  return made
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
