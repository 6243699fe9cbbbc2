/** An image of an OCI layout that is read blob by blob → an image of the store: sent through the archive that `docker load` takes. */
import { Readable } from 'node:stream'
import { Failure } from '../../lib/failure.ts'
import { tarEnd, tarHeader, tarPadding } from '../base/tar-writer.ts'
import { type Digest, digestOf, hexOf } from '../images/digest.ts'
import type { Image } from '../images/image.ts'
import type { Images } from '../images/images.ts'
import { choose, largestDocument, type Manifest, mediaTypes, parseManifest } from '../images/manifest.ts'
import { machine } from '../images/platform.ts'
import type { ClientBlob } from './request.ts'

interface LayoutSource {
  /** @throws Failure `not-found`. */
  blob(digest: Digest): Promise<ClientBlob>
  readonly signal: AbortSignal
}

interface Documents {
  readonly all: readonly { readonly digest: Digest; readonly data: Buffer }[]
  readonly manifest: Manifest
}

/** `isNew`: it was not here before. Every blob is verified. @throws Failure of what is missing or is not what it is called. */
export async function loadLayout(
  images: Images,
  digest: Digest,
  source: LayoutSource,
): Promise<{ readonly image: Image; readonly isNew: boolean }> {
  const documents = await readDocuments(digest, source)
  const { config } = documents.manifest
  const here = images.find(config.digest)
  if (here) return { image: here, isNew: false }
  const archive = Readable.from(archiveOf(digest, documents, source), { objectMode: false })
  const [loaded] = await images.load(archive, { signal: source.signal })
  return { image: images.get(loaded!), isNew: true }
}

async function readDocuments(top: Digest, source: LayoutSource): Promise<Documents> {
  const all: { digest: Digest; data: Buffer }[] = []
  for (let digest = top; all.length < 3; ) {
    const data = await whole(digest, source)
    all.push({ digest, data })
    const document = parseManifest(data, `OCI layout, ${digest}`)
    if (document.kind === 'manifest') return { all, manifest: document }
    digest = choose(document, machine()).digest
  }
  throw new Failure('invalid', 'Cannot use OCI layout: its indexes are nested too deep')
}

async function whole(digest: Digest, source: LayoutSource): Promise<Buffer> {
  const { size, content } = await source.blob(digest)
  if (size > largestDocument)
    throw new Failure('invalid', `Cannot use OCI layout: document ${digest} has ${size} bytes`)
  const pieces: Uint8Array[] = []
  for await (const piece of content) pieces.push(piece)
  const data = Buffer.concat(pieces)
  if (digestOf(data) !== digest)
    throw new Failure('invalid', `Cannot use OCI layout: blob ${digest} has digest ${digestOf(data)}`)
  return data
}

const file = { uid: 0, gid: 0, mtime: 0, type: 'file', mode: 0o644 } as const

async function* archiveOf(
  top: Digest,
  { all, manifest }: Documents,
  source: LayoutSource,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const { digest, data } of all) yield* entry(`blobs/sha256/${hexOf(digest)}`, data.length, [data])
  const blobs = new Set([manifest.config.digest, ...manifest.layers.map(({ digest }) => digest)])
  for (const digest of blobs) {
    const { size, content } = await source.blob(digest)
    yield* entry(`blobs/sha256/${hexOf(digest)}`, size, content)
  }
  const descriptor = { mediaType: mediaTypeOf(all[0]!.data), digest: top, size: all[0]!.data.length }
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [descriptor] }))
  yield* entry('index.json', index.length, [index])
  yield tarEnd
}

async function* entry(
  name: string,
  size: number,
  content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield tarHeader({ ...file, name, size })
  yield* content
  yield tarPadding(size)
}

/** Of a document that says none, by what it is. */
function mediaTypeOf(data: Buffer): string {
  const { mediaType, manifests } = JSON.parse(data.toString('utf8')) as {
    readonly mediaType?: string
    readonly manifests?: unknown
  }
  return mediaType ?? (manifests ? mediaTypes.ociIndex : mediaTypes.ociManifest)
}
