/** Services with data of their own whose image a plan changes: what a new version makes of the data cannot be undone by the old one. */
import type { Project } from '../../../model/project.ts'
import type { EnginePlan } from '../engine-plan.ts'
import type { Observed } from '../observed.ts'
import { imageName } from './names.ts'

/** Sorted. */
export function dataWithNewImage(plan: EnginePlan, project: Project, observed: Observed): readonly string[] {
  const made = plan.nodes.flatMap(({ operation }) => (operation.kind === 'create-container' ? operation.service : []))
  return [...new Set(made)].sort().filter(name => {
    const service = project.services[name]
    if (!service?.mounts.some(mount => mount.kind === 'volume' && mount.source !== undefined)) return false
    const image = observed.images.get(imageName(project, service) ?? '')?.id
    return observed.containers.some(
      container => container.service === name && !container.oneOff && container.imageId !== image,
    )
  })
}
