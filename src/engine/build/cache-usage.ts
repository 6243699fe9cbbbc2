/** What the build cache holds, as it is listed and cleared away: steps' layers, the folders of cache mounts, downloads, and copies of contexts. */
import { statfs } from 'node:fs/promises'
import type { Paths } from '../base/paths.ts'
import type { Digest } from '../images/digest.ts'
import type { Images } from '../images/images.ts'
import type { BuildCache } from './cache.ts'
import type { CacheMounts } from './cache-mounts.ts'
import { type CacheItem, type CacheSpace, chooseItems, keptBytes, type PruneRequest, usedBytes } from './cache-prune.ts'
import type { FileWork } from './file-work.ts'

interface CacheUsageOptions {
  readonly paths: Paths
  readonly images: Images
  readonly cache: BuildCache
  readonly mounts: CacheMounts
  readonly files: Pick<FileWork, 'downloads'>
  readonly copies: ContextCopies
  /** What it may have after a build; a tenth of the disk where it says nothing of the most. */
  readonly budget: CacheSpace | undefined
}

/** Copies of clients' folders that are kept between builds. */
export interface ContextCopies {
  /** Those that no build uses. */
  list(): Promise<readonly { readonly id: string; readonly size: number; readonly lastUsed: number }[]>
  /** Whether it was there and no build used it. */
  remove(id: string): Promise<boolean>
}

export class CacheUsage {
  readonly #options: CacheUsageOptions
  #trimming: Promise<unknown> = Promise.resolve()

  constructor(options: CacheUsageOptions) {
    this.#options = options
  }

  async list(): Promise<readonly CacheItem[]> {
    const { images, cache, mounts } = this.#options
    const ofImages = new Set(images.list().flatMap(({ diffIds }) => diffIds))
    const counted = new Set<Digest>()
    const steps = cache.list().map(({ record, lastUsed, uses }): CacheItem => {
      const { key, layer, below, description, created } = record
      const size = layer === null || counted.has(layer) ? 0 : record.size
      if (layer !== null) counted.add(layer)
      return {
        id: key,
        type: 'regular',
        description,
        parents: below === '' ? [] : [below],
        size,
        created: Date.parse(created),
        lastUsed,
        uses,
        inUse: layer !== null && images.store.catalogue.isPinned(layer),
        shared: layer !== null && ofImages.has(layer),
      }
    })
    const folders = (await mounts.list()).map(
      ({ key, size, lastUsed, inUse }): CacheItem => ({
        id: key,
        type: 'exec.cachemount',
        description: 'folder of RUN --mount=type=cache',
        parents: [],
        size,
        created: lastUsed,
        lastUsed,
        uses: 0,
        inUse,
        shared: false,
      }),
    )
    const downloads = this.#options.files.downloads.list().map(
      ({ id, size, used, created }): CacheItem => ({
        id,
        type: 'source.http',
        description: 'file that ADD fetched',
        parents: [],
        size,
        created,
        lastUsed: used,
        uses: 0,
        inUse: false,
        shared: false,
      }),
    )
    const copies = (await this.#options.copies.list()).map(
      ({ id, size, lastUsed }): CacheItem => ({
        id,
        type: 'source.local',
        description: 'copy of a folder of a client',
        parents: [],
        size,
        created: lastUsed,
        lastUsed,
        uses: 0,
        inUse: false,
        shared: false,
      }),
    )
    return [...steps, ...folders, ...downloads, ...copies]
  }

  /** The ids of what has gone, and the bytes that are free now. */
  async prune({
    all,
    filters,
    space = {},
  }: Pick<PruneRequest, 'all' | 'filters'> & { readonly space?: CacheSpace }): Promise<{
    readonly deleted: readonly string[]
    readonly reclaimed: number
  }> {
    const { mounts, files, copies } = this.#options
    const owners = { 'exec.cachemount': mounts, 'source.http': files.downloads, 'source.local': copies }
    const deleted: string[] = []
    let reclaimed = 0
    const items = await this.list()
    const { bavail, bsize } = await statfs(this.#options.paths.build)
    const keep = keptBytes(space, usedBytes(items), bavail * bsize)
    for (const item of chooseItems(items, { all, filters, keep })) {
      if (item.type === 'regular') reclaimed += await this.#removeStep(item.id)
      else {
        if (!(await owners[item.type].remove(item.id))) continue
        reclaimed += item.size
      }
      deleted.push(item.id)
    }
    return { deleted, reclaimed }
  }

  /** Bytes of its layer, when that went too. */
  async #removeStep(key: string): Promise<number> {
    const { cache, images } = this.#options
    const record = cache.get(key)
    if (record === undefined) return 0
    await cache.remove(key)
    // decided and taken away in one go, so that no build can come to rely on it in between
    const gone = images.store.catalogue.unreferenced(record.layer === null ? [] : [record.layer])
    await Promise.all(gone.map(layer => images.store.layers.remove(layer)))
    return gone.length > 0 ? record.size : 0
  }

  /** Removes what is over the budget; one at a time. */
  async trim(): Promise<void> {
    const trimming = this.#trimming.then(async () => {
      const budget = this.#options.budget
      const most = Math.max(1, budget?.most ?? (await this.#tenth()))
      await this.prune({ all: false, filters: {}, space: { ...budget, most } })
    })
    this.#trimming = trimming.catch(() => undefined)
    await trimming
  }

  async #tenth(): Promise<number> {
    const { blocks, bsize } = await statfs(this.#options.paths.build)
    return Math.floor((blocks * bsize) / 10)
  }
}
