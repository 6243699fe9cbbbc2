/** What a container has changed in its image: its writable layer against the layers below. */
import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { FileChange } from '../../../api/containers.ts'
import { Failure } from '../../../lib/failure.ts'
import { longestPath, MergedTree, type TreeFolder } from '../../base/merged-tree.ts'
import type { Container } from '../container.ts'
import type { Parts } from '../parts.ts'
import { ensureUpper } from './upper.ts'

const modified = 0
const added = 1
const deleted = 2

/** Made by the runtime to mount over; nobody changed them. */
const runtimePlaces = ['/dev', '/proc', '/sys', '/etc/hosts', '/etc/hostname', '/etc/resolv.conf']

export async function changes(parts: Parts, container: Container): Promise<FileChange[]> {
  const layers = parts.images.layers(parts.images.get(container.record.imageId))
  await ensureUpper(parts, container, layers)
  using below = new MergedTree(layers)
  using own = new MergedTree([parts.paths.containerUpper(container.id)])
  const places = new Set([...runtimePlaces, ...container.record.mounts.map(mount => mount.target)])
  const found: FileChange[] = []
  walk('', own.root, below.root)
  return found

  function walk(path: string, folder: TreeFolder, lower: TreeFolder | undefined): void {
    const fd = `/proc/self/fd/${folder.fds[0]}`
    for (const name of readdirSync(fd).sort()) {
      const stat = lstatSync(join(fd, name), { throwIfNoEntry: false })
      if (!stat) continue
      const Path = `${path}/${name}`
      if (Path.length > longestPath)
        throw new Failure(
          'unsupported',
          `Cannot list changes: "${Path.slice(0, 40)}…" has more than ${longestPath} characters`,
        )
      const was = lower && below.child(lower, name)
      if (!was && places.has(Path)) continue
      if (stat.isCharacterDevice() && stat.rdev === 0) {
        found.push({ Path, Kind: deleted })
        continue
      }
      found.push({ Path, Kind: was ? modified : added })
      if (!stat.isDirectory()) continue
      const child = own.child(folder, name)
      if (child?.kind === 'folder') {
        walk(Path, child, was?.kind === 'folder' ? was : undefined)
        own.close(child)
      }
      if (was?.kind === 'folder') below.close(was)
    }
  }
}
