/** How much a container has written of its own: bytes of files that are new or other than its image's. */
import { folderSize } from '../../base/folder-size.ts'
import { differs } from '../../base/layer-tar.ts'
import { MergedTree, namesIn, type TreeFolder } from '../../base/merged-tree.ts'
import type { Container } from '../container.ts'
import { imageLayers } from '../layers.ts'
import type { Parts } from '../parts.ts'

export async function writtenBytes(parts: Parts, container: Container): Promise<number> {
  const own = parts.paths.containerUpper(container.id)
  if (container.record.root !== 'copy') return await folderSize(own)
  using tree = new MergedTree([own])
  using below = new MergedTree(imageLayers(parts.images, container.record))
  const counted = new Set<number>()
  return sum(tree.root, below.root)

  function sum(folder: TreeFolder, lower: TreeFolder | undefined): number {
    let total = 0
    for (const name of namesIn(`/proc/self/fd/${folder.fds[0]}`)) {
      const found = tree.child(folder, name)
      const was = lower && below.child(lower, name)
      if (found?.kind === 'folder') {
        total += sum(found, was?.kind === 'folder' ? was : undefined)
        tree.close(found)
      } else if (found && !counted.has(found.stat.ino) && (!was || differs(found, was, true))) {
        counted.add(found.stat.ino)
        total += found.stat.size
      }
      if (was?.kind === 'folder') below.close(was)
    }
    return total
  }
}
