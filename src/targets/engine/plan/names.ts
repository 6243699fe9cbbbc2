/** The names of what a project is made of, as Docker Compose gives them. */
import type { Project } from '../../../model/project.ts'
import type { Service } from '../../../model/service.ts'

type Named = Pick<Project, 'name' | 'separator'>

/** `shop-web-1`, or the service's container_name. */
export function containerName(project: Named, service: Service, number: number): string {
  return service.containerName ?? [project.name, service.name, number].join(project.separator)
}

/** `shop-web-run-0123456789ab`. */
export function oneOffName(project: Named, service: string, slug: string): string {
  return [project.name, service, 'run', slug.slice(0, 12)].join(project.separator)
}

/** `shop-web-pre_start-0`, and `shop-web-2-pre_start-0` where it is the second replica's own. */
export function initName(
  project: Named,
  service: string,
  { number, index }: { readonly number?: number; readonly index: number },
): string {
  return [project.name, service, ...(number === undefined ? [] : [number]), 'pre_start', index].join(project.separator)
}

/** What a container is called until the one it replaces is gone. */
export function temporaryName(oldId: string, name: string): string {
  return `${oldId.slice(0, 12)}_${name}`
}

/** What a container is called that has been replaced and may be gone back to. */
export function retiredName(id: string, name: string): string {
  return `${temporaryName(id, name)}_before`
}

/** Whether `given` is one of the two for what is to be called `name`. */
export function isPassingName(given: string, name: string): boolean {
  const id = given.slice(0, 12)
  return given === temporaryName(id, name) || given === retiredName(id, name)
}

/** What the container of this name is called in the end, or was before it was replaced. */
export function lastingName(given: string): string {
  return /^[\da-f]{12}_(.+?)(?:_before)?$/.exec(given)?.[1] ?? given
}

/** The reference of a service's image: as written, or that of the image its build makes. */
export function imageName(project: Named, service: Service): string | undefined {
  return service.image ?? (service.build ? [project.name, service.name].join(project.separator) : undefined)
}
