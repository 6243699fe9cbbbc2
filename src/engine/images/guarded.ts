/** Work that brings layers and blobs: what it relies on stays while it runs, what it made goes when it fails. */
import type { Digest } from './digest.ts'
import type { ImageStore } from './image-store.ts'

export async function guarded<T>(
  { catalogue, layers, blobs }: ImageStore,
  digests: readonly Digest[],
  work: () => Promise<T>,
): Promise<T> {
  const unpin = catalogue.pin(digests)
  try {
    return await work()
  } catch (error) {
    unpin()
    const left = catalogue.unreferenced(digests)
    await Promise.all(left.flatMap(digest => [layers.remove(digest), blobs.remove(digest)]))
    throw error
  } finally {
    unpin()
  }
}
