/** A service's replica as the body of POST /containers/create, with the stack path behind each of its fields. */
import type { ContainerCreate, EndpointSettings, HealthConfig } from '../../../api/container-body.ts'
import type { Healthcheck } from '../../../model/healthcheck.ts'
import type { Attachment } from '../../../model/network.ts'
import type { Project } from '../../../model/project.ts'
import type { Service } from '../../../model/service.ts'
import type { Ref } from '../../../plan/operation.ts'
import { containerLabels, labels } from '../labels.ts'
import type { FileUpload, Late } from '../operation.ts'
import { BodyParts, type Origins } from './body-parts.ts'
import { fileObjects } from './file-objects.ts'
import { type FileHashes, type Hashed, hashService } from './hash.ts'
import { type HostConfigParts, hostConfig } from './host-config.ts'
import { imageName } from './names.ts'

export interface ContainerBodyInput {
  readonly project: Project
  readonly service: Service
  /** The container's final name. */
  readonly name: string
  /** Undefined for a one-off container. */
  readonly number: number | undefined
  readonly files: FileHashes
  /** Of the service, when it is known already. */
  readonly hashed?: Hashed
  /** The image's id, or the pull that will tell it. */
  readonly image: Ref | undefined
  /** The container of another service, for what it shares. */
  readonly container: (service: string, what: Shared) => Ref
  /** Names of another service's containers, for links. */
  readonly containerNames: (service: string) => readonly string[]
  /** Target → volume of the container it replaces. */
  readonly inherited?: ReadonlyMap<string, string>
  readonly slug?: string
  /** The name it takes over, in the words of Compose's `replace` label. */
  readonly replaces?: string
}

/** What a service has of another's container, in Compose's words. */
export type Shared = 'network namespace' | 'IPC namespace' | 'PID namespace' | 'user namespace' | 'volume'

/** By the member of HostConfig that names the container. */
const namespaces = {
  NetworkMode: 'network namespace',
  IpcMode: 'IPC namespace',
  PidMode: 'PID namespace',
  UsernsMode: 'user namespace',
} as const satisfies Record<keyof HostConfigParts['services'], Shared>

/** Each service that this one shares something with. */
export function sharedBy(service: Service): readonly (readonly [needed: string, what: Shared])[] {
  const modes = [
    [service.networkMode, 'network namespace'],
    [service.ipc, 'IPC namespace'],
    [service.pid, 'PID namespace'],
    [service.usernsMode, 'user namespace'],
  ] as const
  return [
    ...modes.flatMap(([mode, what]) => (mode?.kind === 'service' ? [[mode.service, what] as const] : [])),
    ...service.volumesFrom.flatMap(from => (from.kind === 'service' ? [[from.name, 'volume'] as const] : [])),
  ]
}

export interface ContainerBody {
  readonly body: ContainerCreate
  readonly late: readonly Late[]
  readonly uploads: readonly FileUpload[]
  readonly origins: Origins
}

/** @throws Failure when a config or secret cannot be had. */
export function containerBody(input: ContainerBodyInput): ContainerBody {
  const { project, service } = input
  const at = (...path: string[]): readonly string[] => ['services', service.name, ...path]
  const files = fileObjects(project, service, input.files)
  const host = hostConfig({ project, service, files, inherited: input.inherited ?? new Map() })
  const late: Late[] = []
  const parts = new BodyParts<ContainerCreate>()

  parts.set('Image', imageName(project, service), at(service.image === undefined ? 'build' : 'image'))
  if (service.command) parts.keep('Cmd', service.command, at('command'))
  if (service.entrypoint) parts.keep('Entrypoint', service.entrypoint, at('entrypoint'))
  parts.set(
    'Env',
    Object.entries(service.environment).map(([key, value]) => (value === null ? key : `${key}=${value}`)),
    at('environment'),
  )
  parts.set('WorkingDir', service.workingDir, at('working_dir'))
  parts.set('User', service.user, at('user'))
  parts.set('Hostname', service.hostname, at('hostname'))
  parts.set('Domainname', service.domainname, at('domainname'))
  parts.set('Tty', service.tty, at('tty'))
  parts.set('OpenStdin', service.stdinOpen, at('stdin_open'))
  parts.set('StopSignal', service.stopSignal, at('stop_signal'))
  if (service.stopGracePeriod !== undefined)
    parts.keep('StopTimeout', Math.ceil(service.stopGracePeriod / 1e9), at('stop_grace_period'))
  if (service.healthcheck) parts.set('Healthcheck', health(service.healthcheck), at('healthcheck'))
  parts.set('ExposedPorts', exposedPorts(service), at(service.expose.length > 0 ? 'expose' : 'ports'))

  const hashes = input.hashed ?? hashService(project, service, input.files)
  parts.set(
    'Labels',
    {
      ...containerLabels({
        project,
        service,
        number: input.number,
        configHash: hashes.hash,
        fields: hashes.fields,
        ...(input.slug === undefined ? {} : { slug: input.slug }),
      }),
      ...(input.replaces === undefined ? {} : { [labels.replace]: input.replaces }),
      ...(typeof input.image === 'string' ? { [labels.image]: input.image } : {}),
    },
    at('labels'),
  )
  if (typeof input.image === 'object')
    late.push({ path: ['Labels', labels.image], ref: input.image, before: '', after: '' })

  for (const member of ['NetworkMode', 'IpcMode', 'PidMode'] as const) {
    const needed = host.services[member]
    if (needed === undefined) continue
    const ref = input.container(needed, namespaces[member])
    late.push({ path: ['HostConfig', member], ref, before: 'container:', after: '' })
  }
  for (const from of service.volumesFrom)
    if (from.kind === 'service')
      late.push({
        path: ['HostConfig', 'VolumesFrom'],
        ref: input.container(from.name, 'volume'),
        before: '',
        after: from.readOnly ? ':ro' : ':rw',
        list: true,
      })

  const links = linksItself(service) ? linksOf(input) : []
  parts.set('HostConfig', links.length > 0 ? { ...host.host, Links: links } : host.host, at())
  parts.set('NetworkingConfig', networking(input), at('networks'))
  return {
    body: parts.values,
    late,
    uploads: files.uploads,
    origins: { ...parts.origins, ...endpointOrigins(project, service), ...host.origins, ...lateOrigins(service) },
  }
}

function lateOrigins(service: Service): Origins {
  const at = ['services', service.name]
  return {
    ...(service.networkMode.kind === 'service' ? { 'HostConfig.NetworkMode': [...at, 'network_mode'] } : {}),
    ...(service.ipc?.kind === 'service' ? { 'HostConfig.IpcMode': [...at, 'ipc'] } : {}),
    ...(service.pid?.kind === 'service' ? { 'HostConfig.PidMode': [...at, 'pid'] } : {}),
    ...(service.usernsMode?.kind === 'service' ? { 'HostConfig.UsernsMode': [...at, 'userns_mode'] } : {}),
  }
}

/** What `explain` shows beside the steps of a container: API field → stack path. */
export function originsOf(project: Project, service: Service, files: FileHashes): Origins {
  return containerBody({
    project,
    service,
    name: '',
    number: 1,
    files,
    image: undefined,
    container: needed => needed,
    containerNames: () => [],
  }).origins
}

function health(check: Healthcheck): HealthConfig {
  if (check.disable) return { Test: ['NONE'] }
  return {
    ...(check.test === undefined ? {} : { Test: check.test }),
    ...(check.interval === undefined ? {} : { Interval: check.interval }),
    ...(check.timeout === undefined ? {} : { Timeout: check.timeout }),
    ...(check.startPeriod === undefined ? {} : { StartPeriod: check.startPeriod }),
    ...(check.startInterval === undefined ? {} : { StartInterval: check.startInterval }),
    ...(check.retries === undefined ? {} : { Retries: check.retries }),
  }
}

function exposedPorts(service: Service): Record<string, Record<string, never>> {
  const ports = [
    ...service.expose.map(port => (port.includes('/') ? port : `${port}/tcp`)),
    ...service.ports.map(port => `${port.target}/${port.protocol}`),
  ]
  return Object.fromEntries(ports.sort().map(port => [port, {}]))
}

function networking(input: ContainerBodyInput): ContainerCreate['NetworkingConfig'] {
  const { service } = input
  if (service.networkMode.kind !== 'networks' || Object.keys(service.networks).length === 0) return undefined
  return { EndpointsConfig: endpointsOf(input, linksOf(input)) }
}

type EndpointInput = Pick<ContainerBodyInput, 'project' | 'service' | 'name' | 'slug'>

/** By the network's name, as a container of that name is to be attached. */
export function endpointsOf(
  input: EndpointInput,
  links: readonly string[],
): Readonly<Record<string, EndpointSettings>> {
  const { project, service } = input
  const endpoints: Record<string, EndpointSettings> = {}
  for (const [i, attachment] of Object.values(service.networks).entries())
    endpoints[project.networks[attachment.network]?.name ?? attachment.network] = endpoint(input, attachment, {
      links,
      // the service's own address is that of its first interface
      macAddress: attachment.macAddress ?? (i === 0 ? service.macAddress : undefined),
    })
  return endpoints
}

/** On the engine's own bridge a link is the container's, elsewhere it is the endpoint's. */
export function linksItself({ networkMode }: Service): boolean {
  return networkMode.kind === 'other' && ['bridge', 'default'].includes(networkMode.value)
}

/** "shop-db-1:db". */
export function linksOf({
  service,
  containerNames,
}: Pick<ContainerBodyInput, 'service' | 'containerNames'>): readonly string[] {
  return [
    ...service.links.flatMap(link => containerNames(link.service).map(name => `${name}:${link.alias}`)),
    ...service.externalLinks.map(link => `${link.container}:${link.alias}`),
  ]
}

function endpoint(
  { name, service, slug }: EndpointInput,
  attachment: Attachment,
  { links, macAddress }: { readonly links: readonly string[]; readonly macAddress: string | undefined },
): EndpointSettings {
  const ipam = {
    ...(attachment.ipv4Address === undefined ? {} : { IPv4Address: attachment.ipv4Address }),
    ...(attachment.ipv6Address === undefined ? {} : { IPv6Address: attachment.ipv6Address }),
    ...(attachment.linkLocalIPs.length === 0 ? {} : { LinkLocalIPs: attachment.linkLocalIPs }),
  }
  const driverOpts = {
    ...attachment.driverOpts,
    ...(attachment.interfaceName === undefined
      ? {}
      : { 'com.docker.network.endpoint.ifname': attachment.interfaceName }),
  }
  // a one-off container must not answer for its service
  const aliases = slug === undefined ? [name, service.name, ...attachment.aliases] : [name]
  return {
    Aliases: [...new Set(aliases)],
    ...(Object.keys(ipam).length === 0 ? {} : { IPAMConfig: ipam }),
    ...(links.length === 0 ? {} : { Links: links }),
    ...(macAddress === undefined ? {} : { MacAddress: macAddress }),
    ...(Object.keys(driverOpts).length === 0 ? {} : { DriverOpts: driverOpts }),
    ...(attachment.gwPriority === 0 ? {} : { GwPriority: attachment.gwPriority }),
  }
}

function endpointOrigins(project: Project, service: Service): Origins {
  return Object.fromEntries(
    Object.keys(service.networks).map(key => [
      `NetworkingConfig.EndpointsConfig.${project.networks[key]?.name ?? key}`,
      ['services', service.name, 'networks', key],
    ]),
  )
}
