/**
 * A stack of layers shown as one tree that can be written to: what changes goes into the highest one (`upper`), as overlay keeps it.
 *
 * Folders that are only below are made again in the upper when something is written in them, with owner, mode and attributes: overlay's
 * copy-up. What is taken away leaves a whiteout, a folder made in the place of something is opaque. Every name is looked up below an
 * open descriptor and no link is ever followed here, so nothing that moves meanwhile leads a write out of the tree.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  type Stats,
} from 'node:fs'
import { errnoOf, Failure } from '../../lib/failure.ts'
import { fsPath } from '../../lib/file-name.ts'
import { asFileOwner } from '../../runtime/native.ts'
import type { HostPath, IdRange } from '../../runtime/spec.ts'
import { copyNode, type Owner } from './copy-node.ts'
import { readImageXattrs, setImageXattrs } from './image-xattrs.ts'
import { isOpaque, isWhiteout, makeWhiteout, markOpaque } from './layer-marks.ts'
import { MergedTree, type Mounts, namesIn, shownByMount, type TreeFolder, type TreeNode } from './merged-tree.ts'
import { linkText } from './tree-tar.ts'

const folderOnly = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
/** What the kernel allows in one path. */
const mostLinks = 40
/** Bytes (NAME_MAX). */
const longestName = 255

/** A folder as the whole stack shows it. */
export interface WriteFolder {
  readonly kind: 'folder'
  readonly stat: Stats
  /** "/etc", for messages; "" for the root. */
  readonly name: string
  readonly parent: WriteFolder | undefined
  /** What the layers below the upper show here; undefined when nothing does, or it is hidden. */
  readonly lower: TreeFolder | undefined
  readonly mounts: Mounts | undefined
  /** In the upper; undefined until something is written here. */
  fd: number | undefined
}

export interface NameIn {
  readonly folder: WriteFolder
  readonly name: string
}

/** A folder that is made where nothing was; undefined: for root, or the group of a set-group-id folder above. */
export interface NewFolder {
  readonly mode: number
  readonly owner: Owner | undefined
}

/** A path whose links have been followed, as far as it is there. */
export interface Place {
  readonly names: readonly string[]
  /** As many as names; undefined where nothing is. */
  readonly entries: (WriteFolder | TreeNode | undefined)[]
}

/** Closes whatever it opened when disposed of. */
export class OverlayWriter implements Disposable {
  readonly root: WriteFolder
  readonly #below: MergedTree | undefined
  readonly #ids: IdRange | undefined
  readonly #open = new Set<number>()

  /**
   * `below`: lowest first. The upper is there, with the root's owner and mode. `ids`: the upper is what a user namespace shows, in
   * which nobody makes anything but who has an id there; owners are given as the host counts.
   */
  constructor(
    below: readonly HostPath[],
    upper: HostPath,
    { mounts, ids }: { readonly mounts?: Mounts | undefined; readonly ids?: IdRange | undefined } = {},
  ) {
    this.#ids = ids
    this.#below = below.length === 0 ? undefined : new MergedTree(below)
    try {
      const fd = this.#openFolder(upper)
      const stat = lstatSync(`/proc/self/fd/${fd}/.`)
      this.root = { kind: 'folder', stat, name: '', parent: undefined, lower: this.#below?.root, mounts, fd }
    } catch (error) {
      this[Symbol.dispose]()
      throw error
    }
  }

  /** What the stack shows under one name of a folder; undefined when nothing. */
  child(parent: WriteFolder, name: string): WriteFolder | TreeNode | undefined {
    const mounts = parent.mounts?.below.get(name)
    if (mounts?.source !== undefined) return this.#mounted(parent, name, mounts)
    const above = parent.fd === undefined ? undefined : statBelow(parent.fd, name)
    if (above !== undefined && !above.isDirectory())
      return isWhiteout(above) ? undefined : { kind: 'node', stat: above, path: at(parent.fd!, name) }
    if (above === undefined) {
      const found = parent.lower && this.#below!.child(parent.lower, name)
      if (found?.kind !== 'folder') return found
      return {
        kind: 'folder',
        stat: found.stat,
        name: `${parent.name}/${name}`,
        parent,
        lower: found,
        mounts,
        fd: undefined,
      }
    }
    const fd = this.#openFolder(at(parent.fd!, name))
    const lower =
      parent.lower && !isOpaque(`/proc/self/fd/${fd}/.`) ? this.#below!.child(parent.lower, name) : undefined
    return {
      kind: 'folder',
      stat: above,
      name: `${parent.name}/${name}`,
      parent,
      lower: lower?.kind === 'folder' ? lower : undefined,
      mounts,
      fd,
    }
  }

  /** What is mounted is written to as itself. */
  #mounted(parent: WriteFolder, name: string, mounts: Mounts): WriteFolder | TreeNode | undefined {
    const shown = shownByMount(mounts, path => this.#openFolder(path))
    if (typeof shown !== 'number') return shown
    const stat = lstatSync(`/proc/self/fd/${shown}/.`)
    return { kind: 'folder', stat, name: `${parent.name}/${name}`, parent, lower: undefined, mounts, fd: shown }
  }

  /**
   * Follows all links of a path, its last name too, inside the tree; inside a folder of it as if that were the root, when one is given.
   * @throws Failure `invalid` when they go round, or out of that folder by "..".
   */
  resolve(path: string, within?: WriteFolder): Place {
    const root = within ?? this.root
    const above: { name: string; entry: WriteFolder | TreeNode | undefined }[] = []
    const rest = path.split('/')
    for (let links = 0; rest.length > 0; ) {
      const name = rest.shift()!
      if (name === '' || name === '.') continue
      if (name === '..') {
        if (within !== undefined && above.length === 0)
          throw new Failure('invalid', `${path}: path escapes from parent`)
        this.#letGo(above.pop()?.entry)
        continue
      }
      const parent = above.length === 0 ? root : above.at(-1)!.entry
      const entry = parent?.kind === 'folder' ? this.child(parent, name) : undefined
      if (!entry?.stat.isSymbolicLink()) {
        above.push({ name, entry })
        continue
      }
      if (++links > mostLinks) throw new Failure('invalid', `Cannot reach "${path}": too many links`)
      const target = entry.kind === 'node' ? (linkText(entry.path) ?? '') : ''
      if (target.startsWith('/')) for (const { entry: left } of above.splice(0)) this.#letGo(left)
      rest.unshift(...target.split('/'))
    }
    return { names: above.map(({ name }) => name), entries: above.map(({ entry }) => entry) }
  }

  /**
   * The folder at a place, made as far as it is missing, every new one by `made`.
   * @throws Failure `conflict` when something on the way is no folder.
   */
  makeFolders(place: Place, made: NewFolder, within?: WriteFolder): WriteFolder {
    let folder = within ?? this.root
    for (const [i, name] of place.names.entries()) {
      const entry = place.entries[i]
      if (entry?.kind === 'node') throw new Failure('conflict', `mkdir ${folder.name}/${name}: not a directory`)
      folder = entry ?? (place.entries[i] = this.#makeWithin(folder, name, made))
    }
    return folder
  }

  /** As mkdir(2) makes them: what is made in a set-group-id folder is one as well. */
  #makeWithin(parent: WriteFolder, name: string, { mode, owner }: NewFolder): WriteFolder {
    const setGroup = parent.stat.mode & 0o2000
    const { uid, gid } = this.#ids ?? { uid: 0, gid: 0 }
    const own = owner ?? { uid, gid: setGroup === 0 ? gid : parent.stat.gid }
    return this.makeFolder(parent, name, { mode: mode | setGroup, owner: own })
  }

  /** A new folder under a name where the stack shows nothing. */
  makeFolder(parent: WriteFolder, name: string, made: { readonly mode: number; readonly owner: Owner }): WriteFolder {
    const path = at(this.descriptor(parent), name)
    const hidden = this.#takeWhiteout(path)
    this.make(() => mkdirSync(fsPath(path), 0o700))
    const fd = this.#openFolder(path)
    fchownSync(fd, made.owner.uid, made.owner.gid)
    fchmodSync(fd, made.mode)
    if (hidden) markOpaque(`/proc/self/fd/${fd}/.`)
    const stat = lstatSync(`/proc/self/fd/${fd}/.`)
    return { kind: 'folder', stat, name: `${parent.name}/${name}`, parent, lower: undefined, mounts: undefined, fd }
  }

  /** Runs what makes one thing in the upper, at once: as one who may. */
  make<T>(act: () => T): T {
    return this.#ids ? asFileOwner(this.#ids, act) : act()
  }

  /** The host's path at which something else than a folder is to be made, where the stack shows no folder; what is there goes away. */
  clear(parent: WriteFolder, name: string): HostPath {
    const path = at(this.descriptor(parent), name)
    const before = lstatSync(fsPath(path), { throwIfNoEntry: false })
    if (before !== undefined) rmSync(fsPath(path))
    return path
  }

  /** Names that the stack shows in a folder. */
  names(folder: WriteFolder): readonly string[] {
    const below = folder.lower === undefined ? [] : this.#below!.names(folder.lower)
    const above = folder.fd === undefined ? [] : namesIn(`/proc/self/fd/${folder.fd}`)
    return [...new Set([...below, ...above])].filter(name => {
      const entry = this.child(folder, name)
      this.#letGo(entry)
      return entry !== undefined
    })
  }

  /**
   * One more name for a file of the stack, which is copied up for it when it is only below. What is under the new name goes away.
   * False when there is no such file.
   */
  async link(from: NameIn, to: NameIn): Promise<boolean> {
    const found = this.child(from.folder, from.name)
    if (found?.kind !== 'node') {
      this.#letGo(found)
      return false
    }
    const path = at(this.descriptor(from.folder), from.name)
    if (lstatSync(fsPath(path), { throwIfNoEntry: false }) === undefined)
      await copyNode({ stat: found.stat, at: found.path }, path, { owner: found.stat, mode: found.stat.mode & 0o7777 })
    // link(2) does not follow a link at the end
    const name = this.clear(to.folder, to.name)
    this.make(() => linkSync(fsPath(path), fsPath(name)))
    return true
  }

  /** Takes away whatever the stack shows under a name, with all below it. */
  remove(parent: WriteFolder, name: string): void {
    const path = at(this.descriptor(parent), name)
    rmSync(fsPath(path), { recursive: true, force: true })
    const lower = parent.lower && this.#below!.child(parent.lower, name)
    if (lower === undefined) return
    if (lower.kind === 'folder') this.#below!.close(lower)
    makeWhiteout(path)
  }

  /** The folder's descriptor in the upper, made there (copied up) when it is only below. */
  descriptor(folder: WriteFolder): number {
    if (folder.fd !== undefined) return folder.fd
    const above = this.descriptor(folder.parent!)
    const path = at(above, folder.name.slice(folder.name.lastIndexOf('/') + 1))
    try {
      mkdirSync(fsPath(path), 0o700)
    } catch (error) {
      // copied up by way of another handle of the same folder
      if (errnoOf(error) !== 'EEXIST') throw error
      folder.fd = this.#openFolder(path)
      return folder.fd
    }
    const fd = this.#openFolder(path)
    const { uid, gid, mode } = folder.stat
    fchownSync(fd, uid, gid)
    fchmodSync(fd, mode & 0o7777)
    const xattrs = folder.lower && readImageXattrs(folder.lower.path)
    if (xattrs !== undefined) setImageXattrs(`/proc/self/fd/${fd}/.`, xattrs)
    folder.fd = fd
    return fd
  }

  /** Lets go of a folder that is done with, as all below it are: a large tree must not use up descriptors. */
  close(folder: WriteFolder): void {
    if (folder === this.root) return
    if (folder.lower !== undefined) this.#below!.close(folder.lower)
    if (folder.fd === undefined || !this.#open.delete(folder.fd)) return
    closeSync(folder.fd)
    folder.fd = undefined
  }

  /** Lets go of all folders that led to a place. */
  release(place: Place): void {
    for (const entry of place.entries) this.#letGo(entry)
  }

  #letGo(entry: WriteFolder | TreeNode | undefined): void {
    if (entry?.kind === 'folder') this.close(entry)
  }

  [Symbol.dispose](): void {
    for (const fd of this.#open) closeSync(fd)
    this.#open.clear()
    this.#below?.[Symbol.dispose]()
  }

  #openFolder(path: HostPath): number {
    const fd = openSync(fsPath(path), folderOnly)
    this.#open.add(fd)
    return fd
  }

  /** True when there was one. */
  #takeWhiteout(path: HostPath): boolean {
    const before = lstatSync(fsPath(path), { throwIfNoEntry: false })
    if (before === undefined || !isWhiteout(before)) return false
    rmSync(fsPath(path))
    return true
  }
}

/** @throws Failure `invalid` for a name that no file can have. */
function at(fd: number, name: string): HostPath {
  if (Buffer.byteLength(name) > longestName)
    throw new Failure('invalid', `Cannot make "${name}": a name has ${longestName} bytes at most`)
  return `/proc/self/fd/${fd}/${name}`
}

function statBelow(fd: number, name: string): Stats | undefined {
  return lstatSync(fsPath(at(fd, name)), { throwIfNoEntry: false })
}
