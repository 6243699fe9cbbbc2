/** Projects and observations made by hand, for tests of what works on them. */
import type { ContainerCreate, EndpointSettings } from '../../../../src/api/container-body.ts'
import type { NetworkCreate } from '../../../../src/api/networks.ts'
import type { Attachment, Network } from '../../../../src/model/network.ts'
import type { Project } from '../../../../src/model/project.ts'
import type { Service } from '../../../../src/model/service.ts'
import type { Volume } from '../../../../src/model/volume.ts'
import type { Ref } from '../../../../src/plan/operation.ts'
import type { EnginePlan } from '../../../../src/targets/engine/engine-plan.ts'
import type {
  NetworkShape,
  Observed,
  ObservedContainer,
  ObservedImage,
} from '../../../../src/targets/engine/observed.ts'
import { type Live, toBeMade } from '../../../../src/targets/engine/plan/made.ts'

export function service(name: string, own: Partial<Service> = {}): Service {
  return {
    name,
    replicas: 1,
    profiles: [],
    image: 'busybox',
    pullPolicy: { kind: 'missing' },
    models: {},
    environment: {},
    groupAdd: [],
    tty: false,
    stdinOpen: false,
    labels: {},
    annotations: {},
    attach: true,
    dependsOn: {},
    restart: { kind: 'no' },
    limits: { oomKillDisable: false },
    networkMode: { kind: 'networks' },
    networks: own.networkMode ? {} : { default: attachment('default') },
    ports: [],
    expose: [],
    links: [],
    externalLinks: [],
    extraHosts: [],
    dns: [],
    dnsSearch: [],
    dnsOpt: [],
    mounts: [],
    volumesFrom: [],
    secrets: [],
    configs: [],
    readOnly: false,
    storageOpt: {},
    privileged: false,
    capAdd: [],
    capDrop: [],
    securityOpt: [],
    sysctls: {},
    ulimits: [],
    devices: [],
    deviceCgroupRules: [],
    gpus: [],
    useApiSocket: false,
    preStart: [],
    postStart: [],
    preStop: [],
    watch: [],
    ...own,
  }
}

export function attachment(network: string, own: Partial<Attachment> = {}): Attachment {
  return { network, aliases: [], linkLocalIPs: [], driverOpts: {}, priority: 0, gwPriority: 0, ...own }
}

export function network(key: string, own: Partial<Network> = {}): Network {
  const rest = { external: false, driverOpts: {}, ipam: { config: [], options: {} }, internal: false }
  return { key, name: `shop_${key}`, ...rest, attachable: false, labels: {}, ...own }
}

export function volume(key: string, own: Partial<Volume> = {}): Volume {
  return { key, name: `shop_${key}`, external: false, driverOpts: {}, labels: {}, ...own }
}

export function project(services: readonly Service[], own: Partial<Project> = {}): Project {
  return {
    name: 'shop',
    separator: '-',
    directory: '/srv/shop',
    files: ['/srv/shop/compose.yaml'],
    services: Object.fromEntries(services.map(s => [s.name, s])),
    disabledServices: {},
    networks: { default: network('default') },
    volumes: {},
    configs: {},
    secrets: {},
    profiles: [],
    place: () => undefined,
    places: () => [],
    ...own,
  }
}

export function needs(
  name: string,
  condition: 'started' | 'healthy' | 'completed' = 'started',
  own: { readonly required?: boolean; readonly restart?: boolean } = {},
): Service['dependsOn'] {
  return { [name]: { service: name, condition, required: true, restart: false, ...own } }
}

export function volumeMount(source: string | undefined, target: string): Service['mounts'][number] {
  const rest = { readOnly: false, nocopy: false, labels: {}, path: ['services', 'db', 'volumes', '0'] }
  return { kind: 'volume', target, ...rest, ...(source === undefined ? {} : { source }) }
}

export const healthcheck = { disable: false, test: ['CMD', 'true'] } as const

export function image(id: string, own: Partial<ObservedImage> = {}): ObservedImage {
  return { id, labels: {}, volumes: [], healthcheck: false, taggedAt: undefined, ...own }
}

export function nothing(own: Partial<Observed> = {}): Observed {
  return {
    now: 0,
    containers: [],
    networks: new Map(),
    volumes: new Map(),
    images: new Map([['busybox', image('sha256:1')]]),
    files: new Map(),
    ...own,
  }
}

type Change = (container: ObservedContainer) => ObservedContainer

/**
 * What is there once a plan has been carried out as told: ids are made from names, so that a second plan sees what an engine would show.
 * Services with a healthcheck are healthy, jobs that were waited for have ended.
 */
export function applied(plan: EnginePlan, before: Observed, change: Change = c => c): Observed {
  const containers = new Map(before.containers.map(c => [c.id, c]))
  const networks = new Map(before.networks)
  const volumes = new Map(before.volumes)
  const images = new Map(before.images)
  const results = new Map<number, string>()
  const id = (ref: Ref): string => (typeof ref === 'string' ? ref : results.get(ref.node)!)
  const update = (ref: Ref, own: Partial<ObservedContainer>): void => {
    containers.set(id(ref), { ...containers.get(id(ref))!, ...own })
  }
  for (const { id: node, operation } of plan.nodes) {
    switch (operation.kind) {
      case 'create-network':
        networks.set(operation.name, {
          id: `net-${operation.name}-${node}`,
          name: operation.name,
          labels: operation.body.Labels!,
          shape: shapeOf(operation.body),
        })
        break
      case 'remove-network':
        networks.delete(operation.name)
        break
      case 'create-volume':
        volumes.set(operation.name, {
          name: operation.name,
          labels: operation.body.Labels!,
          shape: { Driver: operation.body.Driver ?? 'local', Options: operation.body.DriverOpts ?? null },
        })
        break
      case 'remove-volume':
        volumes.delete(operation.name)
        break
      case 'pull-image':
        images.set(operation.name, image(`sha256:${operation.name}`))
        results.set(node, `sha256:${operation.name}`)
        break
      case 'create-container': {
        const made = created(operation.body, operation.createName)
        const late = Object.fromEntries(operation.late.map(l => [l.path.at(-1)!, l.before + id(l.ref) + l.after]))
        containers.set(made.id, {
          ...made,
          labels: late['com.docker.compose.image']
            ? { ...made.labels, 'com.docker.compose.image': late['com.docker.compose.image'] }
            : made.labels,
          networkMode: late['NetworkMode'] ?? made.networkMode,
          networks: Object.fromEntries(Object.keys(made.networks).map(name => [name, networks.get(name)!.id])),
        })
        results.set(node, made.id)
        break
      }
      case 'start-container':
      case 'unpause-container':
      case 'restart-container':
        update(operation.container, { state: 'running', exitCode: undefined })
        break
      case 'wait-container':
        if (operation.condition === 'healthy') update(operation.container, { health: 'healthy' })
        if (operation.condition === 'completed') update(operation.container, { state: 'exited', exitCode: 0 })
        break
      case 'stop-container':
        update(operation.container, { state: 'exited', exitCode: 143, health: undefined })
        break
      case 'disconnect-network': {
        const { [operation.network]: _, ...networks } = containers.get(id(operation.container))!.networks
        update(operation.container, {
          networks,
          live: withoutEndpoint(containers.get(id(operation.container))!, operation.network),
        })
        break
      }
      case 'connect-network': {
        const before = containers.get(id(operation.container))!.networks
        update(operation.container, {
          networks: { ...before, [operation.network]: networks.get(operation.network)!.id },
          live: withEndpoint(containers.get(id(operation.container))!, operation.network, operation.endpoint),
        })
        break
      }
      case 'update-container': {
        const { live } = containers.get(id(operation.container))!
        update(operation.container, { live: { ...live!, host: { ...live!.host, ...operation.update } } })
        break
      }
      case 'pause-container':
        update(operation.container, { state: 'paused' })
        break
      case 'rename-container':
        update(operation.container, {
          name: operation.to ?? operation.name,
          made: { ...containers.get(id(operation.container))!.made!, name: operation.to ?? operation.name },
        })
        break
      case 'remove-container':
        containers.delete(id(operation.container))
        break
      default:
    }
  }
  const all = [...containers.values()].map(change).sort((a, b) => (a.name < b.name ? -1 : 1))
  return { ...before, containers: all, networks, volumes, images }
}

function withEndpoint({ live }: ObservedContainer, network: string, endpoint: EndpointSettings): Live {
  return { ...live!, endpoints: { ...live!.endpoints, [network]: endpoint } }
}

function withoutEndpoint({ live }: ObservedContainer, network: string): Live {
  const { [network]: _, ...endpoints } = live!.endpoints
  return { ...live!, endpoints }
}

/** With what an engine fills in. */
function shapeOf(body: NetworkCreate): NetworkShape {
  return {
    Driver: body.Driver ?? 'bridge',
    EnableIPv4: body.EnableIPv4 ?? true,
    EnableIPv6: body.EnableIPv6 ?? false,
    IPAM: {
      Driver: 'default',
      Options: {},
      Config: [{ Subnet: '172.20.0.0/16', Gateway: '172.20.0.1' }],
      ...body.IPAM,
    },
    Internal: body.Internal ?? false,
    Attachable: body.Attachable ?? false,
    Options: body.Options ?? {},
  }
}

let made = 0

function created(body: ContainerCreate, createName: string): ObservedContainer {
  const labels = body.Labels!
  const number = labels['com.docker.compose.container-number']
  return {
    id: (++made).toString(16).padStart(12, 'a').padEnd(64, '0'),
    name: createName,
    service: labels['com.docker.compose.service']!,
    number: number === undefined ? undefined : Number(number),
    oneOff: labels['com.docker.compose.oneoff'] === 'True',
    state: 'created',
    exitCode: undefined,
    health: undefined,
    image: body.Image!,
    imageId: labels['com.docker.compose.image'] ?? '',
    labels,
    made: toBeMade(createName, body),
    live: toBeMade(createName, body),
    networkMode: body.HostConfig?.NetworkMode ?? '',
    networks: Object.fromEntries(Object.keys(body.NetworkingConfig?.EndpointsConfig ?? {}).map(name => [name, ''])),
    volumes: (body.HostConfig?.Mounts ?? []).flatMap(m =>
      m.Type === 'volume' ? [{ name: m.Source ?? 'f'.repeat(64), target: m.Target }] : [],
    ),
  }
}
