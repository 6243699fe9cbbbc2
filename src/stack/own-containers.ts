/** `network_mode: container:NAME` of a container of the same stack is the mode `service:…`: it is made and started first. */
import type { Project } from '../model/project.ts'
import type { Service } from '../model/service.ts'

type Services = Project['services']

/** Services with the modes network, ipc, pid and userns turned to the services whose first container they name. */
export function withOwnContainers(
  services: Services,
  { name, separator }: Pick<Project, 'name' | 'separator'>,
): Services {
  const owners = new Map(
    Object.values(services).map(service => [
      service.containerName ?? [name, service.name, 1].join(separator),
      service.name,
    ]),
  )
  const turned: Record<string, Service> = Object.create(null)
  for (const service of Object.values(services)) {
    const turn = <Mode extends Service['networkMode'] | Service['ipc']>(mode: Mode): Mode => {
      const owner = mode?.kind === 'container' ? owners.get(mode.container) : undefined
      return owner === undefined || owner === service.name ? mode : ({ kind: 'service', service: owner } as Mode)
    }
    const { networkMode, ipc, pid, usernsMode } = service
    turned[service.name] = {
      ...service,
      networkMode: turn(networkMode),
      ipc: turn(ipc),
      pid: turn(pid),
      usernsMode: turn(usernsMode),
    }
  }
  return turned
}
