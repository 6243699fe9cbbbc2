/** A project under a name of its own, so that the same files run twice on one engine: whatever they pin by name or port is scoped. */
import type { Attachment, Ipam, Network, NetworkMode } from './network.ts'
import type { Port } from './port.ts'
import type { Project } from './project.ts'
import type { NamespaceMode, Service } from './service.ts'
import type { Volume } from './volume.ts'

/** What a fixed port is known by, whatever else of its service changes: "web 80/tcp 127.0.0.1:8080". */
export function portKey(service: string, { target, protocol, hostIp = '', published = '' }: Port): string {
  return `${service} ${target}/${protocol} ${hostIp}:${published}`
}

/** Whether the port is one of the host's that only one can have. */
export function isFixed(port: Port): port is Port & { readonly published: string } {
  const { published } = port
  return published !== undefined && /^\d+$/.test(published) && published !== '0'
}

/** `ports`: host port by `portKey`, where it is another than the files say. */
export function withPorts(project: Project, ports: Readonly<Record<string, string>>): Project {
  const services = changed(project.services, service => ({
    ...service,
    ports: service.ports.map(port => {
      const published = ports[portKey(service.name, port)]
      return published === undefined ? port : { ...port, published }
    }),
  }))
  return { ...project, services }
}

/**
 * `project` must have been read under its new name: what is derived from that needs no scope. The suffix, "feature-x", goes
 * behind every name that the files pin.
 */
export function isolate(project: Project, suffix: string): Project {
  const all = [...Object.values(project.services), ...Object.values(project.disabledServices)]
  const scoped = (name: string): string => `${name}-${suffix}`
  const containers = new Set(all.flatMap(({ containerName }) => containerName ?? []))
  const built = new Set(all.flatMap(({ build, image }) => (build && image !== undefined ? [image] : [])))
  const container = (name: string): string => (containers.has(name) ? scoped(name) : name)
  const image = (name: string): string => (built.has(name) ? scopedImage(name, suffix) : name)
  const attachment = (one: Attachment, known: string | undefined): Attachment => {
    const { ipv4Address, ipv6Address, ...rest } = one
    const free = isUnpinned(project, one.network) ? rest : one
    // on networks of its own it answers to the name that the files know it by
    return known === undefined ? free : withAlias(project, free, known)
  }
  const service = (one: Service): Service => ({
    ...one,
    networks: changed(one.networks, each => attachment(each, one.containerName)),
    ...(one.image !== undefined && { image: image(one.image) }),
    ...(one.build && { build: { ...one.build, tags: one.build.tags.map(tag => scopedImage(tag, suffix)) } }),
    ...(one.containerName !== undefined && { containerName: scoped(one.containerName) }),
    networkMode: namespace(one.networkMode, container),
    ...(one.ipc && { ipc: namespace(one.ipc, container) }),
    ...(one.pid && { pid: namespace(one.pid, container) }),
    ...(one.usernsMode && { usernsMode: namespace(one.usernsMode, container) }),
    ...(one.uts && { uts: namespace(one.uts, container) }),
    volumesFrom: one.volumesFrom.map(each =>
      each.kind === 'container' ? { ...each, name: container(each.name) } : each,
    ),
    externalLinks: one.externalLinks.map(link => ({ ...link, container: container(link.container) })),
  })
  const network = (one: Network): Network =>
    pinsSubnet(one) ? { ...named(one), ipam: unpinned(one.ipam) } : named(one)
  const named = <T extends Network | Volume>(one: T): T =>
    one.external || one.name === `${project.name}_${one.key}` ? one : { ...one, name: scoped(one.name) }
  return {
    ...project,
    services: changed(project.services, service),
    disabledServices: changed(project.disabledServices, service),
    networks: changed(project.networks, network),
    volumes: changed(project.volumes, named),
  }
}

/** Networks whose subnets the files pin: two of them cannot be on one machine, so the engine chooses for the isolated one. */
export function unpinnedNetworks(project: Project): readonly string[] {
  return Object.keys(project.networks).filter(key => isUnpinned(project, key))
}

function isUnpinned(project: Project, key: string): boolean {
  const found = Object.hasOwn(project.networks, key) ? project.networks[key] : undefined
  return found !== undefined && pinsSubnet(found)
}

function pinsSubnet({ external, ipam }: Network): boolean {
  return !external && ipam.config.some(({ subnet }) => subnet !== undefined)
}

function unpinned(ipam: Ipam): Ipam {
  return { ...ipam, config: ipam.config.filter(({ subnet }) => subnet === undefined) }
}

/** "shop/web:dev" → "shop/web-feature-x:dev"; one that is pinned by a digest is what it is. */
function scopedImage(name: string, suffix: string): string {
  if (name.includes('@')) return name
  const colon = name.lastIndexOf(':')
  const end = colon > name.lastIndexOf('/') ? colon : name.length
  return `${name.slice(0, end)}-${suffix}${name.slice(end)}`
}

function withAlias(project: Project, attachment: Attachment, alias: string): Attachment {
  const isShared = project.networks[attachment.network]?.external ?? false
  if (isShared || attachment.aliases.includes(alias)) return attachment
  return { ...attachment, aliases: [...attachment.aliases, alias] }
}

function namespace<T extends NetworkMode | NamespaceMode>(mode: T, container: (name: string) => string): T {
  return mode.kind === 'container' ? { ...mode, container: container(mode.container) } : mode
}

/** Without a prototype, as records by a name the author chose are. */
function changed<T>(record: Readonly<Record<string, T>>, change: (one: T) => T): Readonly<Record<string, T>> {
  const result: Record<string, T> = Object.create(null)
  for (const [key, one] of Object.entries(record)) result[key] = change(one)
  return result
}
