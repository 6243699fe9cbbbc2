/** A layer's tar, on top of an image or of nothing, to a new image: what import and commit have in common. */

import { rm } from 'node:fs/promises'
import { fileBytes } from '../base/file-bytes.ts'
import { type Digest, digestOf } from './digest.ts'
import { guarded } from './guarded.ts'
import type { Image, ImageConfig, ImageDocument } from './image.ts'
import type { ImageStore } from './image-store.ts'
import type { Platform } from './platform.ts'

export interface NewImageOptions {
  readonly parent?: Image | undefined
  /** Uncompressed or not. */
  readonly layer: AsyncIterable<Uint8Array>
  readonly platform: Platform
  readonly config: ImageConfig
  /** Of its last step; the image has its author, comment and time. */
  readonly history: { readonly author?: string; readonly created_by?: string; readonly comment?: string }
  /** More members of its configuration document. */
  readonly document?: object
  readonly tags: readonly string[]
  readonly signal?: AbortSignal | undefined
}

/** The tar of nothing: a layer that is not worth having. */
const emptyTar: Digest = 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef'

/** Receives the layer to disk, unpacks it, and names the result; nothing is left when it fails. */
export async function newImage(store: ImageStore, options: NewImageOptions): Promise<Image> {
  const { blobs, layers, catalogue } = store
  const { parent, signal } = options
  const received = await blobs.receive(options.layer)
  try {
    signal?.throwIfAborted()
    const layer = await layers.unpack(fileBytes(received.path), received.digest)
    const isEmpty = parent !== undefined && layer.diffId === emptyTar
    const diffIds = [...(parent?.diffIds ?? []), ...(isEmpty ? [] : [layer.diffId])]
    const data = Buffer.from(JSON.stringify(documentOf(options, diffIds, isEmpty)))
    const id = digestOf(data)
    return await guarded(store, [...diffIds, layer.diffId, received.digest, id], async () => {
      await layers.place(layer)
      await blobs.keep(received)
      await blobs.put(data)
      const { size, blobs: kept } = await layers.totals(diffIds)
      const document = JSON.parse(data.toString()) as ImageDocument
      return await catalogue.add({
        document,
        id,
        size,
        parent: parent?.id,
        blobs: [...new Set(kept)],
        tags: options.tags,
        digests: [],
      })
    })
  } finally {
    await rm(received.path, { force: true })
  }
}

function documentOf(options: NewImageOptions, diffIds: readonly Digest[], isEmpty: boolean): ImageDocument {
  const { parent, platform, config, history } = options
  const created = new Date().toISOString()
  const { os, architecture, variant } = platform
  const { author, comment } = history
  const step = Object.fromEntries(Object.entries(history).filter(([, value]) => value !== undefined && value !== ''))
  return {
    architecture,
    os,
    ...(variant !== undefined && { variant }),
    created,
    ...(author && { author }),
    ...(comment && { comment }),
    ...options.document,
    config,
    rootfs: { type: 'layers', diff_ids: [...diffIds] },
    history: [...(parent?.history ?? []), { created, ...step, ...(isEmpty && { empty_layer: true }) }],
  }
}
