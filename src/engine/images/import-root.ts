/** A root file system tar to an image of one layer. */
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { parseChanges } from './changes.ts'
import { digestOf } from './digest.ts'
import { guarded } from './guarded.ts'
import type { Image, ImageDocument } from './image.ts'
import type { ImageStore, ImportOptions } from './image-store.ts'
import { machine, parsePlatform } from './platform.ts'
import { familiar, parseReference } from './reference.ts'

/** Receives the tar to disk, unpacks it, and names the result; nothing is left when it fails. */
export async function importRoot(store: ImageStore, stream: Readable, options: ImportOptions): Promise<Image> {
  const { blobs, layers, catalogue, events } = store
  const config = parseChanges(options.changes ?? [])
  const tag = options.reference ? familiar(parseReference(options.reference)) : undefined
  const { os, architecture, variant } = options.platform ? parsePlatform(options.platform) : machine()
  const received = await blobs.receive(stream)
  try {
    options.signal?.throwIfAborted()
    const source = createReadStream(received.path, { highWaterMark: 256 * 1024 })
    const layer = await layers.unpack(source)
    const created = new Date().toISOString()
    const comment = options.message || 'Imported from -'
    const document: ImageDocument = {
      architecture,
      os,
      ...(variant !== undefined && { variant }),
      created,
      comment,
      config,
      rootfs: { type: 'layers', diff_ids: [layer.diffId] },
      history: [{ created, comment }],
    }
    const data = Buffer.from(JSON.stringify(document))
    const id = digestOf(data)
    return await guarded(store, [layer.diffId, received.digest, id], async () => {
      await layers.place(layer)
      await blobs.keep(received)
      await blobs.put(data)
      const image = await catalogue.add({
        document,
        id,
        size: layer.size,
        blobs: [received.digest],
        tags: tag === undefined ? [] : [tag],
        digests: [],
      })
      options.onProgress?.({ status: id })
      events.emit('image', 'import', id, { name: id })
      if (tag !== undefined) events.emit('image', 'tag', id, { ...config.Labels, name: tag })
      return image
    })
  } finally {
    await rm(received.path, { force: true })
  }
}
