/** Whose a project's containers are: the folder and the files that they were made from, which two checkouts do not share. */

import type { Project } from '../../../model/project.ts'
import { labels } from '../labels.ts'
import type { Observed, ObservedContainer } from '../observed.ts'

/** Absolute; as they were in merge order. Empty for a container that does not say. */
export function filesOfContainer({ labels: own }: Pick<ObservedContainer, 'labels'>): readonly string[] {
  return (own[labels.files] ?? '').split(',').filter(file => file !== '')
}

/**
 * Tells containers of the project's name that another stack's files have made, which are still there: nobody's orphans. Files that
 * share a file or a service with the project's are its own, in another form: there what the project lacks is left over.
 */
export function otherFilesTest(project: Project, { containers }: Observed): (container: ObservedContainer) => boolean {
  const own = new Set(
    containers.flatMap(({ service, labels: of }) =>
      Object.hasOwn(project.services, service) || Object.hasOwn(project.disabledServices, service)
        ? (of[labels.files] ?? '')
        : [],
    ),
  )
  return container => {
    const files = filesOfContainer(container)
    if (files.length === 0 || container.filesGone || own.has(files.join(','))) return false
    return !files.some(file => project.files.includes(file))
  }
}

export interface OwnerInput {
  readonly project: Project
  readonly observed: Observed
  /** The folder that the project was last taken over by; undefined when nobody has. */
  readonly adopted: string | undefined
  /** Whether two paths are one folder. */
  readonly same: (a: string, b: string) => boolean
}

/**
 * The folder that a project's services belong to, when it is not the one asked for. A service that only another folder's stack
 * has is none of its business: so two stacks may share a project's name on purpose.
 */
export function otherOwner({ project, observed, adopted, same }: OwnerInput): string | undefined {
  const folders = observed.containers.flatMap(({ service, oneOff, labels: own }) => {
    const isOurs = Object.hasOwn(project.services, service) || Object.hasOwn(project.disabledServices, service)
    const folder = own[labels.directory]
    return isOurs && !oneOff && folder ? [folder] : []
  })
  if (folders.length === 0) return undefined
  if (adopted !== undefined) return same(adopted, project.directory) ? undefined : adopted
  return folders.some(folder => same(folder, project.directory)) ? undefined : folders[0]
}
