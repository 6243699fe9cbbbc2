/** What no cluster would run, at its place in the stack. */
import type { Service } from '../../../model/service.ts'
import type { Input } from './given-input.ts'

/** Whether it was refused. */
export function refuseService(input: Input, service: Service): boolean {
  const { name } = service
  const refuse = (path: readonly string[], why: string, hint: string): true => {
    input.refuse(['services', name, ...path], {
      code: 'not-in-a-cluster',
      message: `Cannot run service "${name}" in a cluster: ${why}`,
      hint,
    })
    return true
  }
  if (service.provider)
    return refuse(['provider'], 'other programs are not called to provide a service', 'Leave it out by a profile')
  if (!input.images.has(name))
    return refuse(
      ['build'],
      'its image has no name that the nodes could pull',
      'Say with "x-registry" where images go, or give it "image"',
    )
  const { kind } = service.networkMode
  if (kind !== 'networks' && kind !== 'host' && kind !== 'none')
    return refuse(['network_mode'], 'a pod has a network of its own', 'Leave it out, or say "host" or "none"')
  for (const key of ['pid', 'ipc', 'uts'] as const)
    if (service[key]?.kind === 'service' || service[key]?.kind === 'container')
      return refuse([key], 'a pod shares no namespace with another', 'Leave it out, or say "host"')
  if (service.deploy?.mode === 'global-job')
    return refuse(['deploy', 'mode'], 'it knows no job of every node', 'Say replicated-job, or global for what goes on')
  const from = service.volumesFrom[0]
  if (from) return refuse(['volumes_from'], 'a pod has no volumes of another', 'Name the volumes in both services')
  const range = service.ports.find(
    ({ mode, published }) => mode === 'host' && published !== undefined && !/^\d+$/.test(published),
  )
  if (range) return refuse(range.path.slice(2), 'a port of a node is one port, not a range', 'Name one port')
  return false
}
