/** Images to one archive that both `docker load` and readers of OCI layouts understand, as Docker 28 writes it. */
import { createReadStream } from 'node:fs'
import { tarEnd, tarHeader, tarPadding } from '../base/tar-writer.ts'
import { chainIds } from './catalogue.ts'
import { type Digest, digestOf, hexOf } from './digest.ts'
import type { Image } from './image.ts'
import type { ImageStore } from './image-store.ts'
import { layerBytes } from './layer-bytes.ts'
import { mediaTypes } from './manifest.ts'
import { familiarName, parseReference } from './reference.ts'

/** What is to be saved of an image: itself, and the names it is to have when it is loaded. */
export interface Saved {
  readonly image: Image
  readonly names: readonly string[]
}

const configType = 'application/vnd.oci.image.config.v1+json'
const layerType = 'application/vnd.oci.image.layer.v1.tar'

interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest
  readonly size: number
}

/** Everything an image refers to stays while it is written, also when the image is removed meanwhile. */
export async function* save(store: ImageStore, saved: readonly Saved[]): AsyncGenerator<Uint8Array, void, undefined> {
  const unpin = store.catalogue.pin(saved.flatMap(({ image }) => everything(store, image)))
  try {
    yield tarHeader({ ...owner, name: 'blobs', type: 'directory', mode: 0o755 })
    yield tarHeader({ ...owner, name: 'blobs/sha256', type: 'directory', mode: 0o755 })
    const layers = new Map<Digest, Descriptor>()
    const written = new Set<Digest>()
    const manifests: { readonly saved: Saved; readonly descriptor: Descriptor }[] = []
    for (const each of saved) {
      const { image } = each
      for (const diffId of image.diffIds) if (!layers.has(diffId)) yield* layer(store, image, diffId, layers)
      const data = await store.blobs.read(image.id)
      const config = { mediaType: configType, digest: image.id, size: data.length }
      const manifest = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: mediaTypes.ociManifest,
          config,
          layers: image.diffIds.map(diffId => layers.get(diffId)!),
        }),
      )
      const descriptor = { mediaType: mediaTypes.ociManifest, digest: digestOf(manifest), size: manifest.length }
      for (const [digest, content, mtime] of [
        [image.id, data, createdAt(image)],
        [descriptor.digest, manifest, 0],
      ] as const) {
        if (!written.has(digest)) yield* small(`blobs/sha256/${hexOf(digest)}`, content, mtime)
        written.add(digest)
      }
      manifests.push({ saved: each, descriptor })
    }
    yield* small('index.json', index(manifests))
    yield* small('manifest.json', Buffer.from(JSON.stringify(saved.map(each => dockerManifest(each, layers)))))
    yield* small('oci-layout', Buffer.from('{"imageLayoutVersion": "1.0.0"}'))
    if (saved.some(({ names }) => names.length > 0)) yield* small('repositories', repositories(saved))
    yield tarEnd
  } finally {
    unpin()
  }
  for (const { image } of saved)
    store.events.emit('image', 'save', image.id, { ...image.config.Labels, name: image.id })
}

const owner = { uid: 0, gid: 0, mtime: 0 }

function everything({ catalogue }: ImageStore, image: Image): readonly Digest[] {
  return [image.id, ...image.diffIds, ...catalogue.blobs(image.id)]
}

async function* layer(
  store: ImageStore,
  image: Image,
  diffId: Digest,
  layers: Map<Digest, Descriptor>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const bytes = await layerBytes(store, diffId, store.catalogue.blobs(image.id))
  try {
    const { size } = bytes
    const mtime = createdAt(image)
    yield tarHeader({ ...owner, name: `blobs/sha256/${hexOf(diffId)}`, type: 'file', mode: 0o644, mtime, size })
    yield* createReadStream(bytes.path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>
    yield tarPadding(size)
    layers.set(diffId, { mediaType: layerType, digest: diffId, size })
  } finally {
    await bytes.release()
  }
}

/** Seconds. */
function createdAt(image: Image): number {
  return Math.floor(image.created.getTime() / 1000)
}

function* small(name: string, content: Buffer, mtime = 0): Generator<Uint8Array> {
  yield tarHeader({ ...owner, name, type: 'file', mode: 0o644, mtime, size: content.length })
  yield content
  yield tarPadding(content.length)
}

function index(manifests: readonly { readonly saved: Saved; readonly descriptor: Descriptor }[]): Buffer {
  const entries = manifests.flatMap(({ saved: { names }, descriptor }) =>
    names.length === 0
      ? [descriptor]
      : names.map(name => {
          const { domain, path, tag } = parseReference(name)
          const annotations = {
            'io.containerd.image.name': `${domain}/${path}:${tag}`,
            'org.opencontainers.image.ref.name': tag,
          }
          return { ...descriptor, annotations }
        }),
  )
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: entries }))
}

function dockerManifest({ image, names }: Saved, layers: ReadonlyMap<Digest, Descriptor>) {
  return {
    Config: `blobs/sha256/${hexOf(image.id)}`,
    RepoTags: names.length > 0 ? names : null,
    Layers: image.diffIds.map(diffId => `blobs/sha256/${hexOf(diffId)}`),
    LayerSources: Object.fromEntries(image.diffIds.map(diffId => [diffId, layers.get(diffId)!])),
  }
}

/** What the oldest readers look for: name to tag to the highest layer. */
function repositories(saved: readonly Saved[]): Buffer {
  const found: Record<string, Record<string, string>> = {}
  for (const { image, names } of saved) {
    for (const name of names) {
      const reference = parseReference(name)
      const top = chainIds(image.diffIds).at(-1)
      if (top !== undefined) (found[familiarName(reference)] ??= {})[reference.tag!] = hexOf(top)
    }
  }
  return Buffer.from(JSON.stringify(found))
}
