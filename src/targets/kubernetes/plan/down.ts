/** What `down` removes: all objects of a stack, those with pods first and the parent of all last; claims only when it is said. */
import { Failure } from '../../../lib/failure.ts'
import type { NodeId } from '../../../plan/operation.ts'
import { given } from '../../members.ts'
import { ClusterPlan } from '../cluster-plan.ts'
import { applySetId, labels, selectorOf, serviceOf } from '../labels.ts'
import type { Live } from '../live.ts'
import { isWorkload } from '../manifest.ts'
import { objectName } from '../names.ts'
import type { ObservedCluster } from '../observed.ts'
import { isParent } from './unused.ts'

/** @throws Failure not-found for a service that is not there */
export function planDown(
  name: string,
  { objects, home, pods }: ObservedCluster,
  { services, volumes = false }: { readonly services?: readonly string[] | undefined; readonly volumes?: boolean },
): ClusterPlan {
  const plan = new ClusterPlan()
  const all = [...objects.values()].filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  const known = new Set(all.flatMap(live => serviceOf(live) ?? []))
  for (const service of services ?? [])
    if (!known.has(service)) throw new Failure('not-found', `no such service: ${service}`)
  const wanted = services && new Set(services)
  const id = applySetId(home)
  const chosen = all.filter(live => {
    const service = serviceOf(live)
    if (isParent(live, id)) return false
    if (wanted) return service !== undefined && wanted.has(service) && live.kind !== 'PersistentVolumeClaim'
    return live.kind !== 'PersistentVolumeClaim' || volumes
  })
  const remove = (live: Live, after: readonly NodeId[]) =>
    plan.add(
      {
        kind: 'delete-object',
        object: live.kind,
        cause: 'down',
        ...given({
          name: live.metadata.name,
          uid: live.metadata.uid,
          service: isWorkload(live.kind) ? serviceOf(live) : undefined,
        }),
      },
      after,
    )
  const ends = chosen.filter(({ kind }) => isWorkload(kind)).map(live => remove(live, []))
  const waits: NodeId[] = []
  if (ends.length > 0 || pods.length > 0) {
    const cause = 'their pods use what is removed'
    const one = services?.length === 1 ? services[0] : undefined
    const selector = one === undefined ? { [labels.stack]: objectName(name) } : selectorOf(name, one)
    // of several services by name, each one's own pods
    const sets = wanted && one === undefined ? [...wanted].map(each => selectorOf(name, each)) : [selector]
    for (const set of sets) waits.push(plan.add({ kind: 'wait-gone', cause, name, labels: set }, ends))
  }
  const rest = chosen.filter(({ kind }) => !isWorkload(kind)).map(live => remove(live, waits))
  if (!wanted) for (const live of all) if (isParent(live, id)) remove(live, [...waits, ...rest])
  return plan
}
