/** Defaults that only the whole merged stack can take: names, the default network, implied dependencies, variables without value. */
import { get, isNull, type MapNode, map, mapOf, type Node, type ScalarNode, scalar, textAt } from './tree.ts'

/**
 * Bare keys of environment and build arguments take the variable of that name, an unset one stays null; secrets and
 * configs from a variable remember its value.
 */
export function resolveBareKeys(root: MapNode, lookup: (name: string) => string | undefined): void {
  for (const section of ['secrets', 'configs']) {
    const objects = get(root, section)
    if (objects?.kind !== 'map') continue
    for (const object of objects.entries.values()) {
      const variable = get(object, 'environment')
      // what is included has been looked up already, among its own variables
      if (variable?.kind === 'scalar') variable.named ??= { value: lookup(String(variable.value)) }
    }
  }
  const services = get(root, 'services')
  if (services?.kind !== 'map') return
  for (const service of services.entries.values()) {
    fillNulls(get(service, 'environment'), lookup)
    fillNulls(get(service, 'build', 'args'), lookup)
  }
}

function fillNulls(node: Node | undefined, lookup: (name: string) => string | undefined): void {
  if (node?.kind !== 'map') return
  for (const [key, value] of node.entries) {
    if (value.kind !== 'scalar' || value.value !== null) continue
    const found = lookup(key)
    if (found !== undefined)
      node.entries.set(key, {
        ...value,
        value: found,
        template: key,
        variables: [{ name: key, value: found }],
      } as ScalarNode)
  }
}

/** Defaults each service has by itself, whatever is around it. */
export function applyDefaults(root: MapNode): void {
  const services = get(root, 'services')
  if (services?.kind !== 'map') return
  for (const service of services.entries.values()) {
    const build = get(service, 'build')
    if (build?.kind === 'map' && !build.entries.has('context')) build.entries.set('context', scalar('.'))
    const dependsOn = get(service, 'depends_on')
    if (dependsOn?.kind === 'map')
      for (const dependency of dependsOn.entries.values())
        if (dependency.kind === 'map' && !dependency.entries.has('required'))
          dependency.entries.set('required', scalar(true))
    const secrets = get(service, 'secrets')
    if (secrets?.kind === 'list')
      for (const secret of secrets.items)
        if (secret.kind === 'map' && !secret.entries.has('target'))
          secret.entries.set('target', scalar(`/run/secrets/${textAt(secret, 'source')}`))
    const ports = get(service, 'ports')
    if (ports?.kind === 'list')
      for (const port of ports.items)
        if (port.kind === 'map') {
          if (!port.entries.has('mode')) port.entries.set('mode', scalar('ingress'))
          if (!port.entries.has('protocol')) port.entries.set('protocol', scalar('tcp'))
        }
  }
}

/** What `--no-normalize` leaves out. */
export function normalize(root: MapNode, project: string): void {
  const services = get(root, 'services')
  let usesDefault = false
  if (services?.kind === 'map')
    for (const service of services.entries.values()) {
      if (service.kind !== 'map') continue
      if (normalizeNetworks(service)) usesDefault = true
      normalizeService(service)
    }
  let networks = get(root, 'networks')
  if (usesDefault) {
    if (networks?.kind !== 'map') {
      networks = map(new Map())
      root.entries.set('networks', networks)
    }
    if (!networks.entries.has('default')) networks.entries.set('default', mapOf({}))
  }
  for (const section of ['networks', 'volumes', 'secrets', 'configs']) nameByKey(get(root, section), project)
}

/** Whether the service is on the default network. */
function normalizeNetworks(service: MapNode): boolean {
  if (service.entries.has('provider') || service.entries.has('network_mode')) return false
  const networks = service.entries.get('networks')
  if (networks?.kind !== 'map' || networks.entries.size === 0) {
    service.entries.set(
      'networks',
      mapOf({ default: null }, networks ?? { source: undefined, offset: 0, keyOffset: -1 }),
    )
    return true
  }
  return networks.entries.has('default')
}

function normalizeService(service: MapNode): void {
  const pull = service.entries.get('pull_policy')
  if (pull?.kind === 'scalar' && pull.value === 'if_not_present') pull.value = 'missing'
  const build = service.entries.get('build')
  if (build?.kind === 'map' && !build.entries.has('dockerfile') && !build.entries.has('dockerfile_inline'))
    build.entries.set('dockerfile', scalar('Dockerfile'))
  const args = get(service, 'build', 'args')
  if (args?.kind === 'map') for (const [key, value] of args.entries) if (isNull(value)) args.entries.delete(key)
  imply(service)
}

/** Dependencies that links, shared namespaces and volumes_from mean. */
function imply(service: MapNode): void {
  const wanted: Array<{ name: string; restart: boolean; from: Node }> = []
  const each = (key: string, visit: (text: string, node: Node) => void) => {
    const node = service.entries.get(key)
    const items = node?.kind === 'list' ? node.items : node ? [node] : []
    for (const item of items) if (item.kind === 'scalar' && typeof item.value === 'string') visit(item.value, item)
  }
  each('links', (link, from) => wanted.push({ name: link.split(':')[0]!, restart: true, from }))
  for (const key of ['network_mode', 'ipc', 'pid', 'userns_mode', 'uts', 'cgroup'])
    each(key, (mode, from) => {
      if (mode.startsWith('service:')) wanted.push({ name: mode.slice('service:'.length), restart: true, from })
    })
  each('volumes_from', (spec, from) => {
    if (!spec.startsWith('container:')) wanted.push({ name: spec.split(':')[0]!, restart: false, from })
  })
  if (wanted.length === 0) return
  const existing = service.entries.get('depends_on')
  const dependsOn = existing?.kind === 'map' ? existing : map(new Map())
  for (const { name, restart, from } of wanted)
    if (!dependsOn.entries.has(name))
      dependsOn.entries.set(name, {
        ...mapOf({ condition: 'service_started', ...(restart ? { restart: true } : {}), required: true }, from),
        keyOffset: from.offset,
      })
  service.entries.set('depends_on', dependsOn)
}

/** `data` is called `shop_data`, unless it has a name or is external. */
function nameByKey(section: Node | undefined, project: string): void {
  if (section?.kind !== 'map') return
  for (const [key, member] of section.entries) {
    const resource = isNull(member) ? { ...mapOf({}, member), keyOffset: member.keyOffset } : member
    if (resource.kind !== 'map') continue
    if (!resource.entries.has('name')) {
      const external = resource.entries.get('external')
      const own = external?.kind === 'scalar' && external.value === true
      resource.entries.set('name', scalar(own ? key : `${project}_${key}`))
    }
    section.entries.set(key, resource)
  }
}
