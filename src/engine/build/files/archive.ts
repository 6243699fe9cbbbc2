/** Archives that ADD unpacks: found by their bytes, whatever their name says. */
import { isFailure } from '../../../lib/failure.ts'
import { fileBytes } from '../../base/file-bytes.ts'
import { TarReader } from '../../base/tar-reader.ts'
import { decompressed } from '../../images/compression.ts'
import { type ArchiveLimits, withinRatio } from '../../images/unpack-limits.ts'
import type { SourceEntry } from './source-tree.ts'

/** To be closed by whoever asked for it. */
export function openArchive({ at }: SourceEntry, { ratio }: ArchiveLimits): TarReader {
  let read = 0
  const bytes = fileBytes(at, { onRead: total => void (read = total) })
  return new TarReader(withinRatio(decompressed(bytes), { size: () => read, ratio }))
}

/** A tar, plain or compressed, that holds anything. */
export async function isArchive({ kind, stat, at }: SourceEntry): Promise<boolean> {
  if (kind === 'folder' || !stat.isFile() || stat.size === 0) return false
  const reader = new TarReader(decompressed(fileBytes(at, { piece: 4096 })))
  try {
    return (await reader.next()) !== undefined
  } catch (error) {
    if (isFailure(error, 'invalid')) return false
    throw error
  } finally {
    await reader.close()
  }
}
