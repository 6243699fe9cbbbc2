/** A folder to the bytes of the files in it, links counted as themselves and never followed. */
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '../../lib/failure.ts'

export async function folderSize(path: string): Promise<number> {
  let total = 0
  try {
    for (const entry of await readdir(path, { withFileTypes: true })) {
      const member = join(path, entry.name)
      total += entry.isDirectory() ? await folderSize(member) : (await lstat(member)).size
    }
  } catch (error) {
    // containers write while we count: what has just gone counts nothing
    if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw error
  }
  return total
}
