/** What a command of a build ran on, as an image without a name: of containers that stay behind. */
import { type Digest, digestOf } from '../images/digest.ts'
import { guarded } from '../images/guarded.ts'
import { type Image, imageDocumentSchema } from '../images/image.ts'
import type { Images } from '../images/images.ts'
import { machine } from '../images/platform.ts'
import type { RunStep } from './dockerfile/plan.ts'

export async function imageBelow(
  { store }: Images,
  { env, cwd, user }: Pick<RunStep, 'env' | 'cwd' | 'user'>,
  diffIds: readonly Digest[],
): Promise<Image> {
  const { os, architecture, variant } = machine()
  const data = Buffer.from(
    JSON.stringify({
      architecture,
      ...(variant && { variant }),
      os,
      config: { Env: env, WorkingDir: cwd, User: user },
      rootfs: { type: 'layers', diff_ids: diffIds },
      history: diffIds.map(() => ({ comment: 'of a build' })),
    }),
  )
  const id = digestOf(data)
  return await guarded(store, [id, ...diffIds], async () => {
    await store.blobs.put(data)
    const { size, blobs } = await store.layers.totals(diffIds)
    const document = imageDocumentSchema.parse(JSON.parse(data.toString()))
    return await store.catalogue.add({ document, id, size, blobs: [...new Set(blobs)], tags: [], digests: [] })
  })
}
