/** Why a stack needs somebody who stays when the command has ended. */
import type { Project } from './project.ts'
import type { Service } from './service.ts'

export interface Reason {
  readonly service: string
  /** For people: "web is restarted with db". */
  readonly text: string
}

/** In the order of the services' names; none: an engine by itself keeps all that the stack says. */
export function reasonsToHold(project: Project): readonly Reason[] {
  return Object.keys(project.services)
    .sort()
    .flatMap(name => reasonsOf(project.services[name]!).map(text => ({ service: name, text })))
}

function reasonsOf(service: Service): readonly string[] {
  const { name, dependsOn, preStart, postStart, restart, onUnhealthy = 'none', schedule } = service
  if (schedule) return [`${name} has a schedule`]
  const needed = Object.values(dependsOn)
  const ill = onUnhealthy === 'none' ? [] : [`${name} is to ${onUnhealthy} when it is unhealthy`]
  const follows = [
    ...ill,
    ...needed.filter(each => each.restart).map(each => `${name} is restarted with ${each.service}`),
  ]
  if (restart.kind === 'no') return follows
  // an engine starts it again and at boot, and knows of neither
  const waits = needed.filter(each => !each.restart).map(each => `${name} is started after ${each.service}`)
  const hooks = postStart.length > 0 ? [`${name} has post_start hooks`] : []
  const inits = preStart.length > 0 ? [`${name} has pre_start containers`] : []
  return [...follows, ...waits, ...inits, ...hooks]
}
