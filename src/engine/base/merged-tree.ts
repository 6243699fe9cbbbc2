/**
 * Unpacked layers to the one tree that overlay would show of them, read without mounting it and without ever leaving it.
 *
 * Each folder is held open and each name is looked up below its descriptor, so a link that a container swaps in meanwhile is never
 * followed; links of the tree itself are resolved here, inside the tree.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs'
import { errnoOf, Failure } from '../../lib/failure.ts'
import { fsPath, nameOfBytes } from '../../lib/file-name.ts'
import type { HostPath, RootPath } from '../../runtime/spec.ts'
import { isOpaque, isWhiteout } from './layer-marks.ts'

const folderOnly = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
const fileOnly = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY
/** What the kernel allows in one path. */
const mostLinks = 40

/** The kernel's PATH_MAX: what lies deeper nobody can name. */
export const longestPath = 4096
/** Descriptors held at once: a container must not use up the engine's by making folders in folders. */
const mostOpen = 4096

/** A folder as all layers together show it; `fds` highest first. */
export interface TreeFolder {
  readonly kind: 'folder'
  /** What is mounted here and below. */
  readonly mounts: Mounts | undefined
  readonly fds: readonly number[]
  /** Of the highest layer that has it: owner, mode and times. */
  readonly stat: Stats
  /** Reaches that highest one, while the folder is open. */
  readonly path: HostPath
}

/** Anything else: file, link, device, fifo, socket. */
export interface TreeNode {
  readonly kind: 'node'
  readonly stat: Stats
  /** Reaches it while the folder it was found in is open; never follow a link at its end. */
  readonly path: HostPath
}

/** What is shown instead of a tree's own folders and files, by name: the same for those below. */
export interface Mounts {
  /** A folder or file of the host; undefined where only something below is mounted. */
  readonly source?: HostPath
  /** The part of it that is mounted, looked for inside it. */
  readonly subpath?: string | undefined
  readonly below: Map<string, Mounts>
}

/** Opens layers (lowest first, as RootSpec.layers) and closes whatever it opened when disposed of. */
export class MergedTree implements Disposable {
  readonly root: TreeFolder
  readonly #open: number[] = []
  readonly #plain: boolean

  /** `plain`: what hides something in a layer hides nothing, and is there itself. */
  constructor(layers: readonly HostPath[], mounts?: Mounts, { plain = false }: { readonly plain?: boolean } = {}) {
    this.#plain = plain
    try {
      this.root =
        layers.length === 0
          ? emptyRoot(mounts)
          : folder(
              [...layers].reverse().map(layer => this.#openFolder(layer)),
              mounts,
            )
    } catch (error) {
      this[Symbol.dispose]()
      throw error
    }
  }

  /** The entry of a folder with this one name, links not followed; undefined when absent or hidden. */
  child(parent: TreeFolder, name: string): TreeFolder | TreeNode | undefined {
    const mounts = parent.mounts?.below.get(name)
    if (mounts?.source !== undefined) return this.#mounted(mounts)
    const fds: number[] = []
    for (const fd of parent.fds) {
      const path = `/proc/self/fd/${fd}/${name}`
      const stat = statIfThere(path)
      if (stat === undefined) continue
      if (!this.#plain && isWhiteout(stat)) break
      if (!stat.isDirectory()) {
        if (fds.length === 0) return { kind: 'node', stat, path }
        break
      }
      const opened = this.#openIfThere(path)
      if (opened === undefined) continue
      fds.push(opened)
      if (isOpaque(`/proc/self/fd/${opened}/.`)) break
    }
    return fds.length === 0 ? undefined : folder(fds, mounts)
  }

  #mounted(mounts: Mounts): TreeFolder | TreeNode | undefined {
    const shown = shownByMount(mounts, path => this.#openIfThere(path))
    return typeof shown === 'number' ? folder([shown], mounts) : shown
  }

  /** Names in a folder, sorted. */
  names(parent: TreeFolder): readonly string[] {
    const names = new Set<string>(parent.mounts?.below.keys())
    const hidden = new Set<string>()
    for (const fd of parent.fds) {
      for (const name of namesIn(`/proc/self/fd/${fd}`)) {
        if (names.has(name) || hidden.has(name)) continue
        const stat = lstatSync(fsPath(`/proc/self/fd/${fd}/${name}`), { throwIfNoEntry: false })
        if (stat !== undefined) (!this.#plain && isWhiteout(stat) ? hidden : names).add(name)
      }
    }
    return [...names].sort()
  }

  /** What is at `path` after following links, all of them inside the tree. */
  resolve(path: RootPath): TreeFolder | TreeNode | undefined {
    return this.#walk(path)?.found
  }

  /** The names by which `path` is really reached, links followed; undefined when it is not there. */
  realNames(path: RootPath): readonly string[] | undefined {
    return this.#walk(path)?.names
  }

  #walk(path: RootPath): { readonly found: TreeFolder | TreeNode; readonly names: readonly string[] } | undefined {
    const above: TreeFolder[] = [this.root]
    const names: string[] = []
    const rest = path.split('/')
    for (let links = 0; rest.length > 0; ) {
      const name = rest.shift()!
      if (name === '' || name === '.') continue
      if (name === '..') {
        if (above.length > 1) above.pop()
        names.pop()
        continue
      }
      const found = this.child(above.at(-1)!, name)
      if (found === undefined) return undefined
      if (found.kind === 'folder') {
        above.push(found)
        names.push(name)
      } else if (!found.stat.isSymbolicLink()) {
        if (rest.some(part => part !== '' && part !== '.')) return undefined
        return { found, names: [...names, name] }
      } else {
        if (++links > mostLinks) return undefined
        const target = nameOfBytes(readlinkSync(fsPath(found.path), 'buffer'))
        if (target.startsWith('/')) {
          above.length = 1
          names.length = 0
        }
        rest.unshift(...target.split('/'))
      }
    }
    return { found: above.at(-1)!, names }
  }

  /** Closes what was opened below a folder that is done with: a walk over a large tree must not run out of descriptors. */
  close(done: TreeFolder): void {
    for (const fd of done.fds) {
      const index = this.#open.lastIndexOf(fd)
      if (index < 0) continue
      this.#open.splice(index, 1)
      closeSync(fd)
    }
  }

  [Symbol.dispose](): void {
    for (const fd of this.#open.splice(0)) closeSync(fd)
  }

  /** Undefined when it was removed, or replaced by something else, since it was looked at. */
  #openIfThere(path: string): number | undefined {
    try {
      return this.#openFolder(path)
    } catch (error) {
      if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) return undefined
      throw error
    }
  }

  #openFolder(path: string): number {
    if (this.#open.length >= mostOpen)
      throw new Failure('unsupported', 'Cannot read the files of a container: folders are nested too deeply')
    const fd = openSync(fsPath(path), folderOnly)
    this.#open.push(fd)
    return fd
  }
}

/**
 * A small regular file's content, seen through all layers (lowest first; a container's own writable layer may be the last).
 * Undefined when there is none or it is something else than a file.
 * @throws Failure `invalid` when it is larger than `limit`.
 */
export function readTreeFile(layers: readonly HostPath[], path: RootPath, limit: number): Buffer | undefined {
  using tree = new MergedTree(layers)
  const found = tree.resolve(path)
  if (found?.kind !== 'node' || !found.stat.isFile()) return undefined
  const fd = openFile(found.path)
  if (fd === undefined) return undefined
  try {
    // again, of what was really opened
    const stat = fstatSync(fd)
    if (!stat.isFile()) return undefined
    if (stat.size > limit) {
      throw new Failure(
        'invalid',
        `Cannot read "${path}" of the image: it has ${stat.size} bytes, at most ${limit} are read`,
      )
    }
    const content = Buffer.alloc(stat.size)
    let length = 0
    while (length < content.length) {
      const read = readSync(fd, content, length, content.length - length, length)
      if (read === 0) break
      length += read
    }
    return content.subarray(0, length)
  } finally {
    closeSync(fd)
  }
}

/** Of the entry itself. A name that is longer than any may be is nowhere. */
export function statIfThere(path: string): Stats | undefined {
  try {
    return lstatSync(fsPath(path), { throwIfNoEntry: false })
  } catch (error) {
    if (errnoOf(error) === 'ENAMETOOLONG') return undefined
    throw error
  }
}

function openFile(path: string): number | undefined {
  try {
    return openSync(fsPath(path), fileOnly)
  } catch (error) {
    // replaced by a link, or removed, since it was looked at
    if (['ELOOP', 'ENOENT', 'ENXIO'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
}

/** What a mount shows in its place: what `open` gives for a folder, or a file; undefined when its source is gone. */
export function shownByMount(
  { source, subpath }: Mounts,
  open: (folder: HostPath) => number | undefined,
): number | TreeNode | undefined {
  const stat = source === undefined ? undefined : statSync(fsPath(source), { throwIfNoEntry: false })
  if (source === undefined || stat === undefined) return undefined
  if (!stat.isDirectory()) return { kind: 'node', stat, path: source }
  if (subpath === undefined) return open(realpathSync(source))
  using whole = new MergedTree([source])
  const part = whole.resolve(subpath)
  return part?.kind === 'folder' ? open(part.path) : part
}

/** Of one folder of one layer, in no order. */
export function namesIn(path: HostPath): readonly string[] {
  return readdirSync(fsPath(path), 'buffer').map(nameOfBytes)
}

function folder(fds: readonly number[], mounts: Mounts | undefined): TreeFolder {
  return { kind: 'folder', mounts, fds, stat: fstatSync(fds[0]!), path: `/proc/self/fd/${fds[0]}/.` }
}

/** Of no layers at all: root's, with nothing in it and no attributes. */
function emptyRoot(mounts: Mounts | undefined): TreeFolder {
  const stat = Object.assign(statSync('/proc'), { mode: constants.S_IFDIR | 0o755, uid: 0, gid: 0 })
  return { kind: 'folder', mounts, fds: [], stat, path: '/proc/.' }
}
