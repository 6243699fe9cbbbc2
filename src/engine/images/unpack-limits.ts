/** How much an archive may write: what was set, and never more than the disk has to spare. */
import { statfs } from 'node:fs/promises'
import { Failure } from '../../lib/failure.ts'
import type { HostPath } from '../../runtime/spec.ts'

export interface UnpackLimits {
  /** Content of all files together. */
  readonly bytes: number
  readonly entries: number
  /** Components of one path. */
  readonly depth: number
}

export interface ArchiveLimits extends UnpackLimits {
  /** How many times its compressed size an archive may have, once it is large. */
  readonly ratio: number
}

/** Ratios are looked at from here on: a small file of zeros is no bomb. */
const ratioFrom = 256 * 1024 * 1024

/** What an archive may bring at most, and what there is room for in a folder. */
export async function unpackLimits(folder: HostPath, wanted: Partial<ArchiveLimits> = {}): Promise<ArchiveLimits> {
  const limits = { bytes: 64 * 1024 ** 3, entries: 2_000_000, depth: 256, ratio: 2000, ...wanted }
  const spare = await spareRoom(folder)
  return { ...limits, bytes: Math.min(limits.bytes, spare.bytes), entries: Math.min(limits.entries, spare.entries) }
}

/** What is free, but for a twentieth of the disk: a bomb must not fill the host. */
export async function spareRoom(folder: HostPath): Promise<{ readonly bytes: number; readonly entries: number }> {
  const { bavail, blocks, bsize, files, ffree } = await statfs(folder)
  return {
    bytes: Math.max(0, Math.floor((bavail - blocks * 0.05) * bsize)),
    // some file systems count no inodes
    entries: files > 0 ? Math.max(0, Math.floor(ffree - files * 0.05)) : Infinity,
  }
}

/** Plain bytes as long as they are not too many for the compressed ones, as which `size` have been read. @throws Failure `invalid`. */
export async function* withinRatio(
  plain: AsyncIterable<Uint8Array>,
  { size, ratio }: { readonly size: () => number; readonly ratio: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  let grown = 0
  for await (const chunk of plain) {
    grown += chunk.length
    if (grown > ratioFrom && grown > size() * ratio)
      throw new Failure('invalid', `Cannot unpack the archive: it grows to more than ${ratio} times its size`)
    yield chunk
  }
}
