/** A docker archive (`docker save`) or an OCI layout to images of the store. */
import { readFile, rm } from 'node:fs/promises'
import { posix } from 'node:path'
import type { Readable } from 'node:stream'
import { z } from 'zod'
import { Failure } from '../../lib/failure.ts'
import { shortId } from '../../lib/ids.ts'
import { fileBytes } from '../base/file-bytes.ts'
import { TarReader } from '../base/tar-reader.ts'
import type { Received } from './blobs.ts'
import { parseDocument } from './catalogue.ts'
import { decompressed } from './compression.ts'
import { type Digest, digestOf, hexOf } from './digest.ts'
import { guarded } from './guarded.ts'
import type { Image } from './image.ts'
import type { ImageStore, LoadOptions } from './image-store.ts'
import { choose, type Descriptor, largestDocument, type Manifest, parseManifest } from './manifest.ts'
import { machine } from './platform.ts'
import { barLine } from './progress.ts'
import { familiar, parseReference } from './reference.ts'

export interface Loaded {
  readonly image: Image
  readonly names: readonly string[]
}

/** One image of an archive, its parts found and received. */
interface Found {
  readonly config: Received
  readonly layers: readonly Received[]
  readonly names: readonly string[]
  /** Kept as they came: an OCI manifest. */
  readonly documents: readonly Received[]
  readonly digests: readonly string[]
}

export async function load(store: ImageStore, stream: Readable, options: LoadOptions): Promise<readonly Loaded[]> {
  const archive = new Archive(store)
  try {
    await archive.receive(stream, options.signal)
    const found = archive.has('manifest.json') ? await dockerImages(archive) : await ociImages(archive)
    const loaded: Loaded[] = []
    for (const image of found) loaded.push(await install(store, image, options))
    return loaded
  } finally {
    await archive.discard()
  }
}

async function install(store: ImageStore, found: Found, options: LoadOptions): Promise<Loaded> {
  const { blobs, layers, catalogue, events } = store
  const from = `archive entry "${hexOf(found.config.digest).slice(0, 12)}"`
  const document = parseDocument(await readDocument(found.config, from), from)
  const diffIds = document.rootfs.diff_ids as Digest[]
  if (diffIds.length !== found.layers.length) {
    throw new Failure(
      'invalid',
      `invalid manifest, layers length mismatch: expected ${diffIds.length}, got ${found.layers.length}`,
    )
  }
  const received = [...found.layers, ...found.documents, found.config]
  return await guarded(store, [...diffIds, ...received.map(({ digest }) => digest)], async () => {
    for (const [i, diffId] of diffIds.entries()) {
      options.signal?.throwIfAborted()
      const layer = found.layers[i]!
      if ((await layers.find(diffId)) !== undefined) continue
      await layers.place(await layers.unpack(fileBytes(layer.path), layer.digest), diffId)
      options.onProgress?.(barLine('Loading layer', shortId(diffId), layer.size, layer.size))
    }
    const { size, blobs: kept } = await layers.totals(diffIds)
    // one file may stand for several layers, and several images may share it
    for (const each of received) {
      const wanted = kept.includes(each.digest) || !found.layers.includes(each)
      if (wanted && !(await blobs.has(each.digest))) await blobs.keep(each)
    }
    const id = found.config.digest
    tellRenamed(store, found.names, id, options)
    const image = await catalogue.add({
      document,
      id,
      size,
      blobs: [...new Set([...kept, ...found.documents.map(({ digest }) => digest)])],
      tags: found.names,
      digests: found.digests,
    })
    events.emit('image', 'load', id, { ...image.config.Labels, name: id })
    for (const name of found.names) options.onProgress?.({ stream: `Loaded image: ${name}\n` })
    if (found.names.length === 0) options.onProgress?.({ stream: `Loaded image ID: ${id}\n` })
    return { image, names: found.names }
  })
}

/** Of images that lose a name to the one that comes. */
function tellRenamed(store: ImageStore, names: readonly string[], id: Digest, { onProgress }: LoadOptions): void {
  for (const name of names) {
    const before = store.catalogue.find(name)
    if (before === undefined || before.id === id) continue
    const stream = `The image ${name} already exists, renaming the old one with ID ${before.id} to empty string\n`
    onProgress?.({ stream })
  }
}

const dockerManifestSchema = z
  .array(
    z.looseObject({
      Config: z.string(),
      RepoTags: z.array(z.string()).nullish(),
      Layers: z.array(z.string()).nullish(),
    }),
  )
  .max(1000)

async function dockerImages(archive: Archive): Promise<readonly Found[]> {
  const manifests = parseJson(await archive.read('manifest.json'), 'manifest.json', dockerManifestSchema)
  return manifests.map(({ Config, RepoTags, Layers }) => ({
    config: archive.get(Config),
    layers: (Layers ?? []).map(layer => archive.get(layer)),
    names: (RepoTags ?? []).map(taggedName),
    documents: [],
    digests: [],
  }))
}

async function ociImages(archive: Archive): Promise<readonly Found[]> {
  if (!archive.has('index.json')) {
    throw new Failure('invalid', 'invalid archive: does not contain a manifest.json or an index.json')
  }
  const top = parseManifest(await archive.read('index.json'), 'index.json')
  if (top.kind !== 'index') throw new Failure('invalid', 'Cannot load archive: index.json is not an index')
  const found: Found[] = []
  for (const descriptor of top.manifests) found.push(await ociImage(archive, descriptor))
  return found
}

async function ociImage(archive: Archive, top: Descriptor): Promise<Found> {
  const documents: Received[] = []
  let descriptor = top
  let manifest: Manifest | undefined
  for (let depth = 0; manifest === undefined; depth++) {
    if (depth > 2) throw new Failure('invalid', 'Cannot load archive: its indexes are nested too deep')
    const received = archive.blob(descriptor)
    documents.push(received)
    const document = parseManifest(
      await readDocument(received, descriptor.digest),
      descriptor.digest,
      descriptor.mediaType,
    )
    if (document.kind === 'index') descriptor = choose(document, machine())
    else manifest = document
  }
  const annotations = top.annotations ?? {}
  const short = annotations['org.opencontainers.image.ref.name']
  // a bare tag ("latest") names no repository
  const name = annotations['io.containerd.image.name'] ?? (short && /[:/]/.test(short) ? short : undefined)
  return {
    config: archive.blob(manifest.config),
    layers: manifest.layers.map(layer => archive.blob(layer)),
    names: name === undefined ? [] : [taggedName(name)],
    documents,
    digests: [],
  }
}

/** The files of an archive, each received under a temporary name; links stay names in a table and never reach the disk. */
class Archive {
  readonly #store: ImageStore
  readonly #files = new Map<string, Received>()
  readonly #links = new Map<string, string>()

  constructor(store: ImageStore) {
    this.#store = store
  }

  async receive(stream: Readable, signal: AbortSignal | undefined): Promise<void> {
    const { blobs, layers } = this.#store
    const reader = new TarReader(decompressed(stream))
    let spare = await layers.spareBytes()
    try {
      for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
        signal?.throwIfAborted()
        const name = normal(entry.name)
        if (this.#files.size + this.#links.size > 20_000)
          throw new Failure('invalid', 'Cannot load archive: it has more than 20000 files')
        if (entry.type === 'symlink') this.#links.set(name, normal(posix.join(posix.dirname(name), entry.linkname)))
        else if (entry.type === 'link') this.#links.set(name, normal(entry.linkname))
        if (entry.type !== 'file') continue
        spare -= entry.size
        if (spare < 0) throw new Failure('invalid', `Cannot load archive: "${name}" does not fit on the disk`)
        const before = this.#files.get(name)
        if (before) await blobs.discard(before)
        this.#files.set(name, await blobs.receive(reader.body(), undefined, entry.size))
      }
      await reader.drain()
    } finally {
      await reader.close()
    }
  }

  has(name: string): boolean {
    return this.#find(name) !== undefined
  }

  /** @throws Failure `invalid` when there is no such file, or it does not have the digest its name claims. */
  get(name: string): Received {
    const found = this.#find(normal(name))
    if (found === undefined) {
      throw new Failure('invalid', `Cannot load archive: it has no file ${JSON.stringify(name.slice(0, 200))}`)
    }
    const claimed = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(normal(name))?.[1]
    if (claimed !== undefined && claimed !== hexOf(found.digest)) {
      throw new Failure('invalid', `Cannot load archive: "${name}" has digest ${found.digest}`)
    }
    return found
  }

  blob({ digest, size }: Descriptor): Received {
    const found = this.get(`blobs/sha256/${hexOf(digest)}`)
    if (found.size !== size) {
      throw new Failure(
        'invalid',
        `Cannot load archive: blob "${digest}" has ${found.size} bytes, ${size} are announced`,
      )
    }
    return found
  }

  async read(name: string): Promise<Buffer> {
    return await readDocument(this.get(name), name)
  }

  async discard(): Promise<void> {
    await Promise.all([...this.#files.values()].map(({ path }) => rm(path, { force: true })))
  }

  #find(name: string): Received | undefined {
    let at = name
    for (let hops = 0; hops < 8; hops++) {
      const link = this.#links.get(at)
      if (link === undefined) return this.#files.get(at)
      at = link
    }
    return undefined
  }
}

function normal(name: string): string {
  return posix.normalize(`/${name}`).slice(1)
}

async function readDocument(received: Received, what: string): Promise<Buffer> {
  if (received.size > largestDocument) {
    throw new Failure(
      'invalid',
      `Cannot load archive: "${what}" has ${received.size} bytes, at most ${largestDocument} are read`,
    )
  }
  const data = await readFile(received.path)
  if (digestOf(data) !== received.digest)
    throw new Failure('internal', `Cannot load archive: "${what}" changed on disk`)
  return data
}

function parseJson<T>(data: Buffer, what: string, schema: z.ZodType<T>): T {
  let json: unknown
  try {
    json = JSON.parse(data.toString('utf8'))
  } catch (cause) {
    throw new Failure('invalid', `Cannot load archive: ${what} is not JSON`, { cause })
  }
  const result = schema.safeParse(json)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  throw new Failure('invalid', `Cannot load archive: ${what}: ${issue.path.join('.')}: ${issue.message}`)
}

function taggedName(text: string): string {
  const reference = parseReference(text)
  if (reference.tag === undefined) throw new Failure('invalid', `invalid tag "${text}"`)
  return familiar({ ...reference, digest: undefined })
}
