/** Who needs whom in a project: depends_on, shared namespaces, volumes_from and links. */
import type { Project } from '../model/project.ts'
import type { Service } from '../model/service.ts'
import { Graph } from './graph.ts'

/** Services that are not to run are not in it, nor what points at them. */
export function serviceGraph(project: Project): Graph {
  const graph = new Graph()
  for (const name of Object.keys(project.services).sort()) graph.addNode(name)
  for (const service of Object.values(project.services))
    for (const [to, label] of needs(service))
      if (Object.hasOwn(project.services, to)) graph.addEdge(service.name, to, label)
  return graph
}

/** Whose namespace the service lives in: when that container is replaced or restarted, this one must follow. */
export function sharedNamespaces(service: Service): readonly string[] {
  const modes = [service.networkMode, service.ipc, service.pid, service.usernsMode]
  return [...new Set(modes.flatMap(mode => (mode?.kind === 'service' ? [mode.service] : [])))]
}

function needs(service: Service): readonly (readonly [to: string, label: string])[] {
  const list: (readonly [string, string])[] = []
  if (service.networkMode.kind === 'service') list.push([service.networkMode.service, 'network_mode'])
  if (service.ipc?.kind === 'service') list.push([service.ipc.service, 'ipc'])
  if (service.pid?.kind === 'service') list.push([service.pid.service, 'pid'])
  if (service.usernsMode?.kind === 'service') list.push([service.usernsMode.service, 'userns_mode'])
  for (const from of service.volumesFrom) if (from.kind === 'service') list.push([from.name, 'volumes_from'])
  for (const link of service.links) list.push([link.service, 'links'])
  const implied = new Set(list.map(([to]) => to))
  // a bare entry that the loader added for one of the above says nothing new
  for (const dependency of Object.values(service.dependsOn))
    if (dependency.condition !== 'started' || dependency.restart || !implied.has(dependency.service))
      list.unshift([dependency.service, dependency.condition])
  return list
}
