/** The images a project needs: present, to be pulled, or not to be had. */
import type { Project } from '../model/project.ts'
import type { Service } from '../model/service.ts'
import { imageName } from './names.ts'
import type { Observed } from './observed.ts'
import type { NodeId, Ref } from './operation.ts'
import { Plan } from './plan.ts'

/** References of the images of all services, sorted, for `observe`. */
export function imagesOf(project: Project): readonly string[] {
  const names = Object.values(project.services).flatMap(service => imageName(project, service) ?? [])
  return [...new Set(names)].sort()
}

export type PullWhen = 'always' | 'missing' | 'never'

export interface PullOptions {
  /** Undefined: all. */
  readonly services?: readonly string[] | undefined
  /** Instead of each service's pull_policy. */
  readonly when?: PullWhen | undefined
  /** Images that are not here too, unless they are not to be pulled. */
  readonly missing?: boolean | undefined
}

/**
 * Pulls that are due although the image is here: pull_policy always, daily and the like, `pull` itself. To be applied before
 * observing for `reconcile`, since what was pulled decides what is recreated. Missing images are left to `reconcile` unless `when` is given.
 */
export function planPull(project: Project, observed: Observed, options: PullOptions = {}): Plan {
  const plan = new Plan()
  const users = new Map<string, Service[]>()
  for (const service of Object.values(project.services)) {
    const name = imageName(project, service)
    if (name === undefined || (options.services && !options.services.includes(service.name))) continue
    // what a build makes is in no registry, unless it was given a name of its own
    if (service.image === undefined) continue
    users.set(name, [...(users.get(name) ?? []), service])
  }
  for (const [name, services] of [...users].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const cause = services.map(service => due(service, name, observed, options)).find(word => word !== undefined)
    if (cause === undefined) continue
    plan.add({
      kind: 'pull-image',
      cause,
      name,
      platform: services[0]!.platform,
      services: services.map(service => service.name).sort(),
    })
  }
  return plan
}

function due(service: Service, name: string, observed: Observed, { when, missing }: PullOptions): string | undefined {
  const image = observed.images.get(name)
  if (when === 'always') return service.build ? undefined : 'asked for'
  if (when === 'missing') return image || service.build ? undefined : 'not present'
  const policy = service.pullPolicy
  if (when === 'never' || service.build) return undefined
  if (!image) return missing && policy.kind !== 'never' ? 'not present' : undefined
  if (policy.kind === 'always') return 'pull_policy is always'
  if (policy.kind !== 'interval') return undefined
  const age = image.taggedAt === undefined ? Number.POSITIVE_INFINITY : observed.now - image.taggedAt
  return age * 1e6 >= policy.interval ? 'older than pull_policy allows' : undefined
}

/** Plans the missing images of the services that get a new container; the id of each image, or the pull that will tell it. */
export function planImages(
  plan: Plan,
  { project, observed, services, pull }: ImagesInput,
): ReadonlyMap<string, { readonly ref: Ref; readonly node: NodeId | undefined }> {
  const images = new Map<string, { ref: Ref; node: NodeId | undefined }>()
  const missing = new Map<string, Service[]>()
  for (const service of services) {
    const name = imageName(project, service)
    if (name === undefined) continue
    const image = observed.images.get(name)
    if (image) images.set(name, { ref: image.id, node: undefined })
    else missing.set(name, [...(missing.get(name) ?? []), service])
  }
  for (const [name, users] of [...missing].sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const service of users)
      if (service.build)
        plan.refuse(project, ['services', service.name, 'build'], {
          code: 'not-built',
          message: `Cannot build the image of service "${service.name}": building is not supported yet, and no image "${name}" is here`,
          hint: `Build it elsewhere and import it as "${name}"`,
        })
    // the engine says at creation that it is missing, as with Docker Compose
    if (users.every(service => (pull ?? service.pullPolicy.kind) === 'never')) continue
    const node = plan.add({
      kind: 'pull-image',
      cause: 'not present',
      name,
      platform: users[0]!.platform,
      services: users.map(service => service.name).sort(),
    })
    images.set(name, { ref: { node }, node })
  }
  return images
}

export interface ImagesInput {
  readonly project: Project
  readonly observed: Observed
  readonly services: readonly Service[]
  readonly pull: PullWhen | undefined
}
