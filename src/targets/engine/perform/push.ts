/** Sends an image to its registry; progress over all its layers as one number. */
import { imageEndpoints } from '../../../api/images.ts'
import { Failure } from '../../../lib/failure.ts'
import { type PullContext, splitReference } from './pull.ts'

export type PushContext = PullContext

/** Resolves with the digest that the registry has it under. @throws Failure of the line that says so. */
export async function push(name: string, context: PushContext): Promise<string> {
  const { client, signal, onProgress } = context
  const registryAuth = await context.registryAuth?.(name)
  const { fromImage, tag } = splitReference(name)
  const input = { params: { name: fromImage }, query: { tag }, headers: { registryAuth } }
  const layers = new Map<string, { readonly current: number; readonly total: number }>()
  let digest = ''
  for await (const line of await client.stream(imageEndpoints.imagePush, input, { signal })) {
    if (line.error !== undefined) throw new Failure('unavailable', line.errorDetail?.message ?? line.error)
    const { id, status = '', progressDetail, aux } = line
    if (typeof aux?.['Digest'] === 'string') digest = aux['Digest']
    if (id !== undefined && progressDetail?.total)
      layers.set(id, { current: progressDetail.current ?? 0, total: progressDetail.total })
    else if (id !== undefined && status === 'Pushed') {
      const { total = 0 } = layers.get(id) ?? {}
      layers.set(id, { current: total, total })
    }
    const all = [...layers.values()]
    const sum = (of: 'current' | 'total') => all.reduce((total, layer) => total + layer[of], 0)
    if (status !== '') onProgress(status, sum('current'), sum('total'))
  }
  return digest
}
