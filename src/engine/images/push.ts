/** Images to a registry: layers as the bytes they came as, the manifest as it was or made anew, nothing that is there already. */
import PQueue from 'p-queue'
import { Failure } from '../../lib/failure.ts'
import { shortId } from '../../lib/ids.ts'
import { type Digest, digestOf } from './digest.ts'
import type { Image } from './image.ts'
import type { ImageStore, PushOptions } from './image-store.ts'
import { barLine, type OnProgress, throttled } from './progress.ts'
import { type Outgoing, outgoing, type SentLayer } from './push-content.ts'
import { familiarName, parseReference, type Reference } from './reference.ts'
import { Repository } from './registry/repository.ts'
import { type Upload, upload } from './registry/upload.ts'

/** Layers in flight at once, as in Docker. */
const parallel = 5
/** Repositories that a layer is asked to be taken over from. */
const mostMounts = 3

interface Task {
  readonly store: ImageStore
  readonly reference: Reference
  readonly auth: PushOptions['auth']
  readonly signal: AbortSignal
  readonly onProgress: OnProgress
}

/** @param tag of an image that is here; undefined or empty: that of `name`, or all that there are. */
export async function push(
  store: ImageStore,
  { name, tag }: { readonly name: string; readonly tag: string | undefined },
  { auth, signal = new AbortController().signal, onProgress = () => undefined }: PushOptions,
): Promise<void> {
  const named = parseReference(name)
  const reference = tag ? parseReference(`${familiarName(named)}:${tag}`) : named
  const repository = familiarName(named)
  onProgress({ status: `The push refers to repository [${named.domain}/${named.path}]` })
  if (named.digest !== undefined) throw new Failure('invalid', 'cannot push a digest reference')
  const all = store.catalogue.allTags(repository)
  if (all.length === 0) throw new Failure('not-found', `An image does not exist locally with the tag: ${repository}`)
  const isOne = Boolean(tag) || name.endsWith(`:${named.tag}`)
  const wanted = isOne ? all.filter(each => each.tag === `${repository}:${reference.tag}`) : all
  if (wanted.length === 0) throw new Failure('not-found', `tag does not exist: ${repository}:${reference.tag}`)
  const task = { store, reference: named, auth, signal, onProgress }
  for (const each of wanted) await pushTag(task, each.image, parseReference(each.tag).tag!)
}

/** An image to a place in a registry, whatever its own names are. */
export async function pushImage(
  store: ImageStore,
  image: Image,
  { reference, auth, signal = new AbortController().signal }: PushOptions & { readonly reference: string },
): Promise<void> {
  const named = parseReference(reference)
  if (named.tag === undefined) throw new Failure('invalid', 'cannot push a digest reference')
  await pushTag({ store, reference: named, auth, signal, onProgress: () => undefined }, image, named.tag)
}

/** Everything the image refers to stays while it is sent, also when the image is removed meanwhile. */
async function pushTag(task: Task, image: Image, tag: string): Promise<void> {
  const { store, reference, auth, signal, onProgress } = task
  const { catalogue, registries, events } = store
  const unpin = catalogue.pin([image.id, ...image.diffIds, ...catalogue.blobs(image.id)])
  try {
    for (const diffId of image.diffIds.toReversed()) onProgress({ ...layerLine(diffId), status: 'Preparing' })
    const config = await store.blobs.read(image.id)
    const content = await outgoing(store, image, config.length)
    const from = mountSources(store, image, reference)
    const repository = new Repository({
      reference,
      auth,
      settings: registries,
      action: 'push',
      from: [...new Set([...from.values()].flat())],
    })
    const sent = await pushLayers({ ...task, repository, from }, content)
    const { data, mediaType } = content.manifest(sent)
    await upload(repository, image.id, async () => inMemory(image.id, config), { signal })
    await repository.putManifest(tag, data, mediaType, signal)
    const digest = digestOf(data)
    await catalogue.addDigest(image.id, `${familiarName(reference)}@${digest}`)
    onProgress({ status: `${tag}: digest: ${digest} size: ${data.length}` })
    onProgress({ progressDetail: {}, aux: { Tag: tag, Digest: digest, Size: data.length } })
    const name = familiarName(reference)
    events.emit('image', 'push', `${name}:${tag}`, { ...image.config.Labels, name })
  } finally {
    unpin()
  }
}

interface LayerTask extends Task {
  readonly repository: Repository
  readonly from: ReadonlyMap<Digest, readonly string[]>
}

/** The first failure ends the others, and is thrown when they have ended. @returns what is in the registry now, lowest first. */
async function pushLayers(task: LayerTask, content: Outgoing): Promise<readonly SentLayer[]> {
  const stop = new AbortController()
  const signal = AbortSignal.any([task.signal, stop.signal])
  const sent = new Map<Digest, Promise<SentLayer>>()
  const queue = new PQueue({ concurrency: parallel })
  let failure: unknown
  // the same layer may be there twice
  for (const diffId of new Set(content.layers)) {
    sent.set(
      diffId,
      queue.add(() => {
        signal.throwIfAborted()
        return pushLayer({ ...task, signal }, content, diffId)
      }),
    )
    sent.get(diffId)!.catch(error => {
      failure ??= error
      stop.abort()
    })
  }
  await Promise.allSettled(sent.values())
  if (failure !== undefined) throw failure
  return await Promise.all(content.layers.map(diffId => sent.get(diffId)!))
}

async function pushLayer(task: LayerTask, content: Outgoing, diffId: Digest): Promise<SentLayer> {
  const { repository, from, signal, onProgress } = task
  const line = layerLine(diffId)
  const layer = await content.layer(diffId, signal)
  try {
    const pushing = throttled(current => onProgress(barLine('Pushing', line.id, current, layer.size)))
    let sent: SentLayer = layer
    const bytes = async () => {
      const made = await layer.open()
      sent = { digest: made.digest, size: made.size }
      return made
    }
    const options = { signal, from: from.get(diffId) ?? [], onBytes: pushing }
    const arrived = await upload(repository, layer.digest, bytes, options)
    if (arrived.how === 'present') onProgress({ ...line, status: 'Layer already exists' })
    else if (arrived.how === 'mounted') onProgress({ ...line, status: `Mounted from ${arrived.from}` })
    else onProgress({ ...line, status: 'Pushed' })
    return sent
  } finally {
    await layer.release()
  }
}

function layerLine(diffId: Digest) {
  return { progressDetail: {}, id: shortId(diffId) }
}

/** Other repositories of the same registry that had a layer when it was pulled from or pushed to them. */
function mountSources(
  { catalogue }: ImageStore,
  image: Image,
  target: Reference,
): ReadonlyMap<Digest, readonly string[]> {
  const found = new Map<Digest, Set<string>>(image.diffIds.map(id => [id, new Set()]))
  for (const each of catalogue.list()) {
    const paths = each.digests
      .map(parseReference)
      .filter(({ domain, path }) => domain === target.domain && path !== target.path)
      .map(({ path }) => path)
    for (const diffId of each.diffIds) for (const path of paths) found.get(diffId)?.add(path)
  }
  return new Map([...found].map(([id, paths]) => [id, [...paths].sort().slice(0, mostMounts)]))
}

function inMemory(digest: Digest, data: Buffer): Upload {
  return {
    digest,
    size: data.length,
    async *read(start, end) {
      yield data.subarray(start, end)
    },
  }
}
