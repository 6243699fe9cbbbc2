/** Where the published ports of a stack are reached: by the node of the task with mode host, by any node otherwise. */
import type { SwarmPort } from '../../api/swarm-objects.ts'
import type { Reached } from '../target.ts'
import type { ObservedSwarm } from './observed.ts'
import { keyOf, taskName } from './slots.ts'
import { stateOfTask } from './task-states.ts'

export function reachedIn({ services, tasks, nodes }: ObservedSwarm): readonly Reached[] {
  const ready = [...nodes.values()].find(({ Status }) => Status.State === 'ready')
  return [...services.values()].flatMap(service => {
    const routed = (service.Endpoint?.Ports ?? []).flatMap(({ PublishMode, PublishedPort, TargetPort, Protocol }) =>
      PublishMode !== 'ingress' || PublishedPort === undefined || ready?.Status.Addr === undefined
        ? []
        : [
            {
              service: keyOf(service),
              name: service.Spec.Name,
              port: TargetPort,
              protocol: Protocol,
              host: ready.Status.Addr,
              hostPort: PublishedPort,
            },
          ],
    )
    const own = tasks.flatMap(task => {
      const host = nodes.get(task.NodeID ?? '')?.Status.Addr
      if (task.ServiceID !== service.ID || stateOfTask(task, nodes) !== 'running' || host === undefined) return []
      return each(task.Status.PortStatus?.Ports ?? []).flatMap(({ PublishedPort, TargetPort, Protocol }) =>
        PublishedPort === undefined
          ? []
          : [
              {
                service: keyOf(service),
                name: taskName(task, service),
                port: TargetPort,
                protocol: Protocol,
                host,
                hostPort: PublishedPort,
              },
            ],
      )
    })
    return [...routed, ...own]
  })
}

/** A port is told once for each family of addresses. */
function each(ports: readonly SwarmPort[]): readonly SwarmPort[] {
  return [...new Map(ports.map(port => [`${port.PublishedPort} ${port.TargetPort}/${port.Protocol}`, port])).values()]
}
