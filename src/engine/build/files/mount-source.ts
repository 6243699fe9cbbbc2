/** A source of files as layers that can be mounted: what a .dockerignore leaves out is hidden by one more layer of whiteouts. */
import { chmodSync, chownSync, mkdirSync } from 'node:fs'
import type { HostPath } from '../../../runtime/spec.ts'
import { OverlayWriter, type WriteFolder } from '../../base/overlay-writer.ts'
import type { FilesSource } from '../copy-request.ts'
import { Copier } from './copier.ts'
import { selection } from './selection.ts'
import { type SourceFolder, SourceTree } from './source-tree.ts'
import { findPath } from './sources.ts'
import { Turns } from './turns.ts'

/** Lowest first. `mask` is a path where nothing is yet; it is made when there is something to hide, and belongs to the caller. */
export function shownLayers(source: FilesSource, mask: HostPath): readonly HostPath[] {
  if (source.exclude.length === 0) return source.layers
  mkdirSync(mask)
  using tree = new SourceTree(source)
  const { uid, gid, mode } = tree.root.stat
  chownSync(mask, uid, gid)
  chmodSync(mask, mode & 0o7777)
  using writer = new OverlayWriter(source.layers, mask)
  hide(tree, tree.root, { writer, folder: writer.root })
  return [...source.layers, mask]
}

function hide(
  tree: SourceTree,
  source: SourceFolder,
  { writer, folder }: { readonly writer: OverlayWriter; readonly folder: WriteFolder },
): void {
  const shown = new Set<string>()
  for (const [name, entry] of tree.children(source)) {
    shown.add(name)
    if (entry.kind !== 'folder') continue
    const below = writer.child(folder, name)
    if (below?.kind !== 'folder') continue
    hide(tree, entry, { writer, folder: below })
    writer.close(below)
  }
  for (const name of tree.allNames(source)) if (!shown.has(name)) writer.remove(folder, name)
}

/**
 * Copies what is in a folder of the source (or the file at a path, under its name) into a folder of the host, as it is.
 * @throws Failure `not-found`.
 */
export async function copyPart(
  source: FilesSource,
  path: string,
  { into, signal }: { readonly into: HostPath; readonly signal: AbortSignal },
): Promise<void> {
  using tree = new SourceTree(source)
  using writer = new OverlayWriter([], into)
  const options = { owner: undefined, chmod: undefined, selection: selection(undefined, []), turns: new Turns(signal) }
  for (const { entry, name } of findPath(tree, path)) {
    const copier = new Copier(tree, writer, options)
    if (entry.kind === 'folder') await copier.contents(entry, writer.root)
    else await copier.node(entry, writer.root, name)
  }
}
