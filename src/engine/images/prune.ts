/** Removes what nobody uses: images without a tag, or all that no container has. */
import { matchesLabels } from '../../api/filters.ts'
import { isFailure } from '../../lib/failure.ts'
import type { Image } from './image.ts'
import type { RemovedImage } from './removal.ts'

export interface PruneOptions {
  /** Only those without a tag. */
  readonly dangling: boolean
  /** Only those made before; milliseconds since the epoch. */
  readonly until: number
  readonly label?: readonly string[] | undefined
  readonly labelNot?: readonly string[] | undefined
}

/** The images as they are at the start, and a `remove` that refuses what is used. */
export async function pruneImages(
  images: readonly Image[],
  options: PruneOptions,
  remove: (reference: string) => Promise<readonly RemovedImage[]>,
): Promise<readonly RemovedImage[]> {
  const parents = new Set(images.map(image => image.parent))
  const removed: RemovedImage[] = []
  for (const image of images) {
    const names = [...image.tags, ...image.digests]
    // what others were made from goes with the last of them
    if (parents.has(image.id) && (options.dangling || names.length === 0)) continue
    if (image.created.getTime() > options.until || !fits(image, options)) continue
    if (options.dangling && image.tags.length > 0) continue
    for (const reference of names.length > 0 ? names : [image.id]) {
      try {
        removed.push(...(await remove(reference)))
      } catch (error) {
        // in use, or removed by someone else in the meantime
        if (!isFailure(error, 'conflict') && !isFailure(error, 'not-found')) throw error
      }
    }
  }
  return removed
}

function fits({ config }: Image, { label, labelNot = [] }: PruneOptions): boolean {
  if (!matchesLabels(label, config.Labels)) return false
  return labelNot.length === 0 || !labelNot.some(each => matchesLabels([each], config.Labels))
}
