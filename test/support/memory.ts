/** Where a test that makes thousands of small files, and asks nothing of a file system but to be one, makes them. */
import { accessSync, constants, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'

/** In memory, where this machine has such a place with room; a disk's file system takes seconds of processor time for them. */
export const memory = isRoomy('/dev/shm') ? '/dev/shm' : tmpdir()

function isRoomy(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    const { type, bavail, bsize } = statfsSync(folder)
    // TMPFS_MAGIC of statfs(2)
    return type === 0x01021994 && bavail * bsize > 2 ** 29
  } catch {
    return false
  }
}
