/** What happens to the objects and pods of a stack, as the cluster tells it. */
import type { EventOptions, TargetEvent } from '../target.ts'
import { labels, serviceOf } from './labels.ts'
import type { Live } from './live.ts'
import { isWorkload, kindNames } from './manifest.ts'
import { objectName } from './names.ts'
import type { Cluster } from './rest/cluster.ts'
import { type List, listOf, pathOf, watchObjects } from './rest/objects.ts'

interface ClusterEvent {
  readonly metadata: { readonly resourceVersion?: string; readonly creationTimestamp?: string }
  readonly involvedObject: { readonly kind?: string; readonly name?: string; readonly uid?: string }
  readonly reason?: string
  readonly message?: string
  readonly type?: string
  readonly count?: number
  readonly eventTime?: string | null
  readonly lastTimestamp?: string | null
}

/** What happened before is told only with `since`, as far back as the cluster keeps it. */
export async function* readEvents(
  cluster: Cluster,
  project: string,
  options: EventOptions,
): AsyncGenerator<TargetEvent> {
  const { services, since, until, signal } = options
  const { namespace } = cluster.access
  const path = pathOf('Event', namespace)
  const [names, { body }] = await Promise.all([
    workloadNames(cluster, project, signal),
    cluster.call<List<ClusterEvent>>('GET', path, { signal }),
  ])
  const rowIn = (event: ClusterEvent): TargetEvent | undefined => {
    const row = rowOf(event, names)
    return row && (services === undefined || services.includes(row.service)) ? row : undefined
  }
  const isLate = ({ time }: TargetEvent) => until !== undefined && Date.parse(time) > until * 1000
  const before = since === undefined ? [] : body.items.flatMap(event => rowIn(event) ?? [])
  for (const row of before.sort((a, b) => (a.time < b.time ? -1 : 1)))
    if (Date.parse(row.time) >= since! * 1000 && !isLate(row)) yield row
  if (until !== undefined && until * 1000 <= Date.now()) return
  const ends = until === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(until * 1000 - Date.now())])
  let resourceVersion = body.metadata.resourceVersion
  // a server ends a watch now and then
  while (!ends.aborted)
    for await (const { type, object } of watchObjects<ClusterEvent>(cluster, path, { resourceVersion, signal: ends })) {
      if (type === 'ERROR') {
        resourceVersion = undefined
        break
      }
      resourceVersion = object.metadata.resourceVersion ?? resourceVersion
      const row = type === 'DELETED' ? undefined : rowIn(object)
      if (row) yield row
    }
}

/** Names of workloads → the service; pods and what else is made for one begin with its name. */
async function workloadNames(
  cluster: Cluster,
  project: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const { namespace } = cluster.access
  const labelSelector = `${labels.stack}=${objectName(project)}`
  const lists = await Promise.all(
    kindNames.filter(isWorkload).map(kind => listOf<Live>(cluster, kind, { namespace, labelSelector, signal })),
  )
  return new Map(
    lists.flatMap(({ items }) => items).map(live => [live.metadata.name, serviceOf(live) ?? live.metadata.name]),
  )
}

/** Undefined for what is not of the stack. */
export function rowOf(
  {
    involvedObject: { kind = '', name = '', uid = '' },
    reason = '',
    message = '',
    type = '',
    eventTime,
    lastTimestamp,
    metadata,
  }: ClusterEvent,
  names: ReadonlyMap<string, string>,
): TargetEvent | undefined {
  const owner = [...names.keys()]
    .filter(each => name === each || name.startsWith(`${each}-`))
    .sort((a, b) => b.length - a.length)[0]
  if (owner === undefined) return undefined
  const time = lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? ''
  return {
    action: reason,
    attributes: { name, message, level: type.toLowerCase() },
    id: uid,
    service: names.get(owner)!,
    // a moment as the engine tells it, to the nanosecond
    time: `${time.slice(0, 19)}.${(/\.(\d+)/.exec(time)?.[1] ?? '').padEnd(9, '0')}Z`,
    type: kind.toLowerCase(),
  }
}
