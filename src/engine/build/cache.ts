/** The build cache: which layer a step made, by all that it was made of. A record a step, each written whole; its layer is held while it is there. */
import { statSync, utimesSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { errnoOf } from '../../lib/failure.ts'
import type { Aside } from '../base/aside.ts'
import type { Paths } from '../base/paths.ts'
import { type RecordKind, writeRecord } from '../base/store.ts'
import type { Syncer } from '../base/syncer.ts'
import { type Digest, isDigest } from '../images/digest.ts'

const recordVersion = 1
const digestSchema = z.custom<Digest>(value => typeof value === 'string' && isDigest(value))

export const cacheRecordSchema = z.object({
  version: z.literal(recordVersion),
  /** Hex. */
  key: z.string().regex(/^[0-9a-f]{64}$/),
  /** "RUN npm ci". */
  description: z.string(),
  /** Whether a folder of RUN --mount=type=cache was in reach: shown apart, as by Docker. */
  usesMounts: z.boolean(),
  /** Chain id of what it lies on; "" on nothing. */
  below: z.string(),
  /** Null when it wrote nothing. */
  layer: digestSchema.nullable(),
  /** Bytes of its files. */
  size: z.number(),
  created: z.string(),
})

export type CacheRecord = Readonly<z.infer<typeof cacheRecordSchema>>

const cacheKind: RecordKind<z.infer<typeof cacheRecordSchema>> = { version: recordVersion, schema: cacheRecordSchema }

export interface CacheEntry {
  readonly record: CacheRecord
  /** Milliseconds since 1970. */
  readonly lastUsed: number
  /** Since the engine started. */
  readonly uses: number
}

interface CacheOptions {
  readonly paths: Paths
  readonly aside: Aside
  readonly syncer: Syncer
}

export class BuildCache {
  readonly #paths: Paths
  readonly #syncer: Syncer
  readonly #entries = new Map<string, CacheEntry>()

  private constructor({ paths, syncer }: CacheOptions) {
    this.#paths = paths
    this.#syncer = syncer
  }

  /** Reads all records; a damaged one is kept aside, and its step runs again. */
  static async open(options: CacheOptions): Promise<BuildCache> {
    const { paths, aside } = options
    await aside.folder(paths.build)
    await aside.folder(paths.buildRecords)
    const cache = new BuildCache(options)
    const names = await readdir(paths.buildRecords)
    await Promise.all(
      names.map(async name => {
        const path = join(paths.buildRecords, name)
        // a write that was cut short
        if (name.startsWith('.')) return await rm(path, { recursive: true, force: true })
        const loaded = await aside.load(path, cacheKind)
        if (loaded.kind !== 'whole') return
        const { record } = loaded
        if (name === `${record.key}.json`)
          cache.#entries.set(record.key, { record, lastUsed: statSync(path).mtimeMs, uses: 0 })
        else aside.keep(path, `Cannot use "${path}": its record is that of step "${record.key}"`)
      }),
    )
    return cache
  }

  /** Layers that are held. */
  *layers(): Generator<Digest> {
    for (const { record } of this.#entries.values()) if (record.layer !== null) yield record.layer
  }

  list(): readonly CacheEntry[] {
    return [...this.#entries.values()]
  }

  get(key: string): CacheRecord | undefined {
    return this.#entries.get(key)?.record
  }

  /** A step's result, which is now the one used last. */
  use(key: string): CacheRecord | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    const now = Date.now()
    this.#entries.set(key, { ...entry, lastUsed: now, uses: entry.uses + 1 })
    try {
      // the file's time is kept in place of a member, so that a use costs no write
      utimesSync(this.#paths.buildRecord(key), now / 1000, now / 1000)
    } catch (error) {
      // somebody took the file away: it is here as long as the engine runs
      if (errnoOf(error) !== 'ENOENT') throw error
    }
    return entry.record
  }

  async add(record: Omit<CacheRecord, 'version'>): Promise<CacheRecord> {
    const path = this.#paths.buildRecord(record.key)
    const whole: CacheRecord = { ...record, version: recordVersion }
    await writeRecord(path, whole)
    this.#syncer.later(path)
    this.#entries.set(record.key, { record: whole, lastUsed: Date.now(), uses: 1 })
    return whole
  }

  /** Its layer is nobody's from then on, unless an image or another step has it. */
  async remove(key: string): Promise<void> {
    this.#entries.delete(key)
    await rm(this.#paths.buildRecord(key), { force: true })
  }
}
