/** Caches that were exported elsewhere: their steps are known at once, their layers are fetched when one of them is needed. */
import { readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { Failure } from '../../lib/failure.ts'
import { fileBytes } from '../base/file-bytes.ts'
import { parseDocument } from '../images/catalogue.ts'
import { type Digest, digestOf, hexOf } from '../images/digest.ts'
import type { ImageStore } from '../images/image-store.ts'
import { choose, type Descriptor, largestDocument, type Manifest, parseManifest } from '../images/manifest.ts'
import { machine } from '../images/platform.ts'
import { parseReference } from '../images/reference.ts'
import { PullSource } from '../images/registry/source.ts'
import type { CacheRecord } from './cache.ts'
import { recordsOf } from './cache-document.ts'
import type { BuildClient, CacheLocation } from './request.ts'

export interface ImportedCache {
  readonly records: ReadonlyMap<string, CacheRecord>
  /** Makes sure that a layer of one of the records is in the store. */
  fetch(layer: Digest, signal: AbortSignal): Promise<void>
}

interface ImportOptions {
  readonly store: ImageStore
  readonly client: BuildClient
  readonly signal: AbortSignal
}

/** Where documents and layers of a cache come from. */
interface Origin {
  readonly name: string
  manifest(): Promise<Manifest>
  document(descriptor: Descriptor): Promise<Buffer>
  layer(descriptor: Descriptor, signal: AbortSignal): AsyncIterable<Uint8Array>
}

/** @throws Failure when there is none, or it cannot be read. */
export async function importCache(location: CacheLocation, options: ImportOptions): Promise<ImportedCache> {
  const origin = await originOf(location, options)
  const { store } = options
  const { config, layers } = await origin.manifest()
  const data = await origin.document(config)
  if (digestOf(data) !== config.digest)
    throw new Failure('invalid', `Cannot use blob "${config.digest}" of ${origin.name}: its content has another digest`)
  const document = parseDocument(data, origin.name)
  const descriptors = new Map(document.rootfs.diff_ids.map((diffId, i) => [diffId, layers[i]]))
  const records = recordsOf(document, origin.name).filter(({ layer }) => layer === null || descriptors.get(layer))
  return {
    records: new Map(records.map(record => [record.key, record])),
    fetch: async (diffId, signal) => {
      if (await store.layers.find(diffId)) return
      const descriptor = descriptors.get(diffId)!
      const { digest, size } = descriptor
      await store.layers.receive(origin.layer(descriptor, signal), { digest, size, from: origin.name, diffId })
    },
  }
}

/** What a location is called: "type=registry,ref=…". */
export function locationName({ type, attributes }: CacheLocation): string {
  return attributes.get('ref') ?? attributes.get('src') ?? attributes.get('dest') ?? type
}

async function originOf(location: CacheLocation, options: ImportOptions): Promise<Origin> {
  const { type, attributes } = location
  if (type === 'registry') return await registryOrigin(required(location, 'ref'), options)
  if (type === 'local') return folderOrigin(absolute(required(location, 'src')), attributes.get('digest'))
  throw new Failure('unsupported', `Cannot import a build cache of type "${type}": registry and local are known`)
}

export function required({ type, attributes }: CacheLocation, name: string): string {
  const value = attributes.get(name)
  if (!value) throw new Failure('invalid', `Cannot use build cache type=${type}: it needs "${name}"`)
  return value
}

/** The engine has no folder of its own that a relative path could mean. */
export function absolute(path: string): string {
  if (!isAbsolute(path)) throw new Failure('invalid', `Cannot use build cache folder "${path}": it is not absolute`)
  return path
}

async function registryOrigin(ref: string, { store, client, signal }: ImportOptions): Promise<Origin> {
  const reference = parseReference(ref)
  const source = new PullSource(reference, await client.auth(reference.domain), store.registries)
  return {
    name: `"${ref}"`,
    manifest: async () => {
      let fetched = await source.manifest(reference.digest ?? reference.tag!, signal)
      for (let depth = 0; depth < 3; depth++) {
        const document = parseManifest(fetched.data, source.name, fetched.mediaType)
        if (document.kind === 'manifest') return document
        fetched = await source.manifest(choose(document, machine()).digest, signal)
      }
      throw new Failure('invalid', `Cannot use manifest of ${source.name}: its indexes are nested too deep`)
    },
    document: ({ digest, size }) => source.document(digest, Math.min(size, largestDocument), signal),
    layer: ({ digest, size }, stop) => source.download(digest, size, { signal: stop }),
  }
}

/** An OCI layout. */
function folderOrigin(folder: string, wanted: string | undefined): Origin {
  const blob = (digest: Digest) => join(folder, 'blobs', 'sha256', hexOf(digest))
  return {
    name: `"${folder}"`,
    manifest: async () => {
      let data: Buffer = await readFile(join(folder, 'index.json'))
      for (let depth = 0; depth < 3; depth++) {
        const document = parseManifest(data, `"${folder}"`)
        if (document.kind === 'manifest') return document
        const named = document.manifests.find(({ digest }) => digest === wanted)
        data = await readFile(blob((named ?? choose(document, machine())).digest))
      }
      throw new Failure('invalid', `Cannot use build cache "${folder}": its indexes are nested too deep`)
    },
    document: ({ digest }) => readFile(blob(digest)),
    layer: ({ digest }) => fileBytes(blob(digest)),
  }
}
