/** A name to an image of the store, through a registry: every document and layer verified by digest and size before it is used. */
import PQueue from 'p-queue'
import { Failure } from '../../lib/failure.ts'
import { shortId } from '../../lib/ids.ts'
import { parseDocument } from './catalogue.ts'
import { type Digest, digestOf } from './digest.ts'
import { guarded } from './guarded.ts'
import type { Image, ImageDocument } from './image.ts'
import type { ImageStore, PullOptions } from './image-store.ts'
import { choose, type Descriptor, largestDocument, type Manifest, parseManifest } from './manifest.ts'
import { formatPlatform, machine, type Platform, parsePlatform } from './platform.ts'
import { barLine, type OnProgress, throttled } from './progress.ts'
import { familiar, familiarName, parseReference, type Reference } from './reference.ts'
import type { FetchedManifest } from './registry/repository.ts'
import { PullSource } from './registry/source.ts'
import { SharedWork } from './shared-work.ts'
import { mostThreads } from './unpack-pool.ts'

/** What a pull is about, from start to end. */
interface Task {
  readonly reference: Reference
  readonly registry: PullSource
  readonly platform: Platform
  /** Asked for by name, so that another one is an error. */
  readonly exact: boolean
  readonly signal: AbortSignal
  readonly onProgress: OnProgress
}

/** The documents between a tag and its layers. */
interface Documents {
  /** What the name stands for: an index or a manifest. */
  readonly top: Digest
  readonly all: readonly FetchedManifest[]
  readonly manifest: Manifest
}

export class Puller {
  readonly #store: ImageStore
  readonly #pulls = new SharedWork<Image>()
  readonly #layers = new SharedWork<number>()

  constructor(store: ImageStore) {
    this.#store = store
  }

  async pull(text: string, { auth, platform, signal, onProgress = () => undefined }: PullOptions): Promise<Image> {
    const reference = parseReference(text)
    const wanted = platform === undefined ? machine() : parsePlatform(platform)
    const key = JSON.stringify([familiar(reference), formatPlatform(wanted), auth ?? null])
    try {
      return await this.#pulls.run(key, { signal, onProgress }, async (shared, tell) => {
        const registry = new PullSource(reference, auth, this.#store.registries)
        return await this.#run({
          reference,
          registry,
          platform: wanted,
          exact: platform !== undefined,
          signal: shared,
          onProgress: tell,
        })
      })
    } catch (error) {
      // the key holds credentials, so the message is made anew
      if (signal?.aborted) throw new Failure('cancelled', `Cannot pull "${familiar(reference)}": cancelled`)
      throw error
    }
  }

  async #run(task: Task): Promise<Image> {
    const { reference, onProgress } = task
    const { catalogue, events } = this.#store
    const documents = await fetchDocuments(task)
    onProgress({ status: `Pulling from ${reference.path}`, id: reference.digest ?? reference.tag! })
    // a digest is the whole name: Docker sets no tag either when both are given
    const tag = reference.digest === undefined ? familiar(reference) : undefined
    const before = tag === undefined ? undefined : catalogue.find(tag)?.id
    const { config, layers } = documents.manifest
    const pinned = [config.digest, ...layers.map(({ digest }) => digest), ...documents.all.map(({ digest }) => digest)]
    const image = await guarded(this.#store, pinned, async () => {
      const document = await this.#fetchConfig(task, config, layers.length)
      const diffIds = document.rootfs.diff_ids as Digest[]
      return await guarded(this.#store, diffIds, async () => {
        await this.#fetchLayers(task, config.digest, diffIds, layers)
        // a layer that was here may have come as other bytes than this manifest names
        const { size, blobs } = await this.#store.layers.totals(diffIds)
        for (const { data } of documents.all) await this.#store.blobs.put(data)
        return await catalogue.add({
          document,
          id: config.digest,
          size,
          blobs: [...documents.all.map(({ digest }) => digest), ...blobs],
          tags: tag === undefined ? [] : [tag],
          digests: [`${familiarName(reference)}@${documents.top}`],
        })
      })
    })
    const name = tag ?? `${familiarName(reference)}@${documents.top}`
    onProgress({ status: `Digest: ${documents.top}` })
    const isNew = before !== image.id
    onProgress({ status: `Status: ${isNew ? 'Downloaded newer image' : 'Image is up to date'} for ${name}` })
    events.emit('image', 'pull', name, { ...image.config.Labels, name: familiarName(reference) })
    return image
  }

  async #fetchConfig(task: Task, config: Descriptor, layers: number): Promise<ImageDocument> {
    const { registry, signal, platform } = task
    const { blobs } = this.#store
    const from = `"${familiar(task.reference)}" of ${registry.name}`
    const present = await blobs.has(config.digest)
    const data = present ? await blobs.read(config.digest) : await this.#smallBlob(task, config)
    const document = parseDocument(data, from)
    if (document.rootfs.diff_ids.length !== layers) {
      throw new Failure(
        'invalid',
        `Cannot use image ${from}: its manifest has ${layers} layers, its configuration ${document.rootfs.diff_ids.length}`,
      )
    }
    if (document.os !== 'linux' || (task.exact && document.architecture !== platform.architecture)) {
      const has = formatPlatform({
        os: document.os,
        architecture: document.architecture,
        variant: document.variant ?? undefined,
      })
      throw new Failure(
        'not-found',
        `image with reference ${familiar(task.reference)} was found but its platform (${has}) does not match the specified platform (${formatPlatform(platform)})`,
      )
    }
    signal.throwIfAborted()
    if (!present) await blobs.put(data)
    return document
  }

  async #smallBlob({ registry, signal }: Task, { digest, size }: Descriptor): Promise<Buffer> {
    const data = await registry.document(digest, Math.min(size, largestDocument), signal)
    if (digestOf(data) === digest) return data
    throw new Failure(
      'invalid',
      `Cannot use blob "${digest}" of ${registry.name}: its content has digest ${digestOf(data)}`,
      {
        hint: 'Push the image again, or pull from another registry',
      },
    )
  }

  /** The first failure ends the others, and is thrown when they have ended. */
  async #fetchLayers(
    task: Task,
    id: Digest,
    diffIds: readonly Digest[],
    descriptors: readonly Descriptor[],
  ): Promise<void> {
    const sizes = await Promise.all(diffIds.map(async diffId => (await this.#store.layers.find(diffId))?.size))
    // nothing to tell of an image that is here, as in Docker
    const isNew = sizes.includes(undefined) || !this.#store.catalogue.has(id)
    for (const [i, { digest }] of isNew ? descriptors.entries() : []) {
      const status = sizes[i] === undefined ? 'Pulling fs layer' : 'Already exists'
      task.onProgress({ status, progressDetail: {}, id: shortId(digest) })
    }
    const queue = new PQueue({ concurrency: mostThreads })
    const stop = new AbortController()
    const signal = AbortSignal.any([task.signal, stop.signal])
    let failure: unknown
    const jobs = diffIds.map((diffId, i) =>
      queue.add(async () => {
        if (sizes[i] !== undefined || failure !== undefined) return
        try {
          const participant = { signal, onProgress: task.onProgress }
          sizes[i] = await this.#layers.run(diffId, participant, (shared, onProgress) =>
            this.#fetchLayer({ ...task, signal: shared, onProgress }, diffId, descriptors[i]!),
          )
        } catch (error) {
          failure ??= error
          stop.abort()
        }
      }),
    )
    await Promise.all(jobs)
    if (failure !== undefined) throw failure
  }

  async #fetchLayer(task: Task, diffId: Digest, descriptor: Descriptor): Promise<number> {
    const { registry, signal, onProgress } = task
    const { blobs, layers } = this.#store
    const { digest, size } = descriptor
    const id = shortId(digest)
    // the same content may be in the image twice, or have come with another one since
    const present = await layers.find(diffId)
    if (present !== undefined) return present.size
    let unpacked: { readonly size: number }
    if (await blobs.has(digest)) {
      onProgress({ status: 'Download complete', progressDetail: {}, id })
      const extracting = throttled(current => onProgress(barLine('Extracting', id, current, size)))
      const unplaced = await layers.unpack(stoppable(blobs.stream(digest), signal), digest, extracting)
      await layers.place(unplaced, diffId)
      unpacked = unplaced
    } else {
      unpacked = await layers.receive(this.#download(task, descriptor), { digest, size, from: registry.name, diffId })
    }
    onProgress(barLine('Extracting', id, size, size))
    onProgress({ status: 'Pull complete', progressDetail: {}, id })
    return unpacked.size
  }

  /** A layer's bytes, told while they come; they are unpacked at the same time. */
  async *#download(task: Task, { digest, size }: Descriptor): AsyncGenerator<Buffer, void, undefined> {
    const { registry, signal, onProgress } = task
    const id = shortId(digest)
    const onWait = (seconds: number) =>
      onProgress({ status: `Retrying in ${seconds} second${seconds === 1 ? '' : 's'}`, progressDetail: {}, id })
    const downloading = throttled(current => onProgress(barLine('Downloading', id, current, size)))
    let total = 0
    for await (const chunk of registry.download(digest, size, { signal, onWait })) {
      total += chunk.length
      downloading(total)
      yield chunk
    }
    onProgress({ status: 'Verifying Checksum', progressDetail: {}, id })
    onProgress({ status: 'Download complete', progressDetail: {}, id })
  }
}

/** From the name to the manifest for the platform, through at most two indexes. */
async function fetchDocuments({ reference, registry, platform, signal }: Task): Promise<Documents> {
  let fetched = await registry.manifest(reference.digest ?? reference.tag!, signal)
  const all = [fetched]
  for (let depth = 0; depth < 3; depth++) {
    const document = parseManifest(fetched.data, registry.name, fetched.mediaType)
    if (document.kind === 'manifest') return { top: all[0]!.digest, all, manifest: document }
    const chosen = choose(document, platform)
    fetched = await registry.manifest(chosen.digest, signal)
    if (fetched.data.length !== chosen.size) {
      throw new Failure(
        'invalid',
        `Cannot use manifest "${chosen.digest}" of ${registry.name}: it has ${fetched.data.length} bytes, ${chosen.size} were announced`,
      )
    }
    all.push(fetched)
  }
  throw new Failure('invalid', `Cannot use manifest of ${registry.name}: its indexes are nested too deep`)
}

async function* stoppable(source: AsyncIterable<Buffer>, signal: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of source) {
    signal.throwIfAborted()
    yield chunk
  }
}
