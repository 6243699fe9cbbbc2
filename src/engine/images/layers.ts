/** Layers by their diff id: unpacked once, whole or not at all, shared by every image and container. */
import { renameSync, statSync } from 'node:fs'
import { chmod, mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { errnoOf, Failure } from '../../lib/failure.ts'
import type { HostPath } from '../../runtime/spec.ts'
import type { Aside } from '../base/aside.ts'
import type { Paths } from '../base/paths.ts'
import { removeFolder } from '../base/remove-folder.ts'
import { spread } from '../base/spread.ts'
import { type RecordKind, writeRecord } from '../base/store.ts'
import { type Blobs, checkReceived, type Expected, mismatch } from './blobs.ts'
import { type Digest, hexOf, isDigest } from './digest.ts'
import type { SumJob } from './sum.ts'
import type { BlobTold } from './unpack-job.ts'
import { type ArchiveLimits, spareRoom, unpackLimits } from './unpack-limits.ts'
import { UnpackPool, wereOthers } from './unpack-pool.ts'

const recordVersion = 1
const digestSchema = z.custom<Digest>(value => typeof value === 'string' && isDigest(value))
const recordSchema = z.object({
  version: z.literal(recordVersion),
  size: z.number(),
  /** Hides all layers below. */
  opaque: z.boolean(),
  /** The bytes it was unpacked from, compressed or not; engines before this did not note it. */
  blob: digestSchema.optional(),
  /** What a push has made of it, whose bytes are not kept. */
  sent: z.object({ digest: digestSchema, size: z.number() }).optional(),
})

const layerKind: RecordKind<z.infer<typeof recordSchema>> = { version: recordVersion, schema: recordSchema }

export interface Layer {
  readonly size: number
  readonly opaque: boolean
  readonly blob?: Digest | undefined
  readonly sent?: { readonly digest: Digest; readonly size: number } | undefined
}

/** A layer unpacked under a temporary name. */
export interface Unplaced extends Layer {
  readonly diffId: Digest
  readonly path: HostPath
}

export interface LayersOptions {
  readonly aside: Aside
  readonly limits?: Partial<ArchiveLimits> | undefined
  readonly threads?: UnpackPool | undefined
}

export class Layers {
  readonly #paths: Paths
  readonly #blobs: Blobs
  readonly #limits: Partial<ArchiveLimits>
  readonly #aside: Aside
  readonly #pool: UnpackPool
  /** Records as they were read last; every step of a build asks for one. */
  readonly #known = new Map<Digest, { readonly stamp: string; readonly layer: Layer }>()
  #isSpread = false

  constructor(paths: Paths, blobs: Blobs, { aside, limits = {}, threads = new UnpackPool() }: LayersOptions) {
    this.#paths = paths
    this.#blobs = blobs
    this.#limits = limits
    this.#pool = threads
    this.#aside = aside
  }

  /** The layer's record, which is written before the layer gets its name; undefined when it is not here. */
  async find(diffId: Digest): Promise<Layer | undefined> {
    const path = this.#paths.layerRecord(hexOf(diffId))
    const stamp = stampOf(path)
    const known = this.#known.get(diffId)
    if (known !== undefined && known.stamp === stamp) return known.layer
    this.#known.delete(diffId)
    const loaded = await this.#aside.load(path, layerKind)
    if (loaded.kind !== 'whole') return undefined
    if (stamp !== undefined) this.#known.set(diffId, { stamp, layer: loaded.record })
    return loaded.record
  }

  /** Notes what a layer is to a registry, for the next push. The layer must be pinned. */
  async noteSent(diffId: Digest, sent: NonNullable<Layer['sent']>): Promise<void> {
    const layer = await this.find(diffId)
    if (layer === undefined) return
    const record = { version: recordVersion, ...layer, sent }
    await writeRecord(this.#paths.layerRecord(hexOf(diffId)), record)
  }

  /** The bytes and blobs of those that are here, all together. */
  async totals(diffIds: readonly Digest[]): Promise<{ readonly size: number; readonly blobs: readonly Digest[] }> {
    const found = await Promise.all(diffIds.map(diffId => this.find(diffId)))
    return {
      size: found.reduce((sum, layer) => sum + (layer?.size ?? 0), 0),
      blobs: found.flatMap(layer => layer?.blob ?? []),
    }
  }

  root(diffId: Digest): HostPath {
    return join(this.#paths.layer(hexOf(diffId)), 'root')
  }

  /** Unpacks a tar, compressed or not, that has the digest `blob`; nothing is left when it fails. */
  async unpack(source: AsyncIterable<Uint8Array>, blob: Digest, onTaken?: (total: number) => void): Promise<Unplaced> {
    const { layer } = await this.#unpack(source, { blob, onTaken })
    return layer
  }

  /**
   * Unpacks a blob while it comes, and keeps it. Nothing of it has a name before all of it is what was promised.
   * @throws Failure `invalid` naming digest and sender when it is something else.
   */
  async receive(
    source: AsyncIterable<Uint8Array>,
    {
      diffId,
      onTaken,
      ...expected
    }: Expected & { readonly diffId: Digest; readonly onTaken?: (total: number) => void },
  ): Promise<Layer> {
    const keep = this.#blobs.temporary()
    try {
      const { layer, blob } = await this.#unpack(atMost(source, expected), {
        blob: expected.digest,
        keep,
        onTaken,
      }).catch(error => {
        const others = wereOthers(error, expected)
        if (others !== undefined) checkReceived(others, expected)
        throw error
      })
      try {
        checkReceived(blob, expected)
        await this.#blobs.keep({ ...blob, path: keep })
      } catch (error) {
        await removeFolder(layer.path)
        throw error
      }
      await this.place(layer, diffId)
      return layer
    } finally {
      await rm(keep, { force: true })
    }
  }

  /** Of what is large, beside the engine's own thread. @throws the signal's reason. */
  sum(job: SumJob, signal: AbortSignal): Promise<Digest> {
    return this.#pool.sum(job, signal)
  }

  async #unpack(
    source: AsyncIterable<Uint8Array>,
    {
      blob,
      keep,
      onTaken,
    }: { readonly blob: Digest; readonly keep?: HostPath; readonly onTaken?: ((total: number) => void) | undefined },
  ): Promise<{ readonly layer: Unplaced; readonly blob: BlobTold }> {
    this.#spread()
    const path = this.#blobs.temporary()
    const root = join(path, 'root')
    await mkdir(path, { mode: 0o700 })
    try {
      await mkdir(root)
      // what a layer without an entry for its root means; the folder above keeps others out
      await chmod(root, 0o755)
      const job = { root, limits: await this.unpackLimits(), keep }
      const { size, opaque, diffId, blob: found } = await this.#pool.run(job, source, onTaken)
      const layer = { size, opaque, blob }
      await layerRecord(path, layer)
      return { layer: { ...layer, diffId, path }, blob: found }
    } catch (error) {
      await removeFolder(path)
      throw error
    }
  }

  #spread(): void {
    if (!this.#isSpread) spread(this.#paths.imageTemp)
    this.#isSpread = true
  }

  /** Gives an unpacked layer its name, if it is the one that `diffId` promises. */
  async place(layer: Unplaced, diffId: Digest = layer.diffId): Promise<void> {
    if (layer.diffId !== diffId) {
      await removeFolder(layer.path)
      throw new Failure('invalid', `Cannot use layer "${diffId}": its content has diff id ${layer.diffId}`)
    }
    const path = this.#paths.layer(hexOf(diffId))
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      await rename(layer.path, path)
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(errnoOf(error) ?? '')) {
        await removeFolder(layer.path)
        throw error
      }
      if (await this.find(diffId)) {
        // unpacked by somebody else meanwhile: the same content
        await removeFolder(layer.path)
        return
      }
      this.#aside.keep(path, `Cannot use "${path}" as a layer: it has no record`)
      await rename(layer.path, path)
    }
  }

  /**
   * Renamed away first, so that a removal that is cut short leaves no half layer under a trusted name; and at once, before this
   * returns its promise, so that nobody can come to rely on it between the decision and the deed.
   */
  async remove(diffId: Digest): Promise<void> {
    this.#known.delete(diffId)
    const doomed = this.#blobs.temporary()
    try {
      renameSync(this.#paths.layer(hexOf(diffId)), doomed)
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return
      throw error
    }
    await removeFolder(doomed)
  }

  /** What may be written: what is free, but for a twentieth of the disk. A bomb must not fill the host. */
  async spareBytes(): Promise<number> {
    return (await spareRoom(this.#paths.imageTemp)).bytes
  }

  /** What a layer may bring at most, and what there is room for. */
  async unpackLimits(): Promise<ArchiveLimits> {
    return await unpackLimits(this.#paths.imageTemp, this.#limits)
  }
}

/** Writes the record of a layer into its folder, before that gets its name. */
export async function layerRecord(path: HostPath, layer: Layer): Promise<void> {
  await writeRecord(join(path, 'layer.json'), { version: recordVersion, ...layer })
}

/** @throws Failure `invalid` as soon as there is more than was announced. */
async function* atMost(
  source: AsyncIterable<Uint8Array>,
  expected: Expected,
): AsyncGenerator<Uint8Array, void, undefined> {
  let size = 0
  for await (const chunk of source) {
    size += chunk.length
    if (size > expected.size) throw mismatch(expected, `more than the announced ${expected.size} bytes were sent`)
    yield chunk
  }
}

/** What differs when a file has been written anew; undefined when there is none to look at. */
function stampOf(path: HostPath): string | undefined {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true })
    return `${ino} ${size} ${mtimeNs} ${ctimeNs}`
  } catch {
    // whoever reads it says what is wrong
    return undefined
  }
}
