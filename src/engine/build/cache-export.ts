/** A build's cache to a registry or a folder, as the image that `cache-document.ts` makes of it. */
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Failure } from '../../lib/failure.ts'
import { writeRecord } from '../base/store.ts'
import { type Digest, digestOf, hexOf } from '../images/digest.ts'
import { guarded } from '../images/guarded.ts'
import type { Images } from '../images/images.ts'
import { layerBytes } from '../images/layer-bytes.ts'
import { mediaTypes } from '../images/manifest.ts'
import { parseReference } from '../images/reference.ts'
import type { CacheRecord } from './cache.ts'
import { cacheDocument } from './cache-document.ts'
import { absolute, required } from './cache-import.ts'
import type { BuildClient, CacheLocation } from './request.ts'

interface ExportOptions {
  readonly images: Images
  readonly client: BuildClient
  readonly signal: AbortSignal
}

/** What is exported: of the target alone, or with `mode=max` of all stages. */
export interface ExportedRecords {
  readonly target: readonly CacheRecord[]
  readonly all: readonly CacheRecord[]
}

/** Nothing for `inline`, which is in the image itself. @throws Failure when it cannot be written. */
export async function exportCache(
  location: CacheLocation,
  records: ExportedRecords,
  options: ExportOptions,
): Promise<void> {
  const { type, attributes } = location
  const chosen = attributes.get('mode') === 'max' ? records.all : records.target
  if (type === 'registry') return await exportToRegistry(required(location, 'ref'), chosen, options)
  if (type === 'local') return await exportToFolder(absolute(required(location, 'dest')), chosen, options)
  if (type !== 'inline')
    throw new Failure(
      'unsupported',
      `Cannot export a build cache of type "${type}": registry, local and inline are known`,
    )
}

/** An image without a name while it is sent. */
async function exportToRegistry(
  ref: string,
  records: readonly CacheRecord[],
  { images, client, signal }: ExportOptions,
): Promise<void> {
  const { store } = images
  const { data, id, document } = cacheDocument(records)
  const diffIds = document.rootfs.diff_ids as Digest[]
  const isNew = !store.catalogue.has(id)
  const { pushImage } = await import('../images/push.ts')
  await guarded(store, [id, ...diffIds], async () => {
    await store.blobs.put(data)
    const { size, blobs } = await store.layers.totals(diffIds)
    const image = await store.catalogue.add({ document, id, size, blobs: [...new Set(blobs)], tags: [], digests: [] })
    try {
      const auth = await client.auth(parseReference(ref).domain)
      await pushImage(store, image, { reference: ref, auth, signal })
    } finally {
      if (isNew) await images.forget(id)
    }
  })
}

/** An OCI layout; what is there already is not written again, and the index is the last to change. */
async function exportToFolder(
  folder: string,
  records: readonly CacheRecord[],
  { images, signal }: ExportOptions,
): Promise<void> {
  const { store } = images
  const { data, document } = cacheDocument(records)
  const blobs = join(folder, 'blobs', 'sha256')
  await mkdir(blobs, { recursive: true })
  const layers: { readonly mediaType: string; readonly digest: Digest; readonly size: number }[] = []
  for (const diffId of document.rootfs.diff_ids as Digest[]) {
    const path = join(blobs, hexOf(diffId))
    let size = await sizeOf(path)
    if (size === undefined) {
      const bytes = await layerBytes(store, diffId, [])
      try {
        await pipeline(createReadStream(bytes.path), createWriteStream(`${path}.part`), { signal })
        await rename(`${path}.part`, path)
      } finally {
        await bytes.release()
      }
      size = bytes.size
    }
    layers.push({ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: diffId, size })
  }
  const put = async (content: Buffer) => {
    await pipeline([content], createWriteStream(join(blobs, hexOf(digestOf(content)))))
    return { digest: digestOf(content), size: content.length }
  }
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', ...(await put(data)) }
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers }))
  const descriptor = { mediaType: mediaTypes.ociManifest, ...(await put(manifest)) }
  await writeRecord(join(folder, 'oci-layout'), { imageLayoutVersion: '1.0.0' })
  await writeRecord(join(folder, 'index.json'), { schemaVersion: 2, manifests: [descriptor] })
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size
}
