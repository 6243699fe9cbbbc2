/** The images a project needs: present, to be pulled or built, or not to be had. */
import type { Project } from '../../../model/project.ts'
import type { Service } from '../../../model/service.ts'
import type { NodeId, Ref } from '../../../plan/operation.ts'
import { EnginePlan } from '../engine-plan.ts'
import type { Observed } from '../observed.ts'
import { addBuilds } from './builds.ts'
import { initImages } from './inits.ts'
import { imageName } from './names.ts'

/** References of the images of all services, sorted, for `observe`. */
export function imagesOf(project: Project): readonly string[] {
  const services = Object.values(project.services)
  const names = services.flatMap(service => [imageName(project, service) ?? [], initImages(service)].flat())
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
  /** What is here is good enough, whatever its pull_policy: nobody asks for a newer one. */
  readonly missingOnly?: boolean | undefined
  /** Of services that are built too: there is no other way to have their images. */
  readonly noBuild?: boolean | undefined
}

/**
 * Pulls that are due although the image is here: pull_policy always, daily and the like, `pull` itself. To be applied before
 * observing for `reconcile`, since what was pulled decides what is recreated. Missing images are left to `reconcile` unless `when` is given.
 */
export function planPull(project: Project, observed: Observed, options: PullOptions = {}): EnginePlan {
  const plan = new EnginePlan()
  const users = new Map<string, Service[]>()
  for (const service of Object.values(project.services)) {
    if (options.services && !options.services.includes(service.name)) continue
    // what a build makes is in no registry, unless it was given a name of its own
    const own = service.image === undefined ? [] : [service.image]
    for (const name of new Set([...own, ...initImages(service)])) users.set(name, [...(users.get(name) ?? []), service])
  }
  for (const [name, services] of [...users].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const built = !options.noBuild && buildersOf(project, name).length > 0
    const cause = services.map(service => due(service, { name, built, observed, ...options })).find(Boolean)
    if (cause === undefined) continue
    plan.add({
      kind: 'pull-image',
      cause: withLock(project, services, cause),
      name,
      platform: services[0]!.platform,
      services: services.map(service => service.name).sort(),
    })
  }
  return plan
}

interface Due extends PullOptions {
  readonly name: string
  readonly built: boolean
  readonly observed: Observed
}

function due(service: Service, { name, built, observed, when, missing, missingOnly }: Due): string | undefined {
  const image = observed.images.get(name)
  if (built) return undefined
  if (when === 'always') return 'asked for'
  if (when === 'missing') return image ? undefined : 'not present'
  const policy = service.pullPolicy
  if (when === 'never') return undefined
  if (!image) return missing && policy.kind !== 'never' ? 'not present' : undefined
  if (missingOnly) return undefined
  if (policy.kind === 'always') return 'pull_policy is always'
  if (policy.kind !== 'interval') return undefined
  const age = image.taggedAt === undefined ? Number.POSITIVE_INFINITY : observed.now - image.taggedAt
  return age * 1e6 >= policy.interval ? 'older than pull_policy allows' : undefined
}

/** The services that make this image, be it for another one. */
function buildersOf(project: Project, name: string): readonly Service[] {
  return Object.values(project.services).filter(service => service.build && imageName(project, service) === name)
}

/** Plans the missing images of the services that get a new container; the id of each image, or the pull or build that will tell it. */
export function planImages(
  plan: EnginePlan,
  { project, observed, services, starting = [], pull, noBuild }: ImagesInput,
): ReadonlyMap<string, { readonly ref: Ref; readonly node: NodeId | undefined }> {
  const images = new Map<string, { ref: Ref; node: NodeId | undefined }>()
  const missing = new Map<string, Service[]>()
  const look = (service: Service, name: string): void => {
    const image = observed.images.get(name)
    if (image) images.set(name, { ref: image.id, node: undefined })
    else missing.set(name, [...(missing.get(name) ?? []), service])
  }
  for (const service of services) {
    const name = imageName(project, service)
    if (name !== undefined) look(service, name)
  }
  for (const service of starting) for (const name of new Set(initImages(service))) look(service, name)
  const due = new Map<string, string>()
  for (const [name, users] of [...missing].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const builders = buildersOf(project, name)
    if (builders.length > 0 && !noBuild) {
      for (const service of builders) due.set(service.name, 'not present')
      continue
    }
    for (const service of builders)
      if (service.image === undefined)
        plan.refuse(project, ['services', service.name, 'build'], {
          code: 'not-built',
          message: `Cannot run service "${service.name}": its image "${name}" is not here, and --no-build says not to build it`,
          hint: 'Leave out --no-build',
        })
    // the engine says at creation that it is missing, as with Docker Compose
    if (users.every(service => (pull ?? service.pullPolicy.kind) === 'never')) continue
    const node = plan.add({
      kind: 'pull-image',
      cause: withLock(project, users, 'not present'),
      name,
      platform: users[0]!.platform,
      services: users.map(service => service.name).sort(),
    })
    images.set(name, { ref: { node }, node })
  }
  for (const [name, node] of addBuilds(plan, { project, due, flags: {}, bases: new Map() }))
    images.set(name, { ref: { node }, node })
  return images
}

/** Says so where a lock, and not the stack file, has named the digest. */
export function withLock({ locked }: Project, users: readonly Service[], cause: string): string {
  return users.some(({ name }) => locked?.has(name)) ? `${cause}, locked by compose.lock` : cause
}

export interface ImagesInput {
  readonly project: Project
  readonly observed: Observed
  /** Those that get a new container. */
  readonly services: readonly Service[]
  /** Those of which containers are started, by their pre_start. */
  readonly starting?: readonly Service[]
  readonly pull: PullWhen | undefined
  readonly noBuild?: boolean | undefined
}
