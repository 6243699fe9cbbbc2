/** What a container has changed in its image: its writable layer against the layers below. */
import { lstatSync } from 'node:fs'
import type { FileChange } from '../../../api/containers.ts'
import { Failure } from '../../../lib/failure.ts'
import { fsPath } from '../../../lib/file-name.ts'
import { isOpaque, isWhiteout } from '../../base/layer-marks.ts'
import { differs } from '../../base/layer-tar.ts'
import { longestPath, MergedTree, namesIn, type TreeFolder } from '../../base/merged-tree.ts'
import type { Container } from '../container.ts'
import type { Parts } from '../parts.ts'
import { ownTree } from './view.ts'

const modified = 0
const added = 1
const deleted = 2

/** Made by the runtime to mount over; nobody changed them. */
export const runtimePlaces: ReadonlySet<string> = new Set([
  '/dev',
  '/proc',
  '/sys',
  '/etc/hosts',
  '/etc/hostname',
  '/etc/resolv.conf',
])

/** Sorted by path. What was only copied up, and folders in which nothing changed, are as they were. */
export async function changes(parts: Parts, container: Container): Promise<FileChange[]> {
  const tree = await ownTree(parts, container)
  using below = new MergedTree(tree.below)
  using own = new MergedTree([tree.own])
  return [...walk('', own.root, below.root)]

  function* walk(path: string, folder: TreeFolder, lower: TreeFolder | undefined): Generator<FileChange> {
    const at = `/proc/self/fd/${folder.fds[0]}`
    const names = namesIn(at)
    // a folder that was removed and made again hides all it had; a whole tree has all there is
    const hidden = lower && (tree.whole || (path !== '' && isOpaque(folder.path))) ? below.names(lower) : []
    for (const name of [...new Set([...names, ...hidden])].sort()) {
      const stat = lstatSync(fsPath(`${at}/${name}`), { throwIfNoEntry: false })
      const full = `${path}/${name}`
      if (full.length > longestPath)
        throw new Failure(
          'unsupported',
          `Cannot list changes: "${full.slice(0, 40)}…" has more than ${longestPath} characters`,
        )
      const was = lower && below.child(lower, name)
      if (!was && runtimePlaces.has(full)) continue
      const Path = full.toWellFormed()
      if (!stat || isWhiteout(stat)) {
        if (was) yield { Path, Kind: deleted }
      } else {
        const child = stat.isDirectory() ? own.child(folder, name) : undefined
        const inner = child?.kind === 'folder' ? [...walk(full, child, was?.kind === 'folder' ? was : undefined)] : []
        if (!was) yield { Path, Kind: added }
        else if (inner.length > 0 || differs({ stat, path: `${at}/${name}` }, was, tree.whole))
          yield { Path, Kind: modified }
        yield* inner
        if (child?.kind === 'folder') own.close(child)
      }
      if (was?.kind === 'folder') below.close(was)
    }
  }
}
