/** Objects over REST: where they are, and what is done to them. */
import { createInterface } from 'node:readline'
import { fieldManager } from '../labels.ts'
import type { Live } from '../live.ts'
import { type Kind, kinds, type Manifest } from '../manifest.ts'
import type { Answer, Cluster } from './cluster.ts'

/** Where those of a kind are, or what else belongs to a namespace: "pods". */
export function pathOf(kind: Kind | 'Pod' | 'Event', namespace: string, name?: string): string {
  const { group, version, plural } =
    kind === 'Pod' || kind === 'Event' ? { group: '', version: 'v1', plural: `${kind.toLowerCase()}s` } : kinds[kind]
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const end = name === undefined ? '' : `/${encodeURIComponent(name)}`
  return `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}${end}`
}

const heads = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'

export interface List<T> {
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string }
  readonly items: readonly T[]
}

interface Selected {
  readonly namespace: string
  /** Undefined: all. */
  readonly labelSelector: string | undefined
  /** Nothing but what they are called, who has them, and who has written what of them. */
  readonly isHead?: boolean
  readonly signal?: AbortSignal | undefined
}

/** In one call. */
export async function listOf<T>(
  cluster: Cluster,
  kind: Kind | 'Pod',
  { namespace, labelSelector, isHead = false, signal }: Selected,
): Promise<List<T>> {
  const accept = isHead ? `${heads},application/json;q=0.1` : undefined
  const request = { query: { labelSelector }, accept, signal }
  const { body } = await cluster.call<Partial<List<T>>>('GET', pathOf(kind, namespace), request)
  // of heads an empty list is null
  return { metadata: body.metadata ?? {}, items: body.items ?? [] }
}

export interface ApplyOptions {
  /** Nothing is kept. */
  readonly dryRun?: boolean
  /** What others have said is taken over. */
  readonly force: boolean
  readonly signal?: AbortSignal | undefined
}

/** By server-side apply: the fields that are said become ours, and those that we have said before and do not say now go. */
export function applyObject(
  cluster: Cluster,
  manifest: Manifest,
  { dryRun = false, force, signal }: ApplyOptions,
): Promise<Answer<Live>> {
  const { kind, metadata } = manifest
  return cluster.call<Live>('PATCH', pathOf(kind, metadata.namespace, metadata.name), {
    query: { fieldManager, force, fieldValidation: 'Warn', dryRun: dryRun ? 'All' : undefined },
    body: manifest,
    contentType: 'application/apply-patch+yaml',
    signal,
  })
}

/** With all that it has made. `uid`: no other one of the name. */
export async function deleteObject(
  cluster: Cluster,
  {
    kind,
    namespace,
    name,
    uid,
  }: { readonly kind: Kind; readonly namespace: string; readonly name: string; readonly uid: string | undefined },
): Promise<void> {
  await cluster.call('DELETE', pathOf(kind, namespace, name), {
    body: {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: 'Background',
      ...(uid === undefined ? {} : { preconditions: { uid } }),
    },
  })
}

export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: T
}

export interface WatchOptions {
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** Undefined: those that are there come first. */
  readonly resourceVersion?: string | undefined
  readonly signal: AbortSignal
}

/** Until the signal, or until the server ends it. */
export async function* watchObjects<T>(
  cluster: Cluster,
  path: string,
  { signal, ...query }: WatchOptions,
): AsyncGenerator<WatchEvent<T>> {
  const response = await cluster.stream(path, { query: { ...query, watch: true }, signal })
  try {
    for await (const line of createInterface({ input: response }))
      if (line !== '') yield JSON.parse(line) as WatchEvent<T>
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    response.destroy()
  }
}
