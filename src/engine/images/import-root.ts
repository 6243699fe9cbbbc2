/** A root file system tar to an image of one layer. */
import type { Readable } from 'node:stream'
import { Failure } from '../../lib/failure.ts'
import { parseChanges } from './changes.ts'
import type { Image } from './image.ts'
import type { ImageStore, ImportOptions } from './image-store.ts'
import { newImage } from './new-image.ts'
import { machine, parsePlatform, plainPlatform } from './platform.ts'
import { newName } from './reference.ts'

export async function importRoot(store: ImageStore, stream: Readable, options: ImportOptions): Promise<Image> {
  const { signal } = options
  const name = newName(options.repo, options.tag)
  const config = parseChanges(options.changes ?? [])
  const platform = options.platform ? parsePlatform(options.platform) : machine()
  if (platform.os !== 'linux') throw new Failure('invalid', 'operating system is not supported')
  const image = await newImage(store, {
    layer: stream,
    platform: plainPlatform(platform),
    config,
    history: { comment: options.message || 'Imported from -' },
    tags: name === undefined ? [] : [name],
    signal,
  })
  options.onProgress?.({ status: image.id })
  const { events } = store
  events.emit('image', 'import', image.id, { name: image.id })
  if (name !== undefined) events.emit('image', 'tag', image.id, { ...config.Labels, name })
  return image
}
