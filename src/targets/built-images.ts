/** Images that a stack builds, as the nodes of a swarm or cluster pull them: by the name that a registry has them under. */
import type { Project } from '../model/project.ts'
import type { Service } from '../model/service.ts'

/** Every service with `build` is called by the image that is pushed; one that nobody could pull has none. */
export function withRegistry(project: Project): Project {
  const services: Record<string, Service> = Object.create(null)
  for (const [key, service] of Object.entries(project.services))
    services[key] = service.build ? { ...service, image: pushedName(project, service) } : service
  return { ...project, services }
}

/** What names a registry stays; `x-registry` is before all others; a name alone is one of Docker's registry. */
function pushedName({ name, separator, registry }: Project, service: Service): string | undefined {
  const { image } = service
  if (registry === undefined || (image !== undefined && namesRegistry(image))) return image
  return `${registry}/${image ?? `${name}${separator}${service.name}`}`
}

/** Its first part has a dot or a port, or is localhost. */
function namesRegistry(image: string): boolean {
  const [first = '', ...rest] = image.split('/')
  return rest.length > 0 && (/[.:]/.test(first) || first === 'localhost')
}

/** With the digest of what is there. */
export function pinned(image: string, digest: string): string {
  return `${image}@${digest}`
}

/** The digest of `image` in a reference to it: "web@sha256:…". */
export function digestIn(reference: string | undefined, image: string): string | undefined {
  return reference?.startsWith(`${image}@`) ? reference.slice(image.length + 1) : undefined
}
