/** What of a stack is there and wanted no more: services that the file has not, and objects that nothing uses (ApplySet, KEP-3659). */
import { list } from '../../../lib/text.ts'
import type { Project } from '../../../model/project.ts'
import type { NodeId } from '../../../plan/operation.ts'
import { given } from '../../members.ts'
import type { Wish } from '../../target.ts'
import type { ClusterPlan } from '../cluster-plan.ts'
import { applySetId, labels, serviceOf } from '../labels.ts'
import type { Live } from '../live.ts'
import { isWorkload, type JsonMap } from '../manifest.ts'
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

/** Claims stay, and are told of: they hold data. */
export function planUnused(plan: ClusterPlan, { project, observed, asked, orphans, after }: Unused): void {
  const going = new Set(
    plan.nodes.flatMap(({ operation }) =>
      operation.kind === 'delete-object' ? [`${operation.object} ${operation.name}`] : [],
    ),
  )
  const isGone = (service: string | undefined) => service !== undefined && orphans.has(service)
  // what a service of another profile, or one that the stack has no more, still has mounted
  const kept = [...observed.objects].flatMap(([key, live]) =>
    isWorkload(live.kind) && !asked.belongs.has(key) && !going.has(key) && !isGone(serviceOf(live))
      ? referencesOf(live)
      : [],
  )
  const needed = new Set([...asked.belongs, ...going, ...kept])
  for (const [key, live] of observed.objects) {
    const { kind, metadata } = live
    if (needed.has(key) || metadata.labels?.[labels.applySetPart] !== applySetId(observed.home)) continue
    if (metadata.deletionTimestamp !== undefined) continue
    if (kind === 'PersistentVolumeClaim') {
      plan.warn(`claim "${metadata.name}" is used by nothing any more, and stays with its data: down -v removes it`)
      continue
    }
    const service = serviceOf(live)
    if (service !== undefined && !isGone(service) && project.services[service] === undefined) continue
    const cause = isGone(service) ? 'the stack has no such service' : 'nothing uses it any more'
    const of = given({ name: metadata.name, uid: metadata.uid, service: isWorkload(kind) ? service : undefined })
    plan.add({ kind: 'delete-object', object: kind, cause, ...of }, after)
  }
}

/** Keys of the objects that the pods of a workload are made with. */
function referencesOf({ spec }: Live): readonly string[] {
  const template = (spec?.['template'] ?? (spec?.['jobTemplate'] as JsonMap | undefined)?.['spec']) as
    | JsonMap
    | undefined
  const pod = (template?.['template'] ?? template) as Template | undefined
  const volumes = (pod?.spec?.volumes ?? []).flatMap(({ configMap, secret, persistentVolumeClaim }) => [
    ...(configMap ? [`ConfigMap ${configMap.name}`] : []),
    ...(secret ? [`Secret ${secret.secretName}`] : []),
    ...(persistentVolumeClaim ? [`PersistentVolumeClaim ${persistentVolumeClaim.claimName}`] : []),
  ])
  const networks = Object.keys(pod?.metadata?.labels ?? {}).flatMap(label =>
    label.startsWith(labels.network) ? [`NetworkPolicy ${label.slice(labels.network.length)}`] : [],
  )
  return [...volumes, ...networks]
}

interface Template {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> }
  readonly spec?: {
    readonly volumes?: readonly {
      readonly configMap?: { readonly name: string }
      readonly secret?: { readonly secretName: string }
      readonly persistentVolumeClaim?: { readonly claimName: string }
    }[]
  }
}

/** Whose parent an object is: of ApplySets there is one a stack. */
export function isParent(live: Live, id: string): boolean {
  return live.kind === 'ConfigMap' && live.metadata.labels?.[labels.applySetId] === id
}
