/** Pulls an image and tells its id; progress over all its layers as one number. */
import { imageEndpoints } from '../../../api/images.ts'
import type { Client } from '../../../client/client.ts'
import { Failure } from '../../../lib/failure.ts'
import type { Operation } from '../operation.ts'

/** The X-Registry-Auth header for a reference; undefined: none. */
export type RegistryAuthSource = (reference: string) => Promise<string | undefined>

export interface PullContext {
  readonly client: Client
  readonly signal: AbortSignal
  readonly registryAuth?: RegistryAuthSource | undefined
  readonly onProgress: (text: string, current?: number, total?: number) => void
}

export async function pull(operation: Operation & { kind: 'pull-image' }, context: PullContext): Promise<string> {
  const { client, signal, onProgress } = context
  const { name, platform } = operation
  const registryAuth = await context.registryAuth?.(name)
  const input = { query: { ...splitReference(name), platform }, headers: { registryAuth } }
  const layers = new Map<string, { readonly current: number; readonly total: number }>()
  for await (const line of await client.stream(imageEndpoints.imageCreate, input, { signal })) {
    if (line.error !== undefined) throw new Failure('unavailable', line.errorDetail?.message ?? line.error)
    const { id, status = '', progressDetail } = line
    if (id !== undefined && progressDetail?.total && /^(Downloading|Extracting)/.test(status)) {
      // a layer counts once for its download: unpacking it is quick
      if (status.startsWith('Downloading'))
        layers.set(id, { current: progressDetail.current ?? 0, total: progressDetail.total })
    } else if (id !== undefined && /^(Download|Pull) complete/.test(status)) {
      const layer = layers.get(id)
      if (layer) layers.set(id, { current: layer.total, total: layer.total })
    }
    let current = 0
    let total = 0
    for (const layer of layers.values()) {
      current += layer.current
      total += layer.total
    }
    if (status !== '') onProgress(status, current, total)
  }
  return (await client.call(imageEndpoints.imageInspect, { params: { name } }, { signal })).Id
}

/** "a/b:1" → fromImage a/b, tag 1; without a tag `latest`, since an engine that is given none pulls them all. */
export function splitReference(reference: string): { readonly fromImage: string; readonly tag: string } {
  const at = reference.indexOf('@')
  const named = at < 0 ? reference : reference.slice(0, at)
  const colon = named.lastIndexOf(':')
  // a colon before a slash is that of a port
  const tagged = colon > named.lastIndexOf('/')
  const fromImage = tagged ? named.slice(0, colon) : named
  if (at >= 0) return { fromImage, tag: reference.slice(at + 1) }
  return { fromImage, tag: tagged ? named.slice(colon + 1) : 'latest' }
}
