/** Archives that ADD unpacks: found by their bytes, whatever their name says. */
import { createReadStream } from 'node:fs'
import { isFailure } from '../../../lib/failure.ts'
import { TarReader } from '../../base/tar-reader.ts'
import { decompressed } from '../../images/compression.ts'
import { type ArchiveLimits, withinRatio } from '../../images/unpack-limits.ts'
import type { SourceEntry } from './source-tree.ts'

/** To be closed by whoever asked for it. */
export function openArchive({ at }: SourceEntry, { ratio }: ArchiveLimits): TarReader {
  const file = createReadStream(at)
  return new TarReader(withinRatio(decompressed(file), { size: () => file.bytesRead, ratio }))
}

/** A tar, plain or compressed, that holds anything. */
export async function isArchive({ kind, stat, at }: SourceEntry): Promise<boolean> {
  if (kind === 'folder' || !stat.isFile() || stat.size === 0) return false
  const reader = new TarReader(decompressed(createReadStream(at, { highWaterMark: 4096 })))
  try {
    return (await reader.next()) !== undefined
  } catch (error) {
    if (isFailure(error, 'invalid')) return false
    throw error
  } finally {
    await reader.close()
  }
}
