/** The finished tree to a Project: every field typed, every name in camelCase. */
import type { Place } from '../lib/problems.ts'
import type { FileObject, FileSource } from '../model/file-object.ts'
import type { Network } from '../model/network.ts'
import type { Project } from '../model/project.ts'
import type { Volume } from '../model/volume.ts'
import { withOwnContainers } from './own-containers.ts'
import { toRegistry } from './registry.ts'
import { toService } from './to-service.ts'
import { get, type MapNode, map, type Node, placeOf } from './tree.ts'
import { View } from './view.ts'

interface ProjectContext extends Pick<Project, 'name' | 'separator'> {
  readonly directory: string
  readonly files: readonly string[]
  readonly disabled: MapNode
  readonly profiles: readonly string[]
}

export function toProject(tree: MapNode, context: ProjectContext): Project {
  const root = new View(tree, [])
  const used = (section: string) => root.at(section).members()
  const registry = toRegistry(root)
  return {
    name: context.name,
    separator: context.separator,
    directory: context.directory,
    files: context.files,
    services: withOwnContainers(
      record(used('services'), ([name, view]) => toService(name, view)),
      context,
    ),
    disabledServices: record(new View(context.disabled, ['services']).members(), ([name, view]) =>
      toService(name, view),
    ),
    networks: record(used('networks'), ([key, view]) => toNetwork(key, view)),
    volumes: record(used('volumes'), ([key, view]) => toVolume(key, view)),
    configs: record(used('configs'), ([key, view]) => toFileObject(key, view)),
    secrets: record(used('secrets'), ([key, view]) => toFileObject(key, view)),
    profiles: context.profiles,
    ...(registry === undefined ? {} : { registry }),
    place: path => placeIn(tree, context.disabled, path),
    places: depth => placesIn(tree, depth, []),
  }
}

/** A record without prototype, so that any name is only a name. */
function record<T>(
  members: Iterable<readonly [string, View]>,
  convert: (member: readonly [string, View]) => T,
): Readonly<Record<string, T>> {
  const result: Record<string, T> = Object.create(null)
  for (const member of members) result[member[0]] = convert(member)
  return result
}

function placeIn(tree: MapNode, disabled: MapNode, path: readonly string[]) {
  const root =
    path[0] === 'services' && disabled.entries.has(path[1] ?? '')
      ? map(new Map<string, Node>([['services', disabled]]))
      : tree
  for (let length = path.length; length > 0; length--) {
    const place = placeOf(get(root, ...path.slice(0, length)), 'key')
    if (place) return place
  }
  return undefined
}

function* placesIn(node: Node, depth: number, path: readonly string[]): Generator<readonly [readonly string[], Place]> {
  const place = path.length > 0 ? placeOf(node, 'key') : undefined
  if (place) yield [path, place]
  if (depth === 0 || node.kind === 'scalar') return
  const members = node.kind === 'map' ? node.entries : node.items.entries()
  for (const [key, member] of members) yield* placesIn(member, depth - 1, [...path, String(key)])
}

function toNetwork(key: string, view: View): Network {
  const ipam = view.at('ipam')
  return {
    key,
    name: view.text('name') ?? key,
    external: view.bool('external') ?? false,
    driver: view.text('driver'),
    driverOpts: view.strings('driver_opts'),
    ipam: {
      driver: ipam.text('driver'),
      options: ipam.strings('options'),
      config: ipam.views('config').map(pool => ({
        subnet: pool.text('subnet'),
        ipRange: pool.text('ip_range'),
        gateway: pool.text('gateway'),
        auxAddresses: pool.strings('aux_addresses'),
      })),
    },
    internal: view.bool('internal') ?? false,
    attachable: view.bool('attachable') ?? false,
    enableIPv4: view.bool('enable_ipv4'),
    enableIPv6: view.bool('enable_ipv6'),
    labels: view.strings('labels'),
  }
}

function toVolume(key: string, view: View): Volume {
  return {
    key,
    name: view.text('name') ?? key,
    external: view.bool('external') ?? false,
    driver: view.text('driver'),
    driverOpts: view.strings('driver_opts'),
    labels: view.strings('labels'),
  }
}

function toFileObject(key: string, view: View): FileObject {
  return {
    key,
    name: view.text('name') ?? key,
    source: toFileSource(view),
    labels: view.strings('labels'),
    templateDriver: view.text('template_driver'),
  }
}

function toFileSource(view: View): FileSource {
  if (view.bool('external')) return { kind: 'external' }
  const file = view.text('file')
  if (file !== undefined) return { kind: 'file', file }
  const variable = view.text('environment')
  if (variable !== undefined) {
    const node = get(view.node, 'environment')
    return { kind: 'environment', variable, value: node?.kind === 'scalar' ? node.named?.value : undefined }
  }
  const content = view.text('content')
  if (content !== undefined) return { kind: 'content', content }
  return { kind: 'driver', driver: view.text('driver') ?? '', driverOpts: view.strings('driver_opts') }
}
