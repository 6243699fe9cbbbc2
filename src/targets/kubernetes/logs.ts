/** What the pods of a stack have printed, whichever nodes they are on. */
import { createInterface } from 'node:readline'
import { isFailure } from '../../lib/failure.ts'
import type { LogOptions, TargetLine } from '../target.ts'
import { together } from '../together.ts'
import { labels } from './labels.ts'
import type { LivePod } from './live.ts'
import { objectName } from './names.ts'
import { serviceName } from './parts.ts'
import type { Cluster } from './rest/cluster.ts'
import { listOf, pathOf, watchObjects } from './rest/objects.ts'

/** As it stands in order of time; when it is followed, as it comes, that of pods which come later included. */
export async function* readLogs(cluster: Cluster, project: string, options: LogOptions): AsyncGenerator<TargetLine> {
  const { services, follow, signal } = options
  const { namespace } = cluster.access
  const labelSelector = `${labels.stack}=${objectName(project)}`
  const { items, metadata } = await listOf<LivePod>(cluster, 'Pod', { namespace, labelSelector, signal })
  const isWanted = (pod: LivePod) => services?.includes(serviceName(pod)) ?? true
  const pods = items.filter(pod => isWanted(pod) && hasStarted(pod))
  if (!follow) {
    const lines: TargetLine[] = []
    for await (const line of together(pods.map(pod => linesOf(cluster, pod, options)))) lines.push(line)
    yield* lines.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
    return
  }
  const later = started(cluster, {
    known: new Set(pods.map(({ metadata: { uid } }) => uid)),
    labelSelector,
    resourceVersion: metadata.resourceVersion,
    signal,
  })
  yield* together(
    pods.map(pod => linesOf(cluster, pod, options)),
    (async function* () {
      // what comes later is read from its beginning
      for await (const pod of later) if (isWanted(pod)) yield linesOf(cluster, pod, { ...options, tail: undefined })
    })(),
  )
}

function hasStarted({ status }: LivePod): boolean {
  return (
    status?.containerStatuses?.some(
      ({ state, lastState }) => state?.running ?? state?.terminated ?? lastState?.terminated,
    ) ?? false
  )
}

interface Later {
  readonly known: Set<string | undefined>
  readonly labelSelector: string
  readonly resourceVersion: string | undefined
  readonly signal: AbortSignal
}

/** Pods that begin to run. */
async function* started(cluster: Cluster, { known, ...options }: Later): AsyncGenerator<LivePod> {
  const path = pathOf('Pod', cluster.access.namespace)
  for await (const { type, object } of watchObjects<LivePod>(cluster, path, options)) {
    const { uid } = object.metadata
    if (type === 'ERROR' || type === 'DELETED' || known.has(uid) || !hasStarted(object)) continue
    known.add(uid)
    yield object
  }
}

async function* linesOf(
  cluster: Cluster,
  pod: LivePod,
  { follow, tail, since, signal }: LogOptions,
): AsyncGenerator<TargetLine> {
  const { name, namespace = cluster.access.namespace, labels: own = {} } = pod.metadata
  const container = pod.spec?.containers?.[0]?.name
  const query = {
    container,
    timestamps: true,
    follow,
    tailLines: tail,
    sinceTime: since === undefined ? undefined : new Date(since * 1000).toISOString(),
  }
  const ordinal = own['apps.kubernetes.io/pod-index']
  const of = { service: serviceName(pod), name, number: ordinal === undefined ? undefined : Number(ordinal) + 1 }
  try {
    const response = await cluster.stream(`${pathOf('Pod', namespace, name)}/log`, { query, signal })
    for await (const line of createInterface({ input: response, crlfDelay: Number.POSITIVE_INFINITY })) {
      const [, time = '', text = line] = /^(\S+) (.*)$/s.exec(line) ?? []
      // an API server does not tell the two apart
      yield { ...of, stream: 'stdout', time, text }
    }
  } catch (error) {
    if (signal.aborted) return
    // one that is gone has nothing more to say
    if (!isFailure(error, 'not-found')) throw error
  }
}
