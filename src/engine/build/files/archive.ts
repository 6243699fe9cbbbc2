/** Archives that ADD unpacks: found by their bytes, whatever their name says. */
import { createReadStream } from 'node:fs'
import { isFailure } from '../../../lib/failure.ts'
import { TarReader } from '../../base/tar-reader.ts'
import { decompressed } from '../../images/compression.ts'
import type { SourceEntry } from './source-tree.ts'

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
