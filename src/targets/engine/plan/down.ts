/** The plan of down: dependents first; what nothing needs is stopped side by side, so that graces overlap. */

import type { Project } from '../../../model/project.ts'
import type { NodeId } from '../../../plan/operation.ts'
import { EnginePlan } from '../engine-plan.ts'
import { labels } from '../labels.ts'
import type { Observed, ObservedContainer } from '../observed.ts'
import { planRemoval } from './ending.ts'
import { imageName } from './names.ts'
import { chosen, orphans, type ServicesOption, serviceOf, type Target } from './scope.ts'
import { reversed } from './service-order.ts'

export interface DownOptions extends ServicesOption {
  /** Containers of services that the stack no longer has, and those of `run`. */
  readonly removeOrphans?: boolean
  /** Named and anonymous volumes too, except external ones. */
  readonly volumes?: boolean
  /** local: images without a name of their own; all. */
  readonly images?: 'local' | 'all'
  /** Seconds. */
  readonly timeout?: number | undefined
}

/**
 * Networks, and volumes where they are asked for, go when nothing else uses them: those that the stack has, as with Compose. What another
 * file of the project's name has made, or a service of a profile that is not active, stays; where there is no stack, all of its name goes.
 */
export function planDown(target: Target, observed: Observed, options: DownOptions = {}): EnginePlan {
  const plan = new EnginePlan()
  const { services, timeout, volumes = false } = options
  const containers = [
    ...new Set([
      ...chosen('down', target, { observed, services }),
      ...(options.removeOrphans ? orphans(target, observed, { all: true }) : []),
    ]),
  ]
  const gone = reversed(target, containers, (container, after) => {
    const service = serviceOf(target, container.service)
    return planRemoval(plan, container, { cause: downCause(target, container), service, timeout, after, volumes })
  })
  const ours = (kind: 'networks' | 'volumes') => {
    const known = 'services' in target ? new Set(Object.values(target[kind]).map(({ name }) => name)) : undefined
    return (each: Labelled): boolean => each.labels[labels.project] === target.name && (known?.has(each.name) ?? true)
  }
  const isNetwork = ours('networks')
  for (const network of sortedByName(observed.networks.values()))
    if (isNetwork(network)) {
      // one that lives in the network of another keeps it in use, also when that other one has gone
      const attached = containers
        .filter(c => Object.hasOwn(c.networks, network.name) || c.networkMode.startsWith('container:'))
        .map(c => gone.get(c.id)!)
      plan.add({ kind: 'remove-network', cause: 'asked for', name: network.name, id: network.id }, attached)
    }
  const isVolume = ours('volumes')
  if (volumes)
    for (const volume of sortedByName(observed.volumes.values()))
      if (isVolume(volume)) {
        const mounted = containers.filter(c => c.volumes.some(v => v.name === volume.name)).map(c => gone.get(c.id)!)
        plan.add({ kind: 'remove-volume', cause: 'asked for', name: volume.name }, mounted)
      }
  if (options.images && 'services' in target)
    removeImages(plan, target, { observed, containers, gone, which: options.images })
  return plan
}

interface Labelled {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

export function downCause(target: Target, container: ObservedContainer): string {
  const isLeftOver = 'services' in target && !container.oneOff && serviceOf(target, container.service) === undefined
  return isLeftOver ? `service ${container.service} is not in the stack` : 'asked for'
}

interface ImagesInput {
  readonly observed: Observed
  readonly containers: readonly ObservedContainer[]
  readonly gone: ReadonlyMap<string, NodeId>
  readonly which: 'local' | 'all'
}

function removeImages(plan: EnginePlan, project: Project, { observed, containers, gone, which }: ImagesInput): void {
  const names = Object.values(project.services).flatMap(service => {
    const name = imageName(project, service)
    return name === undefined || (which === 'local' && service.image !== undefined) ? [] : [name]
  })
  for (const name of [...new Set(names)].sort()) {
    const id = observed.images.get(name)?.id
    if (id === undefined) continue
    const users = containers.filter(container => container.imageId === id).map(container => gone.get(container.id)!)
    plan.add({ kind: 'remove-image', cause: 'asked for', name }, users)
  }
}

function sortedByName<T extends { readonly name: string }>(items: Iterable<T>): readonly T[] {
  return [...items].sort((a, b) => (a.name < b.name ? -1 : 1))
}
