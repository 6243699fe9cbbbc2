/** A swarm as it stands once a plan has been carried out, as an engine gives it back: ids for names, and nothing that is empty. */
import type { NetworkInspect } from '../../../src/api/networks.ts'
import type { ServiceSpec, SwarmFile, SwarmService } from '../../../src/api/swarm-objects.ts'
import type { ObservedSwarm } from '../../../src/targets/swarm/observed.ts'
import type { SwarmPlan } from '../../../src/targets/swarm/swarm-plan.ts'

export function nothing(more: Partial<ObservedSwarm> = {}): ObservedSwarm {
  return {
    services: new Map(),
    networks: new Map(),
    secrets: new Map(),
    configs: new Map(),
    digests: new Map(),
    files: new Map(),
    profiles: new Map(),
    tasks: [],
    nodes: new Map(),
    ...more,
  }
}

export function applied(plan: SwarmPlan, before: ObservedSwarm): ObservedSwarm {
  const services = new Map(before.services)
  const networks = new Map(before.networks)
  const files = { secret: new Map(before.secrets), config: new Map(before.configs) }
  for (const { operation } of plan.nodes)
    switch (operation.kind) {
      case 'create-network': {
        const { Name, Driver, Internal, Attachable, Options, Labels } = operation.body
        networks.set(Name, {
          Name,
          Id: `id-of-${Name}`,
          Created: '2026-01-01T00:00:00Z',
          Ingress: false,
          Scope: 'swarm',
          Driver: Driver ?? '',
          Internal: Internal ?? false,
          Attachable: Attachable ?? false,
          EnableIPv6: false,
          IPAM: { Driver: 'default', Options: null, Config: [{ Subnet: '10.0.1.0/24', Gateway: '10.0.1.1' }] },
          Options: { ...Options, 'com.docker.network.driver.overlay.vxlanid_list': '4097' },
          Labels: Labels ?? {},
        } satisfies NetworkInspect)
        break
      }
      case 'create-secret':
      case 'create-config': {
        const made: SwarmFile = { ID: `id-of-${operation.name}`, Version: { Index: 1 }, Spec: operation.file.spec }
        files[operation.kind === 'create-secret' ? 'secret' : 'config'].set(operation.name, made)
        break
      }
      case 'create-service':
      case 'update-service':
        services.set(operation.name, given(operation.spec, networks))
        break
      case 'remove-service':
        services.delete(operation.name)
        break
      case 'remove-secret':
        files.secret.delete(operation.name)
        break
      case 'remove-config':
        files.config.delete(operation.name)
        break
      default:
    }
  return { ...before, services, networks, secrets: files.secret, configs: files.config }
}

function given(spec: ServiceSpec, networks: ReadonlyMap<string, NetworkInspect>): SwarmService {
  const { TaskTemplate } = spec
  const Networks = TaskTemplate.Networks?.map(each => ({
    ...each,
    Target: networks.get(each.Target)?.Id ?? each.Target,
  }))
  return {
    ID: `id-of-${spec.Name}`,
    Version: { Index: 7 },
    Spec: JSON.parse(JSON.stringify({ ...spec, TaskTemplate: { ...TaskTemplate, Networks } })),
    ServiceStatus: { RunningTasks: 1, DesiredTasks: 1, CompletedTasks: 0 },
  }
}
