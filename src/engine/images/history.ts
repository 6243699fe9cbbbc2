/** How an image came to be, step by step, the last one first: pure. */
import type { ImageHistory as HistoryReply } from '../../api/images.ts'
import { Failure } from '../../lib/failure.ts'
import type { Image } from './image.ts'

/**
 * @param sizes of the layers, lowest first.
 * @param parentOf the image it was made from here; those that came from elsewhere are missing.
 */
export function historyOf(
  image: Image,
  sizes: readonly number[],
  parentOf: (image: Image) => Image | undefined,
): readonly HistoryReply[] {
  let layer = 0
  const steps = image.history.map(({ created, created_by, comment, empty_layer }) => {
    if (!empty_layer && layer >= sizes.length)
      throw new Failure('internal', 'too many non-empty layers in History section')
    return {
      Id: '<missing>',
      Created: created ? Math.floor(Date.parse(created) / 1000) : 0,
      CreatedBy: created_by ?? '',
      Tags: null as readonly string[] | null,
      Size: empty_layer ? 0 : sizes[layer++]!,
      Comment: comment ?? '',
    }
  })
  let owner: Image | undefined = image
  for (const step of steps.reverse()) {
    if (owner === undefined) break
    step.Id = owner.id
    step.Tags = owner.tags.length > 0 ? owner.tags : null
    owner = parentOf(owner)
  }
  return steps
}
