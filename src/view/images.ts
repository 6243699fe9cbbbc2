/** The images that containers were made from, and those of the engine, as rows. */
import type { ContainerSummary } from '../api/containers.ts'
import type { ImageInspect, ImageSummary } from '../api/images.ts'
import { listedName } from '../api/listed-name.ts'

/** As Compose's `images --format json` has it. */
export interface UsedImageRow {
  readonly ID: string
  readonly ContainerName: string
  readonly Repository: string
  readonly Tag: string
  readonly Platform: string
  readonly Size: number
  readonly LastTagTime: string
}

/** @param image undefined when it is gone */
export function usedImageRow(container: ContainerSummary, image: ImageInspect | undefined): UsedImageRow {
  const named = isId(container.Image) ? (image?.RepoTags?.[0] ?? '') : container.Image
  return {
    ID: container.ImageID,
    ContainerName: listedName(container),
    ...referenceParts(named),
    Platform: [image?.Os, image?.Architecture, image?.Variant].filter(Boolean).join('/'),
    Size: image?.Size ?? 0,
    LastTagTime: image?.Metadata?.LastTagTime ?? '0001-01-01T00:00:00Z',
  }
}

function isId(image: string): boolean {
  return /^(?:sha256:)?[\da-f]{12,64}$/.test(image)
}

function referenceParts(reference: string): { Repository: string; Tag: string } {
  const [name = ''] = reference.split('@')
  const colon = name.lastIndexOf(':')
  if (colon > name.lastIndexOf('/')) return { Repository: name.slice(0, colon), Tag: name.slice(colon + 1) }
  return { Repository: name, Tag: name === '' || reference.includes('@') ? '' : 'latest' }
}

export interface ImageRow {
  readonly Repository: string
  readonly Tag: string
  readonly ID: string
  /** Seconds. */
  readonly Created: number
  readonly Size: number
}

/** One for each name of an image, and one for an image without. */
export function imageRows(image: ImageSummary): readonly ImageRow[] {
  const names = image.RepoTags?.length ? image.RepoTags : ['<none>:<none>']
  return names.map(name => ({
    Repository: name.slice(0, name.lastIndexOf(':')),
    Tag: name.slice(name.lastIndexOf(':') + 1),
    ID: image.Id,
    Created: image.Created,
    Size: image.Size,
  }))
}
