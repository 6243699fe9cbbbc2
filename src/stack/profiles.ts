/** Which services are there: profiles in force, and services named on the command line. */
import { get, type MapNode, map, type Node, textAt } from './tree.ts'

/** --profile, each as it is; otherwise COMPOSE_PROFILES, split at commas. */
export function activeProfiles(named: readonly string[] | undefined, variable: string | undefined): readonly string[] {
  if (named && named.length > 0) return named
  // With none in force the empty one is: an unset variable among a service's profiles does not disable it.
  return (variable ?? '').split(',').map(profile => profile.trim())
}

export function profilesOf(service: Node): readonly string[] {
  const profiles = get(service, 'profiles')
  return profiles?.kind === 'list'
    ? profiles.items.flatMap(item => (item.kind === 'scalar' ? [String(item.value)] : []))
    : []
}

/** Takes the services that are not to be there out of the tree, and gives them back; a named service brings its profiles along. */
export function disableServices(
  root: MapNode,
  profiles: readonly string[],
  named: readonly string[],
): { disabled: MapNode; inForce: readonly string[] } {
  const disabled = map(new Map())
  const services = get(root, 'services')
  const inForce = new Set(profiles)
  if (services?.kind !== 'map') return { disabled, inForce: [...inForce] }
  for (const name of named) {
    const service = services.entries.get(name)
    if (service) for (const profile of profilesOf(service)) inForce.add(profile)
  }
  for (const [name, service] of services.entries) {
    const own = profilesOf(service)
    if (own.length === 0 || inForce.has('*') || own.some(profile => inForce.has(profile))) continue
    disabled.entries.set(name, service)
  }
  for (const name of disabled.entries.keys()) services.entries.delete(name)
  return { disabled, inForce: [...inForce].sort() }
}

/** The named services that are there, and those they depend on. */
export function withDependencies(root: MapNode, names: readonly string[]): ReadonlySet<string> {
  const chosen = new Set<string>()
  const choose = (name: string) => {
    const service = get(root, 'services', name)
    if (!service || chosen.has(name)) return
    chosen.add(name)
    const dependencies = get(service, 'depends_on')
    if (dependencies?.kind === 'map') for (const other of dependencies.entries.keys()) choose(other)
  }
  for (const name of names) choose(name)
  return chosen
}

/** Takes out every service but the named ones and those they depend on; optional dependencies that are not there are forgotten. */
export function selectServices(root: MapNode, names: readonly string[]): void {
  const services = get(root, 'services')
  const chosen = withDependencies(root, names)
  if (services?.kind !== 'map' || chosen.size === 0) return
  for (const [name, service] of services.entries) {
    if (!chosen.has(name)) services.entries.delete(name)
    const dependencies = get(service, 'depends_on')
    if (service.kind !== 'map' || dependencies?.kind !== 'map') continue
    for (const [other, how] of dependencies.entries) {
      const required = get(how, 'required')
      if (!chosen.has(other) && required?.kind === 'scalar' && required.value === false)
        dependencies.entries.delete(other)
    }
    if (dependencies.entries.size === 0) service.entries.delete('depends_on')
  }
}

/** Takes out networks, volumes, configs and secrets that no service uses. */
export function prune(root: MapNode): void {
  const used = {
    networks: new Set<string>(),
    volumes: new Set<string>(),
    configs: new Set<string>(),
    secrets: new Set<string>(),
    models: new Set<string>(),
  }
  const services = get(root, 'services')
  if (services?.kind === 'map')
    for (const service of services.entries.values()) {
      for (const section of ['networks', 'models'] as const) {
        const names = get(service, section)
        if (names?.kind === 'map') for (const name of names.entries.keys()) used[section].add(name)
      }
      for (const volume of items(get(service, 'volumes')))
        if (textAt(volume, 'type') === 'volume' && textAt(volume, 'source')) used.volumes.add(textAt(volume, 'source')!)
      for (const config of items(get(service, 'configs'))) used.configs.add(textAt(config, 'source') ?? '')
      for (const secret of [...items(get(service, 'secrets')), ...items(get(service, 'build', 'secrets'))])
        used.secrets.add(textAt(secret, 'source') ?? '')
    }
  for (const [section, names] of Object.entries(used)) {
    const resources = get(root, section)
    if (resources?.kind !== 'map') continue
    for (const name of [...resources.entries.keys()]) if (!names.has(name)) resources.entries.delete(name)
    if (resources.entries.size === 0) root.entries.delete(section)
  }
}

function items(node: Node | undefined): readonly Node[] {
  return node?.kind === 'list' ? node.items : []
}
