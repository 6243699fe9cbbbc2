/** What COPY and ADD do: each source in its turn into the place it is meant for, in the upper of the stack it is copied onto. */
import { posix } from 'node:path'
import { Failure } from '../../../lib/failure.ts'
import { OverlayWriter, type Owner, type WriteFolder } from '../../base/overlay-writer.ts'
import type { CopyRequest } from '../copy-request.ts'
import { Copier, type CopyOptions } from './copier.ts'
import { parseChmod } from './mode.ts'
import { findOwner } from './owner.ts'
import { SourceTree } from './source-tree.ts'
import { type FoundSource, findSources } from './sources.ts'

const root: Owner = { uid: 0, gid: 0 }

/**
 * Writes into `upper` what the step brings; nothing when its wildcards match nothing.
 * @throws Failure `not-found` for a source that is not there, `conflict` for a folder where a file should go or the reverse.
 */
export async function copyFiles(request: CopyRequest): Promise<void> {
  const { step, below, upper, signal } = request
  const chmod = step.chmod === undefined ? undefined : parseChmod(step.chmod)
  const owner = step.chown === undefined ? undefined : findOwner(step.chown, below)
  const made = { owner: owner ?? root, mode: chmod?.number === undefined ? 0o755 : chmod.number & 0o755 }
  const options: CopyOptions = { owner, chmod, include: undefined, exclude: step.exclude, signal }
  using writer = new OverlayWriter(below, upper)
  const to: Destination = { writer, path: step.destination, made }
  using tree = new SourceTree(request.source)
  for (const source of step.sources) {
    if (typeof source !== 'string') throw new Failure('unsupported', 'Cannot ADD files: only COPY is there')
    for (const found of findSources(tree, source)) await copySource(found, new Copier(tree, writer, options), to)
  }
}

interface Destination {
  readonly writer: OverlayWriter
  /** Absolute. */
  readonly path: string
  /** Of folders that are made on the way: the number of `--chmod` under a umask of 022. */
  readonly made: { readonly owner: Owner; readonly mode: number }
}

/** One source that was found: a folder's contents, or a file under the destination's name or, in a folder, under its own. */
async function copySource(found: FoundSource, copier: Copier, to: Destination): Promise<void> {
  const { writer, made } = to
  ensureParents(to)
  const place = writer.resolve(to.path)
  try {
    const there = place.entries.length === 0 ? writer.root : place.entries.at(-1)
    if (found.entry.kind === 'folder') {
      if (there?.kind === 'node')
        throw new Failure('conflict', `cannot copy to non-directory: /${place.names.join('/')}`)
      await copier.contents(found.entry, writer.makeFolders(place, made))
    } else if (there?.kind === 'folder') {
      await copier.node(found.entry, there, found.name)
    } else {
      const parents = { names: place.names.slice(0, -1), entries: place.entries.slice(0, -1) }
      const parent: WriteFolder = writer.makeFolders(parents, made)
      await copier.node(found.entry, parent, place.names.at(-1)!)
      place.entries.splice(0, parents.entries.length, ...parents.entries)
    }
  } finally {
    writer.release(place)
  }
}

/** All but the last part of the destination is made; the last one too when it ends in "/". */
function ensureParents({ writer, path, made }: Destination): void {
  const folder = /(?:^|\/)\.?$/.test(path) ? path : posix.dirname(path)
  const place = writer.resolve(folder)
  writer.makeFolders(place, made)
  writer.release(place)
}
