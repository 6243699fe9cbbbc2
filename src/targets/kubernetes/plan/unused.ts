/** What of a stack is there and wanted no more: services that the file has not, and objects that nothing uses (ApplySet, KEP-3659). */
import { list } from '../../../lib/text.ts'
import type { Project } from '../../../model/project.ts'
import type { NodeId } from '../../../plan/operation.ts'
import { given } from '../../members.ts'
import type { Wish } from '../../target.ts'
import type { ClusterPlan } from '../cluster-plan.ts'
import { applySetId, labels, serviceOf } from '../labels.ts'
import type { Live } from '../live.ts'
import { isWorkload } from '../manifest.ts'
import type { Asked, ObservedCluster } from '../observed.ts'

interface Given {
  readonly project: Project
  readonly observed: ObservedCluster
  readonly wish: Wish
}

/** Removes what belongs to services that the stack no longer has, or tells of them; those services. */
export function planOrphans(plan: ClusterPlan, { project, observed, wish }: Given): ReadonlySet<string> {
  const isKnown = (service: string) =>
    project.services[service] !== undefined || project.disabledServices[service] !== undefined
  const orphans = [...observed.objects.values()].flatMap(live => {
    const service = isWorkload(live.kind) ? serviceOf(live) : undefined
    return service === undefined || isKnown(service) ? [] : [service]
  })
  const names = [...new Set(orphans)].sort()
  if (names.length === 0 || wish.removeOrphans) return new Set(names)
  if (!wish.quietOrphans)
    plan.warn(`${list(names)} ${names.length === 1 ? 'is' : 'are'} not in the stack: --remove-orphans removes`)
  return new Set()
}

interface Unused {
  readonly project: Project
  readonly observed: ObservedCluster
  readonly asked: Asked
  /** Services whose objects go. */
  readonly orphans: ReadonlySet<string>
  readonly after: readonly NodeId[]
}

/** Claims stay: they hold data. */
export function planUnused(plan: ClusterPlan, { project, observed, asked, orphans, after }: Unused): void {
  const planned = new Set(
    plan.nodes.flatMap(({ operation }) =>
      operation.kind === 'delete-object' ? [`${operation.object} ${operation.name}`] : [],
    ),
  )
  for (const [key, live] of observed.objects) {
    const { kind, metadata } = live
    if (asked.belongs.has(key) || planned.has(key) || kind === 'PersistentVolumeClaim') continue
    if (
      metadata.labels?.[labels.applySetPart] !== applySetId(observed.home) ||
      metadata.deletionTimestamp !== undefined
    )
      continue
    const service = serviceOf(live)
    const isOrphan = service !== undefined && orphans.has(service)
    if (service !== undefined && !isOrphan && project.services[service] === undefined) continue
    const cause = isOrphan ? 'the stack has no such service' : 'nothing uses it any more'
    plan.add(
      {
        kind: 'delete-object',
        object: kind,
        cause,
        ...given({ name: metadata.name, uid: metadata.uid, service: isWorkload(kind) ? service : undefined }),
      },
      after,
    )
  }
}

/** Whose parent an object is: of ApplySets there is one a stack. */
export function isParent(live: Live, id: string): boolean {
  return live.kind === 'ConfigMap' && live.metadata.labels?.[labels.applySetId] === id
}
