/** The names of what a project is made of, as Docker Compose gives them. */
import type { Project } from '../model/project.ts'
import type { Service } from '../model/service.ts'

/** `shop-web-1`, or the service's container_name. */
export function containerName(project: string, service: Service, number: number): string {
  return service.containerName ?? `${project}-${service.name}-${number}`
}

/** `shop-web-run-0123456789ab`. */
export function oneOffName(project: string, service: string, slug: string): string {
  return `${project}-${service}-run-${slug.slice(0, 12)}`
}

/** What a container is called until the one it replaces is gone. */
export function temporaryName(oldId: string, name: string): string {
  return `${oldId.slice(0, 12)}_${name}`
}

/** The reference of a service's image: as written, or that of the image its build makes. */
export function imageName(project: Project, service: Service): string | undefined {
  return service.image ?? (service.build ? `${project.name}-${service.name}` : undefined)
}
