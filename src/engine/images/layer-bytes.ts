/** A layer's tar as its diff id means it: plain, byte for byte, out of what it came as. */
import { rm, stat } from 'node:fs/promises'
import { Failure } from '../../lib/failure.ts'
import type { HostPath } from '../../runtime/spec.ts'
import { fileBytes } from '../base/file-bytes.ts'
import { unpackedTar } from '../base/unpacked-layer.ts'
import type { Received } from './blobs.ts'
import { decompressed } from './compression.ts'
import { type Digest, hexOf } from './digest.ts'
import type { ImageStore } from './image-store.ts'

/** Plain bytes on the disk, under a temporary name unless they are kept as such; `release` when they have been read. */
export interface LayerBytes {
  readonly path: HostPath
  readonly size: number
  release(): Promise<void>
}

/**
 * @param candidates blobs of the image, for a layer whose own engine did not note which of them it came from.
 * @throws Failure `unsupported` when the bytes are no longer here.
 */
export async function layerBytes(
  store: ImageStore,
  diffId: Digest,
  candidates: readonly Digest[],
): Promise<LayerBytes> {
  const { blobs, layers, paths } = store
  const noted = (await layers.find(diffId))?.blob
  for (const digest of noted === undefined ? candidates : [noted]) {
    if (!(await blobs.has(digest))) continue
    const path = paths.blob(hexOf(digest))
    if (digest === diffId) return { path, size: (await stat(path)).size, release: async () => undefined }
    const plain = await plainBytes(store, digest)
    if (plain.digest === diffId) {
      return { path: plain.path, size: plain.size, release: () => rm(plain.path, { force: true }) }
    }
    await blobs.discard(plain)
  }
  // one that was made here has never been anything but its folder
  if (noted === undefined && (await layers.find(diffId))) {
    const made = await blobs.receive(unpackedTar(layers.root(diffId)))
    if (made.digest === diffId) {
      return { path: made.path, size: made.size, release: () => rm(made.path, { force: true }) }
    }
    await blobs.discard(made)
  }
  throw new Failure('unsupported', `Cannot read layer "${diffId}": the bytes it came as are no longer here`, {
    hint: 'Pull or load the image again',
  })
}

async function plainBytes({ blobs, paths }: ImageStore, digest: Digest): Promise<Received> {
  return await blobs.receive(decompressed(fileBytes(paths.blob(hexOf(digest)))))
}
