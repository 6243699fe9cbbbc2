/** Which images there are: one synced record of ids, tags and digests, and in memory the configuration of each. */
import { Failure, messageOf } from '../../lib/failure.ts'
import type { Aside } from '../base/aside.ts'
import { KeyedLock } from '../base/keyed-lock.ts'
import type { Paths } from '../base/paths.ts'
import type { Blobs } from './blobs.ts'
import { type Digest, digestOf, parseDigest } from './digest.ts'
import { type Image, type ImageDocument, imageDocumentSchema } from './image.ts'
import { type ImageRecord, IndexFile } from './index-file.ts'
import { familiar, familiarName, fullName, parseReference, repositoryName } from './reference.ts'

/** What a pull, load or import brings. */
export interface NewImage {
  readonly document: ImageDocument
  readonly id: Digest
  readonly size: number
  readonly blobs: readonly Digest[]
  readonly tags: readonly string[]
  readonly digests: readonly string[]
  readonly parent?: Digest | undefined
  /** Goes again when those who added it so have let go of it, unless it is added, named or sent otherwise meanwhile. */
  readonly loose?: boolean
}

/** Layers and blobs that somebody beside the images relies on, as they are now. */
export type Holder = () => Iterable<Digest>

interface Entry {
  readonly record: ImageRecord
  readonly document: ImageDocument
  readonly image: Image
  /** How many hold it, of one that is there for its holders alone; undefined once somebody else wants it. */
  readonly loose?: number | undefined
}

export class Catalogue {
  readonly #index: IndexFile
  /** Images whose configuration cannot be read now: not offered, and nothing of theirs is taken away. */
  #unreadable: readonly ImageRecord[] = []
  /** Whether layers and blobs that no image names are nobody's. */
  isWhole = true
  readonly #entries = new Map<Digest, Entry>()
  readonly #tags = new Map<string, Digest>()
  readonly #saving = new KeyedLock()
  /** Layers and blobs that work in flight relies on, by digest. */
  readonly #pins = new Map<Digest, number>()

  readonly #holders: readonly Holder[]

  private constructor(index: IndexFile, holders: readonly Holder[]) {
    this.#index = index
    this.#holders = holders
  }

  static async open(paths: Paths, blobs: Blobs, aside: Aside, holders: readonly Holder[] = []): Promise<Catalogue> {
    const index = new IndexFile(paths, blobs, aside)
    const catalogue = new Catalogue(index, holders)
    const { images, whole } = await index.read()
    const unreadable: ImageRecord[] = []
    await Promise.all(
      images.map(async image => {
        try {
          catalogue.#set(image, parseDocument(await blobs.read(image.id), 'the store'))
        } catch (error) {
          aside.say(`Cannot use image ${image.tags[0] ?? image.id}: ${messageOf(error)}`)
          unreadable.push(image)
        }
      }),
    )
    catalogue.#unreadable = unreadable
    catalogue.isWhole = whole && unreadable.length === 0
    if (!whole) await catalogue.#save()
    return catalogue
  }

  /** By full id, name with or without tag and digest, or a unique prefix of an id, in that order. @throws Failure `invalid` for no reference. */
  find(text: string): Image | undefined {
    const bare = text.replace(/^sha256:/, '')
    if (/^[0-9a-f]{64}$/.test(bare)) return this.#entries.get(`sha256:${bare}`)?.image
    if (!text.startsWith('sha256:')) {
      const named = this.#byName(text)
      if (named) return named
    }
    if (!/^[0-9a-f]{1,64}$/.test(bare)) return undefined
    const matching = [...this.#entries.keys()].filter(id => id.startsWith(`sha256:${bare}`))
    return matching.length === 1 ? this.#entries.get(matching[0]!)!.image : undefined
  }

  #byName(text: string): Image | undefined {
    const reference = parseReference(text)
    if (reference.digest !== undefined) {
      const wanted = `${familiarName(reference)}@${reference.digest}`
      return this.list().find(image => image.digests.includes(wanted))
    }
    const id = this.#tags.get(familiar(reference))
    return id === undefined ? undefined : this.#entries.get(id)?.image
  }

  /** All tags of a repository, for a name that has none itself; in the order of the alphabet. */
  allTags(text: string): readonly { readonly tag: string; readonly image: Image }[] {
    const repository = repositoryName(text)
    return [...this.#tags]
      .filter(([tag]) => familiarName(parseReference(tag)) === repository)
      .map(([tag, id]) => ({ tag, image: this.#entries.get(id)!.image }))
      .sort((a, b) => (a.tag < b.tag ? -1 : 1))
  }

  list(): readonly Image[] {
    return [...this.#entries.values()].map(entry => entry.image)
  }

  /** Manifests and layers as they came. */
  blobs(id: Digest): readonly Digest[] {
    return this.#entries.get(id)?.record.blobs ?? []
  }

  /** Those that were made from it here. */
  children(id: Digest): readonly Image[] {
    return this.list().filter(image => image.parent === id)
  }

  has(id: Digest): boolean {
    return this.#entries.has(id)
  }

  /** Adds an image or what is new about it; a tag that another image had moves here. */
  async add(added: NewImage): Promise<Image> {
    const entry = this.#entries.get(added.id)
    const before = entry?.record
    const isLoose = added.loose && (entry === undefined || entry.loose !== undefined)
    for (const tag of added.tags) this.#untag(tag)
    this.#set(
      {
        id: added.id,
        tags: union(before?.tags ?? [], added.tags),
        digests: union(before?.digests ?? [], added.digests),
        size: added.size,
        parent: added.parent ?? before?.parent,
        lastTagged: added.tags.length > 0 ? Date.now() : before?.lastTagged,
        blobs: union(before?.blobs ?? [], added.blobs) as Digest[],
      },
      added.document,
      isLoose ? (entry?.loose ?? 0) + 1 : undefined,
    )
    // as it is now: it may be removed again while it is being saved
    const { image } = this.#entries.get(added.id)!
    await this.#save()
    return image
  }

  /** One holder less of an image that was added as a loose one; true for the last, when the image is nobody's. */
  letGo(id: Digest): boolean {
    const entry = this.#entries.get(id)
    if (entry?.loose === undefined) return false
    this.#entries.set(id, { ...entry, loose: entry.loose - 1 })
    return entry.loose === 1
  }

  async tag(id: Digest, tag: string): Promise<void> {
    this.#untag(tag)
    const { record, document } = this.#entries.get(id)!
    this.#set({ ...record, tags: union(record.tags, [tag]), lastTagged: Date.now() }, document)
    await this.#save()
  }

  /** Notes where else an image can be had: "127.0.0.1:5000/app@sha256:…"; nothing when it is gone meanwhile. */
  async addDigest(id: Digest, digest: string): Promise<void> {
    const entry = this.#entries.get(id)
    if (entry === undefined || entry.record.digests.includes(digest)) return
    this.#set({ ...entry.record, digests: [...entry.record.digests, digest] }, entry.document)
    await this.#save()
  }

  /** Takes names (tags, or digests with "@") from an image. */
  async untag(id: Digest, names: readonly string[]): Promise<void> {
    const { record, document } = this.#entries.get(id)!
    for (const name of names) this.#tags.delete(name)
    const left = (all: readonly string[]) => all.filter(name => !names.includes(name))
    this.#set({ ...record, tags: left(record.tags), digests: left(record.digests) }, document)
    await this.#save()
  }

  /** Forgets an image; returns all that it referred to: layers highest first, blobs, its id among them. */
  async remove(id: Digest): Promise<{ readonly layers: readonly Digest[]; readonly blobs: readonly Digest[] }> {
    const { record, document } = this.#entries.get(id)!
    for (const tag of record.tags) this.#tags.delete(tag)
    this.#entries.delete(id)
    await this.#save()
    return { layers: (document.rootfs.diff_ids as Digest[]).toReversed(), blobs: [...record.blobs, id] }
  }

  /** Those of `digests` that no image has, nobody else holds and no work in flight has pinned. */
  unreferenced(digests: Iterable<Digest>): readonly Digest[] {
    const used = new Set<string>(this.#pins.keys())
    for (const holder of this.#holders) for (const digest of holder()) used.add(digest)
    for (const { record, document } of this.#entries.values()) {
      used.add(record.id)
      for (const blob of record.blobs) used.add(blob)
      for (const diffId of document.rootfs.diff_ids) used.add(diffId)
    }
    return [...new Set(digests)].filter(digest => !used.has(digest))
  }

  /** Whether work in flight relies on it. */
  isPinned(digest: Digest): boolean {
    return this.#pins.has(digest)
  }

  /** Keeps layers and blobs from being collected until the returned function is called. */
  pin(digests: Iterable<Digest>): () => void {
    const pinned = [...digests]
    for (const digest of pinned) this.#pins.set(digest, (this.#pins.get(digest) ?? 0) + 1)
    return () => {
      for (const digest of pinned.splice(0)) {
        const count = this.#pins.get(digest)! - 1
        if (count === 0) this.#pins.delete(digest)
        else this.#pins.set(digest, count)
      }
    }
  }

  #untag(tag: string): void {
    const id = this.#tags.get(tag)
    if (id === undefined) return
    this.#tags.delete(tag)
    const { record, document } = this.#entries.get(id)!
    this.#set({ ...record, tags: record.tags.filter(t => t !== tag) }, document)
  }

  #set(record: ImageRecord, document: ImageDocument, loose?: number): void {
    this.#entries.set(record.id, { record, document, image: toImage(record, document), loose })
    for (const tag of record.tags) this.#tags.set(tag, record.id)
  }

  async #save(): Promise<void> {
    // one writer at a time, so that an older state never overwrites a newer one
    await this.#saving.run('record', async () => {
      const images = [...this.#entries.values()].map(entry => entry.record)
      await this.#index.write([...images, ...this.#unreadable.filter(({ id }) => !this.#entries.has(id))])
    })
  }
}

/** A configuration document, checked. @throws Failure `invalid` naming where it came from. */
export function parseDocument(data: Uint8Array, from: string): ImageDocument {
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(data).toString('utf8'))
  } catch (cause) {
    throw new Failure('invalid', `Cannot use image configuration of ${from}: it is not JSON`, { cause })
  }
  const result = imageDocumentSchema.safeParse(json)
  if (!result.success) {
    const issue = result.error.issues[0]!
    throw new Failure('invalid', `Cannot use image configuration of ${from}: ${issue.path.join('.')}: ${issue.message}`)
  }
  for (const diffId of result.data.rootfs.diff_ids) parseDigest(diffId, `a layer of ${from}`)
  return result.data
}

function sorted(names: readonly string[]): readonly string[] {
  if (names.length < 2) return [...names]
  const full = names.map(name => ({ name, by: fullName(parseReference(name)) }))
  return full.sort((a, b) => (a.by < b.by ? -1 : 1)).map(({ name }) => name)
}

function toImage(record: ImageRecord, document: ImageDocument): Image {
  const { container, container_config: config } = document
  const created = new Date(document.created ?? 0)
  return {
    id: record.id,
    tags: sorted(record.tags),
    digests: sorted(record.digests),
    size: record.size,
    parent: record.parent,
    created: Number.isNaN(created.getTime()) ? new Date(0) : created,
    lastTagged: record.lastTagged === undefined ? undefined : new Date(record.lastTagged),
    architecture: document.architecture,
    os: document.os,
    variant: document.variant ?? undefined,
    author: document.author ?? '',
    comment: document.comment ?? document.history?.at(-1)?.comment ?? '',
    config: document.config ?? {},
    ...(container && { committed: { container, config: config ?? undefined } }),
    diffIds: document.rootfs.diff_ids as Digest[],
    history: document.history ?? [],
  }
}

function union(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])]
}

/** Chain ids as the image specification defines them: what a stack of layers is called. */
export function chainIds(diffIds: readonly Digest[]): readonly Digest[] {
  const chain: Digest[] = []
  for (const diffId of diffIds) {
    const below = chain.at(-1)
    chain.push(below === undefined ? diffId : digestOf(`${below} ${diffId}`))
  }
  return chain
}
