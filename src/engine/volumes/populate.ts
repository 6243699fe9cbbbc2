/**
 * A folder of an image to the content of an empty volume.
 *
 * The copy is made in a folder of its own that no container sees, and its entries are then renamed into the volume: a container that
 * has the volume mounted already can put links there, and rename follows none.
 */
import { mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '../../lib/failure.ts'
import { stableHash } from '../../lib/stable-json.ts'
import type { HostPath, RootPath } from '../../runtime/spec.ts'
import { MergedTree } from '../base/merged-tree.ts'
import { copyFolder, setMetadata } from './copy-tree.ts'

export interface Place {
  /** The volume's content. */
  readonly data: HostPath
  /** The part of it to be filled, links followed inside it; '': all. */
  readonly subpath: RootPath
  /** Where the copy may be made, on the same file system, seen by nobody else. */
  readonly folder: HostPath
}

/** A subpath that is not there stays so. */
export async function populate(place: Place, layers: readonly HostPath[], path: RootPath): Promise<void> {
  using volume = new MergedTree([place.data])
  const found = volume.resolve(place.subpath)
  if (found?.kind !== 'folder') return
  const data = found.path
  const part = place.subpath === '' ? '' : `-${stableHash(place.subpath)}`
  const copying = join(place.folder, `copying${part}`)
  const copied = join(place.folder, `copied${part}`)
  if (readIfThere(copied) !== undefined) moveInto(copied, data)
  else if (readdirSync(data).length === 0 && layers.length > 0) {
    rmSync(copying, { recursive: true, force: true })
    using tree = new MergedTree(layers)
    const source = tree.resolve(path)
    if (source?.kind !== 'folder') return
    try {
      mkdirSync(copying, { mode: 0o700 })
      await copyFolder(tree, source, copying)
    } catch (error) {
      rmSync(copying, { recursive: true, force: true })
      throw error
    }
    // whole from here on: an engine that ends in between goes on with the moving
    renameSync(copying, copied)
    moveInto(copied, data)
    setMetadata(source.path, data, source.stat)
  }
}

/** Moves entry by entry, because the folder itself may be mounted; a folder or link that a container made there meanwhile stays. */
function moveInto(copied: HostPath, data: HostPath): void {
  for (const name of readdirSync(copied)) {
    try {
      renameSync(join(copied, name), join(data, name))
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST', 'EISDIR', 'ENOTDIR'].includes(errnoOf(error) ?? '')) throw error
      rmSync(join(copied, name), { recursive: true })
    }
  }
  rmdirSync(copied)
}

function readIfThere(path: HostPath): readonly string[] | undefined {
  try {
    return readdirSync(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}
