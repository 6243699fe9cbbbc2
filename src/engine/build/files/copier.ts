/**
 * A file or folder of a source tree into a place of the tree it is copied onto: what BuildKit's copy does with folders that exist, with
 * hard links, patterns, owners and modes.
 */
import { fchmodSync, fchownSync, futimesSync, linkSync } from 'node:fs'
import { Failure } from '../../../lib/failure.ts'
import { fsPath } from '../../../lib/file-name.ts'
import type { HostPath } from '../../../runtime/spec.ts'
import type { Owner } from '../../base/copy-node.ts'
import { copyNode, copyXattrs, timeOf } from '../../base/copy-node.ts'
import type { OverlayWriter, WriteFolder } from '../../base/overlay-writer.ts'
import { spaceFailure } from '../../base/space.ts'
import type { Chmod } from './mode.ts'
import type { Selection } from './selection.ts'
import type { SourceFolder, SourceNode, SourceTree } from './source-tree.ts'
import type { Turns } from './turns.ts'

export interface CopyOptions {
  /** Instead of the source's own. */
  readonly owner: Owner | undefined
  readonly chmod: Chmod | undefined
  readonly selection: Selection
  readonly turns: Turns
}

/** Folders are made when something in them is known to be copied: patterns may leave nothing. */
interface Target {
  readonly source: SourceFolder
  readonly parent: Target | undefined
  readonly name: string
  folder: WriteFolder | undefined
}

/** One at a time for each source: hard links hold inside one source only. */
export class Copier {
  readonly #tree: SourceTree
  readonly #writer: OverlayWriter
  readonly #options: CopyOptions
  /** "dev:ino" of files with several names → where the first of them was made, below an open folder. */
  readonly #links = new Map<string, { readonly folder: HostPath; readonly name: string }>()
  readonly #turns: Turns

  constructor(tree: SourceTree, writer: OverlayWriter, options: CopyOptions) {
    this.#tree = tree
    this.#writer = writer
    this.#options = options
    this.#turns = options.turns
  }

  /** A file, link or device under a name of a folder. @throws Failure `conflict` when a folder is there. */
  async node(source: SourceNode, parent: WriteFolder, name: string): Promise<void> {
    await this.#turns.next()
    const before = this.#writer.child(parent, name)
    if (before?.kind === 'folder')
      throw new Failure('conflict', `cannot replace to directory ${before.name} with file ${source.path}`)
    const { stat } = source
    const key = stat.nlink > 1 ? `${stat.dev}:${stat.ino}` : undefined
    const first = key === undefined ? undefined : this.#links.get(key)
    const to = this.#writer.clear(parent, name)
    if (first !== undefined) return this.#link(first, to)
    try {
      await copyNode(source, to, { owner: this.#owner(source), mode: this.#mode(source) })
    } catch (error) {
      throw spaceFailure(error, `${parent.name}/${name}`)
    }
    if (key !== undefined) this.#links.set(key, { folder: parent.name, name })
  }

  /** What is in a folder into one that is there; it keeps its owner and mode. */
  async contents(source: SourceFolder, into: WriteFolder): Promise<void> {
    await this.#children({ source, parent: undefined, name: '', folder: into }, '')
  }

  async #children(target: Target, above: string): Promise<void> {
    const { selection } = this.#options
    for (const [name, entry] of this.#tree.children(target.source)) {
      const path = above === '' ? name : `${above}/${name}`
      const included = selection.includes(path)
      if (entry.kind === 'node') {
        if (included) await this.node(entry, this.#made(target), name)
      } else if (included || selection.mayHoldMore(path)) {
        await this.#folder({ source: entry, parent: target, name, folder: undefined }, path, included)
      }
    }
  }

  /** A folder below the one that is copied: those that exist take the source's owner, mode and attributes. */
  async #folder(target: Target, path: string, included: boolean): Promise<void> {
    await this.#turns.next()
    const isNew = included && this.#enter(target)
    await this.#children(target, path)
    const { folder } = target
    if (folder === undefined) return
    // last, as what is made in it changes its times
    if (included && (isNew || this.#options.selection.isWhole)) this.#look(folder, target.source)
    this.#writer.close(folder)
  }

  #made(target: Target): WriteFolder {
    if (target.folder === undefined && this.#enter(target)) this.#look(target.folder!, target.source)
    return target.folder!
  }

  /** Opens or makes the folder of a target, and those above; true when it is new. */
  #enter(target: Target): boolean {
    const parent = this.#made(target.parent!)
    const before = this.#writer.child(parent, target.name)
    if (before?.kind === 'node')
      throw new Failure('conflict', `cannot copy to non-directory: ${parent.name}/${target.name}`)
    const { source } = target
    target.folder =
      before ?? this.#writer.makeFolder(parent, target.name, { mode: source.stat.mode & 0o7777, owner: source.stat })
    if (before !== undefined) fchmodSync(this.#writer.descriptor(before), source.stat.mode & 0o7777)
    return before === undefined
  }

  #look(folder: WriteFolder, source: SourceFolder): void {
    const fd = this.#writer.descriptor(folder)
    const { uid, gid } = this.#owner(source)
    fchownSync(fd, uid, gid)
    fchmodSync(fd, this.#mode(source))
    copyXattrs(source.at, `/proc/self/fd/${fd}/.`)
    futimesSync(fd, timeOf(source.stat), timeOf(source.stat))
  }

  #owner({ stat }: SourceFolder | SourceNode): Owner {
    return this.#options.owner ?? stat
  }

  #mode({ stat }: SourceFolder | SourceNode): number {
    const mode = stat.mode & 0o7777
    return this.#options.chmod?.apply(mode, stat.isDirectory()) ?? mode
  }

  #link(first: { readonly folder: HostPath; readonly name: string }, to: HostPath): void {
    const place = this.#writer.resolve(first.folder)
    const folder = place.entries.at(-1) ?? this.#writer.root
    if (folder.kind !== 'folder')
      throw new Failure('conflict', `Cannot copy into "${first.folder}": it changed meanwhile`)
    linkSync(fsPath(`/proc/self/fd/${this.#writer.descriptor(folder)}/${first.name}`), fsPath(to))
    this.#writer.release(place)
  }
}
