/** Images that pull_policy wants asked for again after a while (daily, weekly, every_…), for whoever stays long enough. Pure. */
import type { Project } from '../../../model/project.ts'
import type { Service } from '../../../model/service.ts'
import { EnginePlan } from '../engine-plan.ts'
import type { Observed } from '../observed.ts'
import { initImages } from './inits.ts'

export interface RefreshInput {
  readonly project: Project
  readonly observed: Pick<Observed, 'images' | 'now'>
  /** Undefined: all. */
  readonly services: readonly string[] | undefined
  /** Image → milliseconds since 1970 before which it is not asked for, whatever its age. */
  readonly notBefore: ReadonlyMap<string, number>
}

export interface Refreshing {
  /** Those that are due, each a pull of its own. */
  readonly plans: readonly EnginePlan[]
  /** Image → nanoseconds after which it is old, of those that are here. */
  readonly intervals: ReadonlyMap<string, number>
  /** When the next one is due, in milliseconds since 1970; undefined: never. */
  readonly next: number | undefined
}

/** Nothing of what is not here: whoever needs it pulls it. */
export function refreshing({ project, observed, services, notBefore }: RefreshInput): Refreshing {
  const users = intervalImages(project, services)
  const plans: EnginePlan[] = []
  const intervals = new Map<string, number>()
  let next: number | undefined
  for (const [name, { interval, services }] of [...users].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const image = observed.images.get(name)
    if (!image) continue
    intervals.set(name, interval)
    const due = Math.max((image.taggedAt ?? 0) + interval / 1e6, notBefore.get(name) ?? 0)
    if (due > observed.now) {
      next = Math.min(next ?? Number.POSITIVE_INFINITY, due)
      continue
    }
    const plan = new EnginePlan()
    plan.add({
      kind: 'pull-image',
      cause: 'older than pull_policy allows',
      name,
      platform: services[0]!.platform,
      services: services.map(service => service.name).sort(),
    })
    plans.push(plan)
  }
  return { plans, intervals, next }
}

/** Image → the shortest interval that is asked for, and by whom. What is built comes from nowhere else. */
export function intervalImages(
  project: Project,
  services: readonly string[] | undefined,
): ReadonlyMap<string, { readonly interval: number; readonly services: readonly Service[] }> {
  const built = new Set(Object.values(project.services).flatMap(({ build, image }) => (build && image ? [image] : [])))
  const found = new Map<string, { interval: number; services: readonly Service[] }>()
  for (const service of Object.values(project.services)) {
    const { name, pullPolicy, image } = service
    if (pullPolicy.kind !== 'interval' || (services && !services.includes(name))) continue
    for (const each of new Set([...(image === undefined ? [] : [image]), ...initImages(service)])) {
      if (built.has(each)) continue
      const before = found.get(each)
      const interval = Math.min(before?.interval ?? Number.POSITIVE_INFINITY, pullPolicy.interval)
      found.set(each, { interval, services: [...(before?.services ?? []), service] })
    }
  }
  return found
}
