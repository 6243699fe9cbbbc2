/** The folder that a step writes to, and what becomes of it: a layer of the store, renamed to its place and never copied. */
import { randomUUID } from 'node:crypto'
import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { HostPath } from '../../runtime/spec.ts'
import type { Paths } from '../base/paths.ts'
import { removeFolder } from '../base/remove-folder.ts'
import { measureLayer } from '../base/unpacked-layer.ts'
import type { Digest } from '../images/digest.ts'
import type { Images } from '../images/images.ts'
import { layerRecord } from '../images/layers.ts'
import { largeSum, sumOf } from '../images/sum.ts'

export interface Workplace extends AsyncDisposable {
  /** Takes what is written; has the owner and mode of the root below. */
  readonly upper: HostPath
  readonly work: HostPath
  /** For whatever else the step needs. */
  readonly extra: HostPath
}

/** @param layers what it lies on, lowest first. */
export function openWorkplace(paths: Paths, layers: readonly HostPath[]): Workplace {
  const folder = join(paths.buildTemp, randomUUID())
  const upper = join(folder, 'layer', 'root')
  const work = join(folder, 'work')
  const extra = join(folder, 'extra')
  mkdirSync(upper, { recursive: true })
  mkdirSync(work)
  mkdirSync(extra)
  const top = layers.at(-1)
  const { mode, uid, gid } = top === undefined ? { mode: 0o755, uid: 0, gid: 0 } : statSync(top)
  if (uid !== 0 || gid !== 0) chownSync(upper, uid, gid)
  chmodSync(upper, mode & 0o7777)
  return { upper, work, extra, [Symbol.asyncDispose]: () => removeFolder(folder) }
}

export interface MadeLayer {
  /** Undefined when nothing was written. */
  readonly diffId: Digest | undefined
  readonly size: number
}

/** The caller pins the layer by `onDigest`, before it is in its place. */
export async function keepLayer(
  images: Images,
  { upper }: Pick<Workplace, 'upper'>,
  { onDigest, signal }: { readonly onDigest: (diffId: Digest) => void; readonly signal: AbortSignal },
): Promise<MadeLayer> {
  const { size, empty, opaque } = await measureLayer(upper)
  if (empty) return { diffId: undefined, size: 0 }
  const job = { kind: 'layer', root: upper } as const
  const diffId = size >= largeSum ? await images.store.layers.sum(job, signal) : await sumOf(job, () => signal.aborted)
  onDigest(diffId)
  const path = join(upper, '..')
  await layerRecord(path, { size, opaque })
  await images.placeLayer({ diffId, path, size, opaque })
  return { diffId, size }
}
