/** What `pull` fetches, by Docker Compose's rules: what each service's pull_policy says, where it is not said on the command line. */
import type { Project } from '../../../model/project.ts'
import type { PullPolicy, Service } from '../../../model/service.ts'
import { EnginePlan } from '../engine-plan.ts'
import type { Observed } from '../observed.ts'
import { withLock } from './images.ts'
import { initImages } from './inits.ts'

export interface AskedPulls {
  readonly plan: EnginePlan
  /** By name of the image: the services that can be built instead, where it is not to be had. */
  readonly buildable: ReadonlyMap<string, readonly string[]>
  readonly skipped: readonly { readonly service: string; readonly why: string }[]
}

export interface AskedPull {
  readonly services: readonly string[]
  /** Instead of each service's pull_policy. */
  readonly policy: 'always' | 'missing' | undefined
}

export function planAskedPulls(project: Project, observed: Observed, { services, policy }: AskedPull): AskedPulls {
  const users = new Map<string, Service[]>()
  const buildable = new Map<string, string[]>()
  const skipped: { service: string; why: string }[] = []
  const ask = (service: Service, name: string): void => {
    const before = users.get(name)
    const why = before
      ? `Image is already being pulled by ${before[0]!.name}`
      : whySkipped(name, observed, policy === undefined ? service.pullPolicy : { kind: policy, said: true })
    if (before) before.push(service)
    else if (why === undefined) users.set(name, [service])
    if (why !== undefined) skipped.push({ service: service.name, why })
    else if (service.build && name === service.image) buildable.set(name, [service.name])
  }
  for (const service of services.toSorted().map(name => project.services[name]!)) {
    if (service.image === undefined) skipped.push({ service: service.name, why: 'No image to be pulled' })
    else ask(service, service.image)
    for (const name of new Set(initImages(service))) if (name !== service.image) ask(service, name)
  }
  const plan = new EnginePlan()
  for (const [name, all] of [...users].sort(([a], [b]) => (a < b ? -1 : 1)))
    plan.add({
      kind: 'pull-image',
      cause: withLock(project, all, 'asked for'),
      name,
      platform: all[0]!.platform,
      services: all.map(service => service.name),
    })
  return { plan, buildable, skipped }
}

function whySkipped(name: string, { images }: Observed, policy: PullPolicy | { kind: 'always'; said: true }) {
  if (policy.kind === 'never' || policy.kind === 'build') return `pull_policy is ${policy.kind}`
  // "latest" names another image every now and then
  const stays = policy.kind === 'missing' && policy.said && images.has(name) && !isLatest(name)
  return stays ? 'Image is already present locally' : undefined
}

function isLatest(name: string): boolean {
  const last = name.slice(name.lastIndexOf('/') + 1)
  return !last.includes('@') && (!last.includes(':') || last.endsWith(':latest'))
}
