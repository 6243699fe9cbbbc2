/** The image of a stage that has been built: its document, its names, and the place in the catalogue. */
import { Failure } from '../../lib/failure.ts'
import { type Digest, digestOf } from '../images/digest.ts'
import { guarded } from '../images/guarded.ts'
import { type Image, type ImageDocument, imageDocumentSchema } from '../images/image.ts'
import type { Images } from '../images/images.ts'
import { machine } from '../images/platform.ts'
import { newName } from '../images/reference.ts'
import { cacheMember } from './cache-document.ts'
import type { BuildPlan } from './dockerfile/plan.ts'
import type { BuildRequest } from './request.ts'
import type { Laid } from './solve.ts'

export interface BuiltStage {
  readonly plan: BuildPlan
  readonly request: Pick<BuildRequest, 'tags' | 'args' | 'loose'>
  readonly laid: Laid
  /** Whether the image is to be a cache for other builds, too. */
  readonly inline?: boolean
}

/** The same steps out of the cache give the same id: every time in it is that of a layer. */
export async function buildImage(images: Images, { plan, request, laid, inline = false }: BuiltStage): Promise<Image> {
  const { store } = images
  const tags = namesOf(request)
  const data = Buffer.from(
    JSON.stringify({ ...documentOf(plan, dated(laid, request.args)), ...(inline && cacheMember(laid.records)) }),
  )
  const document: ImageDocument = imageDocumentSchema.parse(JSON.parse(data.toString()))
  const id = digestOf(data)
  const diffIds = document.rootfs.diff_ids as Digest[]
  const image = await guarded(store, [id], async () => {
    await store.blobs.put(data)
    const { size, blobs } = await store.layers.totals(diffIds)
    const added = { document, id, size, blobs: [...new Set(blobs)], tags, digests: [] }
    return await store.catalogue.add({ ...added, loose: request.loose === true })
  })
  if (request.loose !== true) store.events.emit('image', 'create', id, { ...image.config.Labels, name: id })
  for (const name of tags) store.events.emit('image', 'tag', id, { ...image.config.Labels, name })
  return image
}

/** Of the image, complete: "shop" is "shop:latest". @throws Failure `invalid`. */
export function namesOf({ tags }: Pick<BuildRequest, 'tags'>): readonly string[] {
  return tags.map(tag => newName(tag, undefined)!)
}

/** With SOURCE_DATE_EPOCH (reproducible-builds.org) everything that this build has added is of that time. */
function dated(laid: Laid, args: ReadonlyMap<string, string>): Laid {
  const text = args.get('SOURCE_DATE_EPOCH')
  if (!text) return laid
  if (!/^\d{1,11}$/.test(text)) throw new Failure('invalid', `invalid SOURCE_DATE_EPOCH: ${text}`)
  const created = new Date(Number(text) * 1000).toISOString()
  const history = laid.history.map((entry, i) => (i < laid.inherited ? entry : { ...entry, created }))
  return { ...laid, history, created }
}

function documentOf({ target }: BuildPlan, { diffIds, history, created }: Laid): object {
  const { base, config, author } = target
  const { os, architecture, variant } = base.kind === 'image' ? base.image : machine()
  return {
    architecture,
    ...(variant && { variant }),
    os,
    ...(author && { author }),
    ...(created !== undefined && { created }),
    config,
    rootfs: { type: 'layers', diff_ids: diffIds },
    history,
  }
}
