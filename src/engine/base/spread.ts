/** Folders that are filled and removed side by side lie apart on disk. */
import { debug } from '../../lib/debug.ts'
import { messageOf } from '../../lib/failure.ts'
import { spreadBelow } from '../../runtime/native.ts'
import type { HostPath } from '../../runtime/spec.ts'

const log = debug('storage')

/**
 * Folders made in this one from now on each lie in a place of their own, where the file system knows such a thing (ext4). Those that share
 * one pay for what was removed there just before: without a journal ext4 looks, inode by inode, for one that was not.
 */
export function spread(folder: HostPath): void {
  try {
    spreadBelow(folder)
  } catch (error) {
    log('what is in "%s" lies where the file system puts it: %s', folder, messageOf(error))
  }
}
