/** What a push sends of an image: a manifest that came with it, byte for byte, or one made of its layers, gzip where they are not. */

import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { open, rm, stat } from 'node:fs/promises'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { HostPath } from '../../runtime/spec.ts'
import { type Digest, hexOf } from './digest.ts'
import type { Image } from './image.ts'
import type { ImageStore } from './image-store.ts'
import { layerBytes } from './layer-bytes.ts'
import { largestDocument, type Manifest, mediaTypes, parseManifest } from './manifest.ts'
import type { Upload } from './registry/upload.ts'

/** A layer as the registry is to have it. */
export interface SentLayer {
  readonly digest: Digest
  readonly size: number
}

export interface OutgoingLayer extends SentLayer {
  /** Its bytes, made when they are needed. */
  open(): Promise<Upload>
  /** Whatever was made is removed. */
  release(): Promise<void>
}

export interface Outgoing {
  /** Diff ids, lowest first. */
  readonly layers: readonly Digest[]
  layer(diffId: Digest, signal: AbortSignal): Promise<OutgoingLayer>
  manifest(sent: readonly SentLayer[]): { readonly data: Buffer; readonly mediaType: string }
}

const configType = 'application/vnd.docker.container.image.v1+json'
const layerType = 'application/vnd.docker.image.rootfs.diff.tar.gzip'

export async function outgoing(store: ImageStore, image: Image, configSize: number): Promise<Outgoing> {
  const layers = image.diffIds
  const whole = await cameWith(store, image)
  const descriptors = new Map(layers.map((diffId, i) => [diffId, whole?.manifest.layers[i]]))
  return {
    layers,
    layer: async (diffId, signal) => {
      const descriptor = descriptors.get(diffId)
      return descriptor !== undefined && (await store.blobs.has(descriptor.digest))
        ? asItIs(store, descriptor)
        : await gzipped(store, image, diffId, signal)
    },
    manifest: sent =>
      whole?.manifest.layers.every(({ digest }, i) => digest === sent[i]!.digest)
        ? whole
        : { data: manifestOf(image, configSize, sent), mediaType: mediaTypes.dockerManifest },
  }
}

/** The newest manifest it was pulled or loaded with whose layers are all here as they came, or are what a push makes of them. */
async function cameWith({ blobs, catalogue, layers, paths }: ImageStore, image: Image) {
  for (const digest of catalogue.blobs(image.id).toReversed()) {
    if (!(await mayBeDocument(paths.blob(hexOf(digest))))) continue
    const data = await blobs.read(digest)
    const manifest = manifestIn(data, image)
    if (manifest === undefined) continue
    const here = await Promise.all(
      manifest.layers.map(
        async ({ digest }, i) =>
          (await blobs.has(digest)) || (await layers.find(image.diffIds[i]!))?.sent?.digest === digest,
      ),
    )
    if (here.includes(false)) continue
    const written = (JSON.parse(data.toString('utf8')) as { readonly mediaType?: unknown }).mediaType
    const isDocker = manifest.config.mediaType === configType
    const mediaType =
      typeof written === 'string' ? written : isDocker ? mediaTypes.dockerManifest : mediaTypes.ociManifest
    return { data, manifest, mediaType }
  }
  return undefined
}

function manifestIn(data: Buffer, image: Image): Manifest | undefined {
  try {
    const document = parseManifest(data, 'the store')
    const fits = document.kind === 'manifest' && document.config.digest === image.id
    return fits && document.layers.length === image.diffIds.length ? document : undefined
  } catch {
    return undefined // a configuration, or any other JSON
  }
}

/** Small, and begins as JSON objects do: a layer is not read whole to find that it is none. */
async function mayBeDocument(path: HostPath): Promise<boolean> {
  const { size } = await stat(path)
  if (size > largestDocument) return false
  await using file = await open(path)
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, 0)
  return buffer[0] === '{'.charCodeAt(0)
}

function asItIs({ paths }: ImageStore, { digest, size }: SentLayer): OutgoingLayer {
  const file = fileUpload(paths.blob(hexOf(digest)), digest, size)
  return { digest, size, open: async () => file, release: async () => undefined }
}

/** What it was sent as before is not made again while the registry has it. */
async function gzipped(store: ImageStore, image: Image, diffId: Digest, signal: AbortSignal): Promise<OutgoingLayer> {
  const { layers, blobs, catalogue, paths } = store
  const layer = await layers.find(diffId)
  const path = layer?.blob && paths.blob(hexOf(layer.blob))
  if (path !== undefined && (await blobs.has(layer!.blob!)) && (await isGzip(path)))
    return asItIs(store, { digest: layer!.blob!, size: (await stat(path)).size })
  let made: (SentLayer & { readonly path: HostPath }) | undefined
  const make = async () => {
    if (made !== undefined) return made
    made = await compress(store, diffId, catalogue.blobs(image.id), signal)
    // another version of the compressor may have made other bytes of it
    if (made.digest !== layer?.sent?.digest) await layers.noteSent(diffId, { digest: made.digest, size: made.size })
    return made
  }
  const known = layer?.sent ?? (await make())
  return {
    digest: known.digest,
    size: known.size,
    open: async () => {
      const { digest, size, path: file } = await make()
      return fileUpload(file, digest, size)
    },
    release: async () => {
      if (made !== undefined) await rm(made.path, { force: true })
    },
  }
}

async function isGzip(path: HostPath): Promise<boolean> {
  await using file = await open(path)
  const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0)
  return buffer[0] === 0x1f && buffer[1] === 0x8b
}

/** Without a name or a time in its header, so that the same layer is the same blob each time. */
async function compress(store: ImageStore, diffId: Digest, candidates: readonly Digest[], signal: AbortSignal) {
  const plain = await layerBytes(store, diffId, candidates)
  const path = store.blobs.temporary()
  try {
    const hash = createHash('sha256')
    let size = 0
    const measured = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk)
        size += chunk.length
        done(null, chunk)
      },
    })
    const source = createReadStream(plain.path, { highWaterMark: 256 * 1024 })
    await pipeline(
      source,
      createGzip({ chunkSize: 256 * 1024 }),
      measured,
      createWriteStream(path, { flags: 'wx', mode: 0o600 }),
      { signal },
    )
    const digest: Digest = `sha256:${hash.digest('hex')}`
    return { digest, size, path }
  } catch (error) {
    await rm(path, { force: true })
    throw error
  } finally {
    await plain.release()
  }
}

function fileUpload(path: HostPath, digest: Digest, size: number): Upload {
  return {
    digest,
    size,
    // an empty range has no end to name
    read: (start, end) =>
      start === end ? none() : createReadStream(path, { start, end: end - 1, highWaterMark: 256 * 1024 }),
  }
}

async function* none(): AsyncGenerator<Uint8Array, void, undefined> {}

/** As Docker writes it, so that the same image has the same digest whoever pushes it. */
function manifestOf(image: Image, configSize: number, sent: readonly SentLayer[]): Buffer {
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.dockerManifest,
    config: { mediaType: configType, size: configSize, digest: image.id },
    layers: sent.map(({ digest, size }) => ({ mediaType: layerType, size, digest })),
  }
  return Buffer.from(JSON.stringify(manifest, null, 3))
}
