/** The index of images on disk: read, kept twice, and made again of what is stored when it cannot be read. */
import { copyFileSync, renameSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { errnoOf, messageOf } from '../../lib/failure.ts'
import type { Aside } from '../base/aside.ts'
import type { Paths } from '../base/paths.ts'
import { type RecordKind, writeRecord } from '../base/store.ts'
import type { Blobs } from './blobs.ts'
import { type Digest, isDigest } from './digest.ts'
import { digestSchema, imageDocumentSchema } from './image.ts'

const recordVersion = 1
const imageRecordSchema = z.object({
  id: digestSchema,
  tags: z.array(z.string()),
  digests: z.array(z.string()),
  size: z.number(),
  /** Milliseconds since the epoch. */
  lastTagged: z.number().optional(),
  /** The image it was made from here, by commit or build. */
  parent: digestSchema.optional(),
  /** Everything else that was received for it: manifests and layers as they came. */
  blobs: z.array(digestSchema),
})
export type ImageRecord = z.infer<typeof imageRecordSchema>

interface Index {
  readonly version: number
  readonly images: readonly ImageRecord[]
}
const indexKind: RecordKind<Index> = {
  version: recordVersion,
  schema: z.object({ version: z.literal(recordVersion), images: z.array(imageRecordSchema) }),
}

/** Larger than any configuration or manifest, smaller than reading every layer. */
const largestDocument = 4 * 1024 * 1024

export class IndexFile {
  readonly #paths: Paths
  readonly #blobs: Blobs
  readonly #aside: Aside

  constructor(paths: Paths, blobs: Blobs, aside: Aside) {
    this.#paths = paths
    this.#blobs = blobs
    this.#aside = aside
  }

  /** `whole`: nothing of it had to be guessed, so that what it does not name is nobody's. */
  async read(): Promise<{ readonly images: readonly ImageRecord[]; readonly whole: boolean }> {
    const { imageIndex, imageIndexBefore } = this.#paths
    const index = await this.#aside.load(imageIndex, indexKind)
    if (index.kind === 'whole') return { images: index.record.images, whole: true }
    const stored = await this.#documents()
    if (index.kind === 'missing' && stored.length === 0) {
      // from now on one that is missing is one that was lost, whenever the first pull is cut short
      await this.write([])
      return { images: [], whole: true }
    }
    if (index.kind === 'newer') this.#aside.keep(imageIndex, `Cannot use "${imageIndex}"`)
    const before = await this.#aside.load(imageIndexBefore, indexKind)
    const known = before.kind === 'whole' ? before.record.images : []
    const images = restored(known, stored)
    this.#aside.say(
      `"${imageIndex}" ${index.kind === 'missing' ? 'is gone' : 'cannot be read'}: made again of what is stored, ${images.length} images; names given since the last change but one are lost`,
    )
    return { images, whole: false }
  }

  /** Synced; what it was before stays beside it. @throws Failure naming the path. */
  async write(images: readonly ImageRecord[]): Promise<void> {
    const { imageIndex, imageIndexBefore } = this.#paths
    try {
      const temporary = `${imageIndexBefore}.new`
      copyFileSync(imageIndex, temporary)
      renameSync(temporary, imageIndexBefore)
    } catch (error) {
      // the first one has none before it; without room the write below says so
      if (errnoOf(error) !== 'ENOENT') this.#aside.say(`Cannot keep a copy of "${imageIndex}": ${messageOf(error)}`)
    }
    await writeRecord(imageIndex, { version: recordVersion, images }, { sync: true })
  }

  /** Every stored blob that is a small whole JSON document. */
  async #documents(): Promise<readonly StoredDocument[]> {
    const found: StoredDocument[] = []
    for (const hex of await readdir(dirname(this.#paths.blob('x')))) {
      const digest: Digest = `sha256:${hex}`
      if (!isDigest(digest)) continue
      try {
        if ((await stat(this.#paths.blob(hex))).size > largestDocument) continue
        found.push({ digest, data: JSON.parse((await this.#blobs.read(digest)).toString('utf8')) })
      } catch {
        // a layer, or damaged: no document in either case
      }
    }
    return found
  }
}

interface StoredDocument {
  readonly digest: Digest
  readonly data: unknown
}

const manifestSchema = z.object({
  config: z.object({ digest: digestSchema }),
  layers: z.array(z.object({ digest: digestSchema, size: z.number() })),
})

/** What was known before, less what is not stored any more, and every stored configuration with the manifests that name it. */
function restored(known: readonly ImageRecord[], stored: readonly StoredDocument[]): readonly ImageRecord[] {
  const images = new Map<Digest, ImageRecord>()
  for (const { digest, data } of stored) {
    const document = imageDocumentSchema.safeParse(data)
    if (!document.success || document.data.rootfs.diff_ids.length === 0) continue
    images.set(
      digest,
      known.find(({ id }) => id === digest) ?? { id: digest, tags: [], digests: [], size: 0, blobs: [] },
    )
  }
  for (const { digest, data } of stored) {
    const manifest = manifestSchema.safeParse(data)
    const image = manifest.success ? images.get(manifest.data.config.digest) : undefined
    if (!image || !manifest.success) continue
    const blobs = new Set([...image.blobs, digest, ...manifest.data.layers.map(layer => layer.digest)])
    const size = image.size || manifest.data.layers.reduce((sum, layer) => sum + layer.size, 0)
    images.set(image.id, { ...image, size, blobs: [...blobs] })
  }
  return [...images.values()]
}
