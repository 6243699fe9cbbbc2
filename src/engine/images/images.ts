/** The image store: tags and ids to images, and the unpacked layers a container's root is made of. */
import { readdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import type { DistributionInspect, ImageHistory } from '../../api/images.ts'
import { debug } from '../../lib/debug.ts'
import { Failure } from '../../lib/failure.ts'
import type { HostPath } from '../../runtime/spec.ts'
import { Aside } from '../base/aside.ts'
import type { Events } from '../base/events.ts'
import type { Paths } from '../base/paths.ts'
import { toAuth } from './auth.ts'
import { Blobs } from './blobs.ts'
import { Catalogue, chainIds, type Holder } from './catalogue.ts'
import type { CommitOptions, Committed } from './commit.ts'
import { type Digest, isDigest } from './digest.ts'
import type { Image } from './image.ts'
import type { ImageStore, ImportOptions, LoadOptions, PullOptions, PushOptions } from './image-store.ts'
import { Layers, type Unplaced } from './layers.ts'
import type { PruneOptions } from './prune.ts'
import type { Puller } from './pull.ts'
import { familiar, newName, normalName, parseReference, repositoryName } from './reference.ts'
import type { SearchOptions, SearchResult } from './registry/search.ts'
import { defaultSettings, type RegistrySettings } from './registry/settings.ts'
import { decideRemoval, type ImageUser, type RemovedImage } from './removal.ts'
import type { ArchiveLimits } from './unpack-limits.ts'
import type { UnpackPool } from './unpack-pool.ts'

export interface RemoveOptions {
  readonly force?: boolean | undefined
  /** Parents without a name stay. */
  readonly noprune?: boolean | undefined
  readonly usedBy: (imageId: string) => readonly ImageUser[]
}

export interface OpenOptions {
  readonly limits?: Partial<ArchiveLimits> | undefined
  readonly threads?: UnpackPool | undefined
  readonly aside?: Aside | undefined
  readonly registries?: Partial<RegistrySettings> | undefined
  /** Who else keeps layers and blobs from being collected. */
  readonly holders?: readonly Holder[] | undefined
}

export class Images {
  readonly #store: ImageStore
  readonly #aside: Aside
  /** Layers whose root hides all below it. */
  readonly #opaque = new Set<Digest>()
  /** Of containers, by their ids. */
  readonly #kept = new Map<string, { readonly layers: readonly Digest[]; readonly release: () => void }>()
  #puller: Puller | undefined

  private constructor(store: ImageStore, aside: Aside) {
    this.#store = store
    this.#aside = aside
  }

  static async open(paths: Paths, events: Events, options: OpenOptions = {}): Promise<Images> {
    const aside = options.aside ?? new Aside(paths, debug('images'))
    for (const folder of [paths.images, dirname(paths.blob('x')), dirname(paths.layer('x'))]) await aside.folder(folder)
    // whatever was being made when the engine ended was never named
    await rm(paths.imageTemp, { recursive: true, force: true })
    await aside.folder(paths.imageTemp)
    const blobs = new Blobs(paths)
    const layers = new Layers(paths, blobs, { aside, limits: options.limits, threads: options.threads })
    const catalogue = await Catalogue.open(paths, blobs, aside, options.holders)
    const images = new Images(
      {
        paths,
        blobs,
        layers,
        catalogue,
        events,
        registries: { ...defaultSettings, ...options.registries },
      },
      aside,
    )
    await Promise.all(catalogue.list().map(image => images.#checked(image, aside)))
    return images
  }

  /** Clears away what nobody has. Once all who stand on layers of images that are gone have said so by `keep`. */
  async settle(): Promise<void> {
    await Promise.all([...this.#kept.values()].map(({ layers }) => this.#noteOpaque(layers)))
    if (this.#store.catalogue.isWhole) await this.#collectLeftovers()
    else this.#aside.say('Layers and blobs that no image names are left where they are')
  }

  /** What a container stands on stays, also when the image goes, until it is released. */
  keep(container: string, layers: readonly Digest[]): void {
    this.#kept.get(container)?.release()
    this.#kept.set(container, { layers, release: this.#store.catalogue.pin(layers) })
  }

  async release(container: string): Promise<void> {
    const kept = this.#kept.get(container)
    if (kept === undefined) return
    this.#kept.delete(container)
    kept.release()
    await this.#removeLayers(kept.layers)
  }

  find(reference: string): Image | undefined {
    return this.#store.catalogue.find(reference)
  }

  /** @throws Failure `not-found` with Docker's text. */
  get(reference: string): Image {
    const image = this.find(reference)
    if (image) return image
    const isId = isDigest(reference) || /^[0-9a-f]{64}$/.test(reference)
    const name = isId || reference.startsWith('sha256:') ? reference : familiar(parseReference(reference))
    throw new Failure('not-found', `No such image: ${name}`)
  }

  get registries(): RegistrySettings {
    return this.#store.registries
  }

  /** @throws Failure `invalid` for what is no image's name, with Docker's texts. */
  checkName(name: string): void {
    parseReference(name)
  }

  /** Newest first. */
  list(): readonly Image[] {
    return [...this.#store.catalogue.list()].sort((a, b) => b.created.getTime() - a.created.getTime())
  }

  /** Fetches an image and its layers, each verified; pulls of the same image at the same time share the work. */
  async pull(reference: string, options: PullOptions = {}): Promise<Image> {
    const { Puller } = await import('./pull.ts')
    this.#puller ??= new Puller(this.#store)
    return await this.#noted(await this.#puller.pull(reference, options))
  }

  /** All tags of a repository, one after the other; a name that has a tag or digest of its own is that one. */
  async pullAll(reference: string, options: PullOptions = {}): Promise<void> {
    const name = reference.replace(/:$/, '')
    if (repositoryName(name) === undefined) return void (await this.pull(name, options))
    const { repositoryTags } = await import('./distribution.ts')
    for (const tag of await repositoryTags(this.#store.registries, name, options))
      await this.pull(`${name}:${tag}`, options)
  }

  /**
   * Sends an image to the registry in its name, with this tag or (empty) with all its repository has here; nothing is sent that is there.
   * @throws Failure `invalid` for what is no name, with Docker's texts.
   */
  async push(name: string, tag: string | undefined, options: PushOptions = {}): Promise<void> {
    const { push } = await import('./push.ts')
    await push(this.#store, { name, tag }, options)
  }

  /** Tries credentials at the registry they are for. */
  async login(body: Parameters<typeof toAuth>[0], signal: AbortSignal) {
    const { login } = await import('./registry/login.ts')
    return await login(this.#store.registries, { ...toAuth(body), server: body.serveraddress ?? '' }, signal)
  }

  /** What a registry finds. @throws Failure `unsupported` naming one that has no search. */
  async search(term: string, options: SearchOptions): Promise<readonly SearchResult[]> {
    const { search } = await import('./registry/search.ts')
    return await search(this.#store.registries, term, options)
  }

  /** Reads a docker archive or an OCI layout, compressed or not; returns the names loaded, or ids where there are none. */
  async load(stream: Readable, options: LoadOptions = {}): Promise<string[]> {
    const { load } = await import('./load.ts')
    const loaded = await load(this.#store, stream, options)
    for (const { image } of loaded) await this.#noted(image)
    return loaded.flatMap(({ image, names }) => (names.length > 0 ? names : [image.id]))
  }

  /** Makes an image of one layer from a root file system tar. */
  async importRoot(stream: Readable, options: ImportOptions = {}): Promise<Image> {
    const { importRoot } = await import('./import-root.ts')
    return await this.#noted(await importRoot(this.#store, stream, options))
  }

  /** Makes an image of what a container wrote. */
  async commit(options: CommitOptions): Promise<Committed> {
    const { commit } = await import('./commit.ts')
    const committed = await commit(this.#store, options)
    await this.#noteOpaque(committed.image.diffIds)
    return committed
  }

  /** @throws Failure `invalid` for what is no name with a tag, with Docker's texts. */
  async tag(reference: string, repo: string, as?: string): Promise<void> {
    const tag = newName(repo, as)
    // Docker's own text for it is empty
    if (tag === undefined) throw new Failure('invalid', 'invalid reference format')
    const image = this.get(reference)
    await this.#store.catalogue.tag(image.id, tag)
    this.#emit('tag', image, tag)
  }

  /** Takes names from an image, and removes it with its last one; parents that nothing else holds go with it. Docker's conflict texts. */
  async remove(reference: string, options: RemoveOptions): Promise<RemovedImage[]> {
    const image = this.get(reference)
    const around = {
      usersOf: options.usedBy,
      childrenOf: (id: string) => this.childrenOf(id as Digest),
      parentOf: (child: Image) => this.#parentOf(child),
    }
    const { force = false, noprune = false } = options
    const { untag, remove } = decideRemoval(reference, image, around, { force, noprune })
    const removed: RemovedImage[] = untag.map(name => ({ Untagged: name }))
    if (remove.length === 0) await this.#store.catalogue.untag(image.id, untag)
    for (const _ of untag) this.#emit('untag', image, image.id)
    for (const each of remove) removed.push(...(await this.#delete(each)))
    return removed
  }

  /** Removes what nobody uses. */
  async prune(
    options: PruneOptions,
    usedBy: RemoveOptions['usedBy'],
  ): Promise<{ readonly removed: readonly RemovedImage[]; readonly reclaimed: number }> {
    const { pruneImages } = await import('./prune.ts')
    const images = this.list()
    const sizes = new Map<string, number>()
    for (const { diffIds } of images) {
      const each = await this.#sizes(diffIds)
      for (const [i, chain] of chainIds(diffIds).entries()) sizes.set(chain, each[i]!)
    }
    const removed = await pruneImages(images, options, reference => this.remove(reference, { usedBy }))
    const reclaimed = removed.reduce((sum, each) => sum + ('Deleted' in each ? (sizes.get(each.Deleted) ?? 0) : 0), 0)
    this.#store.events.emit('image', 'prune', '', { reclaimed: String(reclaimed) })
    return { removed, reclaimed }
  }

  /** An archive of images, each by a name (of all its tags when it has none) or an id. @throws Failure `not-found`. */
  async save(references: readonly string[]): Promise<AsyncGenerator<Uint8Array>> {
    const saved = new Map<Digest, Set<string>>()
    const add = (image: Image, names: readonly string[]) => {
      saved.set(image.id, (saved.get(image.id) ?? new Set()).union(new Set(names)))
    }
    for (const reference of references) {
      const tagged = this.#store.catalogue.allTags(reference)
      for (const { image, tag } of tagged) add(image, [tag])
      if (tagged.length > 0) continue
      const image = this.find(reference)
      if (image === undefined) throw new Failure('not-found', `No such image: ${reference}`)
      add(image, image.tags.includes(normalName(reference)) ? [normalName(reference)] : [])
    }
    const { save } = await import('./save.ts')
    return save(
      this.#store,
      [...saved].map(([id, names]) => ({ image: this.get(id), names: [...names] })),
    )
  }

  async history(reference: string): Promise<readonly ImageHistory[]> {
    const image = this.get(reference)
    const { historyOf } = await import('./history.ts')
    return historyOf(image, await this.#sizes(image.diffIds), child => this.#parentOf(child))
  }

  /** What a registry has under a name, without fetching it. */
  async distribution(reference: string, options: Pick<PullOptions, 'auth' | 'signal'>): Promise<DistributionInspect> {
    const { inspectDistribution } = await import('./distribution.ts')
    return await inspectDistribution(this.#store.registries, reference, options)
  }

  /** Bytes of all layers, each counted once; and of each image, those of layers that it shares with another. */
  async usage(): Promise<{ readonly layers: number; readonly shared: ReadonlyMap<string, number> }> {
    const images = this.list()
    const users = new Map<Digest, number>()
    for (const { diffIds } of images) for (const id of new Set(diffIds)) users.set(id, (users.get(id) ?? 0) + 1)
    const ids = [...users.keys()]
    const sizes = new Map((await this.#sizes(ids)).map((size, i) => [ids[i]!, size]))
    const sum = (of: readonly Digest[]) => of.reduce((total, id) => total + sizes.get(id)!, 0)
    const shared = images.map(({ id, diffIds }) => [id, sum(diffIds.filter(each => users.get(each)! > 1))] as const)
    return { layers: sum(ids), shared: new Map(shared) }
  }

  async #sizes(diffIds: readonly Digest[]): Promise<readonly number[]> {
    return await Promise.all(diffIds.map(async id => (await this.#store.layers.find(id))?.size ?? 0))
  }

  /** Those that were made from it here. */
  childrenOf(id: Digest): readonly Image[] {
    return this.#store.catalogue.children(id)
  }

  #parentOf({ parent }: Image): Image | undefined {
    return parent === undefined ? undefined : this.find(parent)
  }

  async #delete(image: Image): Promise<readonly RemovedImage[]> {
    const gone = new Set(await this.forget(image.id))
    const chains = chainIds(image.diffIds).filter((_, i) => gone.has(image.diffIds[i]!))
    this.#emit('delete', image, image.id)
    return [{ Deleted: image.id }, ...chains.reverse().map(Deleted => ({ Deleted }))]
  }

  /** For those who make images of their own. */
  get store(): ImageStore {
    return this.#store
  }

  /** Unpacked folders, lowest first, ready for RootSpec.layers. */
  layers({ diffIds }: Pick<Image, 'diffIds'>): readonly HostPath[] {
    // overlay ignores an opaque mark on a layer's root: leaving out what it hides means the same
    const from = diffIds.findLastIndex(id => this.#opaque.has(id))
    const shown = diffIds.slice(Math.max(0, from))
    // one may be there twice, which overlay refuses: where it lies highest, it says the same of every path that it has
    return shown.filter((id, i) => shown.lastIndexOf(id) === i).map(id => this.#store.layers.root(id))
  }

  /** Of an image that was built as a loose one: one of its holders is done with it. */
  async letGo({ id }: Pick<Image, 'id'>): Promise<void> {
    if (this.#store.catalogue.letGo(id)) await this.forget(id)
  }

  /** Takes an image out of the catalogue without a word, and what nobody else has of it. @returns the layers that went. */
  async forget(id: Digest): Promise<readonly Digest[]> {
    const { catalogue, blobs: blobStore } = this.#store
    const had = await catalogue.remove(id)
    const blobs = catalogue.unreferenced(had.blobs)
    const [layers] = await Promise.all([this.#removeLayers(had.layers), ...blobs.map(each => blobStore.remove(each))])
    return layers
  }

  /** Those that nobody has: decided and taken away in one go, so that no pull can pin in between. */
  async #removeLayers(candidates: readonly Digest[]): Promise<readonly Digest[]> {
    const layers = this.#store.catalogue.unreferenced(candidates)
    await Promise.all(layers.map(each => this.#store.layers.remove(each)))
    return layers
  }

  /** Gives a layer its name that was made here. */
  async placeLayer(layer: Unplaced): Promise<void> {
    await this.#store.layers.place(layer)
    if (layer.opaque) this.#opaque.add(layer.diffId)
  }

  /** At the start: a layer that is not there is told once, and not first by a container that cannot be mounted. */
  async #checked(image: Image, aside: Aside): Promise<void> {
    await this.#noted(image)
    for (const id of image.diffIds)
      if (!(await this.#store.layers.find(id)))
        aside.say(`Image ${image.tags[0] ?? image.id} lacks layer "${id}": pull or load it again`)
  }

  async #noted(image: Image): Promise<Image> {
    await this.#noteOpaque(image.diffIds)
    return image
  }

  async #noteOpaque(layers: readonly Digest[]): Promise<void> {
    const found = await Promise.all(layers.map(id => this.#store.layers.find(id)))
    for (const [i, layer] of found.entries()) if (layer?.opaque) this.#opaque.add(layers[i]!)
  }

  /** Layers and blobs of pulls that a killed engine did not finish. */
  async #collectLeftovers(): Promise<void> {
    const { paths, catalogue, layers, blobs } = this.#store
    const digests = async (folder: string) => (await readdir(folder)).map((hex): Digest => `sha256:${hex}`)
    const [layerIds, blobIds] = await Promise.all([
      digests(dirname(paths.layer('x'))),
      digests(dirname(paths.blob('x'))),
    ])
    for (const id of catalogue.unreferenced(layerIds)) await layers.remove(id)
    for (const id of catalogue.unreferenced(blobIds)) await blobs.remove(id)
  }

  #emit(action: string, image: Image, name: string): void {
    this.#store.events.emit('image', action, image.id, { ...image.config.Labels, name })
  }
}
