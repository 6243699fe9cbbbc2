/** Tasks of a stack as `ps` shows them: of each slot the newest. */
import type { SwarmPort, SwarmTask } from '../../api/swarm-objects.ts'
import type { Part } from '../target.ts'
import { labels } from './labels.ts'
import type { ObservedSwarm } from './observed.ts'
import { keyOf, slotOf, taskName } from './slots.ts'
import { stateOfTask } from './task-states.ts'

export function partsOf({ services, tasks, nodes }: ObservedSwarm): readonly Part[] {
  const byId = new Map([...services.values()].map(each => [each.ID, each]))
  const newest = new Map<string, SwarmTask>()
  for (const task of tasks) {
    const place = `${task.ServiceID} ${slotOf(task, byId.get(task.ServiceID)) ?? task.NodeID ?? ''}`
    const other = newest.get(place)
    if (!other || rank(task) > rank(other)) newest.set(place, task)
  }
  return [...newest.values()]
    .flatMap(task => {
      const service = byId.get(task.ServiceID)
      if (!service) return []
      const { Spec, Endpoint } = service
      const { Status, NodeID = '' } = task
      const state = stateOfTask(task, nodes)
      return [
        {
          Name: taskName(task, service),
          Service: keyOf(service),
          Image: Spec.Labels?.[labels.image] || task.Spec.ContainerSpec.Image,
          Node: nodes.get(NodeID)?.Description.Hostname ?? NodeID,
          State: state,
          Status: Status.Err ? `${state}: ${Status.Err}` : state,
          Ports: [
            ...new Set(
              [...(Status.PortStatus?.Ports ?? []), ...(Endpoint?.Ports ?? []).filter(isIngress)].map(portText),
            ),
          ].join(', '),
          ID: task.ID,
        },
      ]
    })
    .sort((a, b) => (a.Name < b.Name ? -1 : 1))
}

/** What is to run counts before what was, the later before the earlier. */
function rank({ DesiredState, CreatedAt }: SwarmTask): string {
  return `${DesiredState === 'running' ? 1 : 0} ${CreatedAt}`
}

function isIngress({ PublishMode }: SwarmPort): boolean {
  return PublishMode === 'ingress'
}

function portText({ PublishedPort, TargetPort, Protocol, PublishMode }: SwarmPort): string {
  return `${PublishMode === 'ingress' ? '*:' : ''}${PublishedPort ?? ''}->${TargetPort}/${Protocol}`
}
