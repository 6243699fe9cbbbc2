/** The operations of a plan as calls of an API server. */
import type { PerformContext, Performed, Performer } from '../../../apply/performer.ts'
import { Failure, isFailure } from '../../../lib/failure.ts'
import { annotations, labels, selectorOf } from '../labels.ts'
import type { Live } from '../live.ts'
import { isWorkload, type Kind, keyOf, type Manifest } from '../manifest.ts'
import { objectName } from '../names.ts'
import type { ObservedCluster } from '../observed.ts'
import type { ClusterOperation } from '../operation.ts'
import type { Cluster } from '../rest/cluster.ts'
import { applyObject, deleteObject, pathOf, watchObjects } from '../rest/objects.ts'
import { stateOf } from '../workload-state.ts'
import { Watched } from './watched.ts'

/** Who marks what is to be restarted: what is applied says nothing of it. */
const restarter = 'tscompose-restart'

/** `seen`: what the plan was made of. */
export function clusterPerformer(cluster: Cluster, seen?: ObservedCluster): Performer<ClusterOperation> {
  const watches = new Map<string, Watched>()
  const written = new Map<string, number>()
  const watched = (stack: string) => {
    const known =
      watches.get(stack) ??
      new Watched(cluster, `${labels.stack}=${stack}`, isOf(seen, stack) ? seen?.listed : undefined)
    watches.set(stack, known)
    return known
  }
  return {
    perform: (operation, context) => perform(operation, { ...context, cluster, watched, written }),
    end: async () => {
      await Promise.all([...watches.values()].map(each => each.close()))
    },
  }
}

/** `stack`: the name that its objects' label has. */
function isOf(seen: ObservedCluster | undefined, stack: string): boolean {
  return seen !== undefined && objectName(seen.home.project) === stack
}

interface Context extends PerformContext {
  readonly cluster: Cluster
  readonly watched: (stack: string) => Watched
  /** Generation of each object as it was last written. */
  readonly written: Map<string, number>
}

async function perform(operation: ClusterOperation, context: Context): Promise<Performed | undefined> {
  const { cluster } = context
  const { namespace } = cluster.access
  switch (operation.kind) {
    case 'create-object':
      return await apply(operation.manifest, false, context)
    case 'update-object':
      return await apply(operation.manifest, true, context)
    case 'restart-object':
      return await restart(operation.manifest, operation.mark, context)
    case 'replace-object': {
      const { kind, metadata } = operation.manifest
      await remove(context, { kind, name: metadata.name, uid: operation.uid })
      await untilGone(context, kind, metadata.name)
      return await apply(operation.manifest, true, context)
    }
    case 'delete-object':
      await remove(context, { kind: operation.object, name: operation.name, uid: operation.uid })
      return undefined
    case 'wait-workload':
      return await waitFor(operation, context)
    case 'wait-gone': {
      const watched = context.watched(operation.labels[labels.stack] ?? '')
      const look = () => (watched.podsBy(operation.labels).length === 0 ? true : undefined)
      await watched.until(['Pod'], look, context.signal)
      return undefined
    }
    default:
      throw new Failure(
        'internal',
        `There is no operation ${(operation satisfies never as { kind: string }).kind} in ${namespace}`,
      )
  }
}

async function apply(manifest: Manifest, force: boolean, context: Context): Promise<Performed> {
  const { cluster, onWarning } = context
  const { body, warnings } = await applyObject(cluster, manifest, { force })
  for (const warning of warnings) onWarning(warning)
  return wrote(manifest, body, context)
}

function wrote(manifest: Manifest, { metadata }: Live, { written }: Context): Performed {
  written.set(keyOf(manifest), metadata.generation ?? 0)
  return metadata.uid === undefined ? {} : { id: metadata.uid }
}

async function restart(manifest: Manifest, mark: string, context: Context): Promise<Performed> {
  const { cluster } = context
  const { kind, metadata } = manifest
  const template = { metadata: { annotations: { [annotations.restarted]: mark } } }
  const { body } = await cluster.call<Live>('PATCH', pathOf(kind, metadata.namespace, metadata.name), {
    query: { fieldManager: restarter },
    body: { spec: { template } },
    contentType: 'application/merge-patch+json',
  })
  return wrote(manifest, body, context)
}

interface Removed {
  readonly kind: Kind
  readonly name: string
  readonly uid: string | undefined
}

/** Whoever removed it first did what was wanted. */
async function remove({ cluster }: Context, { kind, name, uid }: Removed): Promise<void> {
  try {
    await deleteObject(cluster, { kind, name, uid, namespace: cluster.access.namespace })
  } catch (error) {
    if (!isFailure(error, 'not-found')) throw error
  }
}

/** What is being removed keeps its name until all that it holds is gone. */
async function untilGone({ cluster, signal }: Context, kind: Kind, name: string): Promise<void> {
  const { namespace } = cluster.access
  let resourceVersion: string | undefined
  for (;;) {
    try {
      const { body } = await cluster.call<Live>('GET', pathOf(kind, namespace, name), { signal })
      resourceVersion = body.metadata.resourceVersion
    } catch (error) {
      if (isFailure(error, 'not-found')) return
      throw error
    }
    const fieldSelector = `metadata.name=${name}`
    for await (const { type } of watchObjects<Live>(cluster, pathOf(kind, namespace), {
      fieldSelector,
      resourceVersion,
      signal,
    }))
      if (type === 'DELETED' || type === 'ERROR') break
    signal.throwIfAborted()
  }
}

type Wait = Extract<ClusterOperation, { readonly kind: 'wait-workload' }>

/** @throws Failure when its pods do not start, or its update does not go on */
async function waitFor(
  operation: Wait,
  { cluster, watched, written, signal, onProgress, onWarning }: Context,
): Promise<Performed> {
  const { object, name, service, condition, version, required } = operation
  const { namespace } = cluster.access
  const stack = watched(operation.stack)
  const selector = { [labels.stack]: operation.stack, ...(version === undefined ? {} : { [labels.version]: version }) }
  const own = { ...selectorOf(operation.stack, service), ...selector }
  let said = ''
  const look = () => {
    const live = stack.object(object, name)
    // the watch may not have seen what was just written
    if (!live || (live.metadata.generation ?? 0) < (written.get(`${object} ${name}`) ?? 0)) return undefined
    const state = stateOf(live, stack.podsBy(own), condition)
    if (state.kind !== 'waiting') return state
    const text = `${state.are} of ${state.wanted}${state.why === undefined ? '' : `: ${state.why}`}`
    if (text !== said) onProgress(text)
    said = text
    return undefined
  }
  const kinds = isWorkload(object) ? ([object, 'Pod'] as const) : (['Pod'] as const)
  const state = await stack.until(kinds, look, signal)
  if (state.kind === 'done') return { outcome: condition === 'completed' ? 'exited' : 'running' }
  if (state.kind === 'failed' && required)
    throw new Failure('conflict', `service ${service} ${state.why}`, {
      hint: `See what its pods say: tscompose ps, tscompose logs ${service} (namespace ${namespace})`,
    })
  if (state.kind === 'failed') onWarning(`optional dependency "${service}" failed to start: ${state.why}`)
  return { outcome: 'unready' }
}
