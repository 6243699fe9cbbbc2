/**
 * A layer's tar to a folder that overlay understands, without ever leaving that folder.
 *
 * The folder is new, 0700 above and known to this writer alone, so nothing moves under our feet: it is enough that each component of
 * each path is looked at (lstat) right before it is used, and that no link is followed. Calls are synchronous: they take microseconds
 * each, and the stream's chunks give the rest of the engine its turns.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  rmSync,
  type Stats,
  symlinkSync,
} from 'node:fs'
import { errnoOf, Failure } from '../../lib/failure.ts'
import { bytesOfName, fsPath } from '../../lib/file-name.ts'
import type { HostPath } from '../../runtime/spec.ts'
import { mostXattrs, setImageXattrs } from '../base/image-xattrs.ts'
import { isWhiteout, makeWhiteout, markOpaque } from '../base/layer-marks.ts'
import { makeSpecial } from '../base/make-special.ts'
import { isSpaceError, writeFailure } from '../base/space.ts'
import { fileTime, type TarEntry, TarReader } from '../base/tar-reader.ts'
import { writeContent } from '../base/write-content.ts'
import type { UnpackLimits } from './unpack-limits.ts'

export interface UnpackOptions extends UnpackLimits {
  /** An archive that is no layer: names that hide others in a layer are files, and all belongs to root. */
  readonly plain?: boolean
}

export interface Unpacked {
  /** Bytes of all files, and of the text of links. */
  readonly size: number
  readonly entries: number
  /** The layer's root hides all layers below; overlay cannot express that, `layers()` leaves those out instead. */
  readonly opaque: boolean
}

const whiteoutPrefix = '.wh.'
const opaqueMarker = '.wh..wh..opq'
/** Highest uid and gid there is; the next one means "leave as it is" to chown. */
const largestId = 0xfffffffe
const longestPath = 4096
const newFile = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
const folderOnly = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

/**
 * Unpacks plain tar bytes into the empty folder `root`, and reads the stream to its end.
 * @throws Failure `invalid` for a layer that reaches out, is damaged or exceeds a limit; `root` is then to be thrown away.
 */
export async function unpack(
  source: AsyncIterable<Uint8Array>,
  root: HostPath,
  limits: UnpackOptions,
): Promise<Unpacked> {
  const reader = new TarReader(source)
  const layer = new LayerFolder(root, limits)
  try {
    for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
      await layer.add(entry, reader)
    }
    await reader.drain()
  } finally {
    await reader.close()
  }
  return layer.finish()
}

class LayerFolder {
  readonly #root: HostPath
  readonly #limits: UnpackOptions
  /** Folder times are set last: each entry made inside changes them. */
  readonly #folderTimes = new Map<string, number>()
  /** Those that are known to be folders: looked at once, since nobody else changes anything here. */
  readonly #folders = new Set<string>()
  #size = 0
  #entries = 0
  #opaque = false

  constructor(root: HostPath, limits: UnpackOptions) {
    this.#root = root
    this.#limits = limits
  }

  async add(given: TarEntry, reader: TarReader): Promise<void> {
    const { plain = false } = this.#limits
    const entry = plain ? { ...given, uid: 0, gid: 0 } : given
    this.#entries++
    this.#size += entry.type === 'symlink' ? bytesOfName(entry.linkname).length : entry.size
    if (this.#entries > this.#limits.entries)
      throw refused(entry, `the layer has more than ${this.#limits.entries} entries`)
    if (this.#size > this.#limits.bytes) throw refused(entry, `the layer has more than ${this.#limits.bytes} bytes`)
    if (entry.uid > largestId || entry.gid > largestId) throw refused(entry, 'its owner is out of range')
    const path = components(entry.name, entry)
    if (path.length > this.#limits.depth) throw refused(entry, `it is more than ${this.#limits.depth} folders deep`)
    // of aufs, without meaning here
    if (!plain && path.some(part => part.startsWith('.wh..wh.') && part !== opaqueMarker)) return
    try {
      const last = path.at(-1)
      if (!plain && last?.startsWith(whiteoutPrefix)) this.#whiteout(path, last, entry)
      else await this.#make(path, entry, reader)
    } catch (error) {
      if (error instanceof Failure || errnoOf(error) === undefined) throw error
      if (isSpaceError(error)) throw writeFailure(this.#at(path.join('/')), error)
      throw new Failure('internal', `Cannot unpack "${entry.name}": ${errnoOf(error)}`, { cause: error })
    }
  }

  finish(): Unpacked {
    // children before parents: setting a child's times leaves its parent alone, but reads better in one order
    for (const [path, mtime] of [...this.#folderTimes].reverse()) {
      if (this.#stat(path)?.isDirectory()) lutimesSync(fsPath(this.#at(path)), mtime, mtime)
    }
    return { size: this.#size, entries: this.#entries, opaque: this.#opaque }
  }

  async #make(path: readonly string[], entry: TarEntry, reader: TarReader): Promise<void> {
    if (path.length === 0) {
      if (entry.type !== 'directory') throw refused(entry, 'the root of a layer should be a folder')
      return this.#makeFolder('', entry)
    }
    this.#makeParents(path, entry)
    const name = path.join('/')
    const before = this.#stat(name)
    if (entry.type === 'directory' && before?.isDirectory()) return this.#makeFolder(name, entry)
    // a folder made after a whiteout of its name hides what lower layers have there
    const opaque = entry.type === 'directory' && before !== undefined && isWhiteout(before)
    if (before !== undefined) this.#remove(name)
    await this.#makeNew(name, entry, reader)
    if (opaque) markOpaque(this.#at(name))
  }

  async #makeNew(name: string, entry: TarEntry, reader: TarReader): Promise<void> {
    const at = this.#at(name)
    switch (entry.type) {
      case 'directory':
        mkdirSync(fsPath(at), 0o700)
        return this.#makeFolder(name, entry)
      case 'file':
        return await writeFile(at, entry, reader)
      case 'link':
        return this.#link(name, entry)
      case 'symlink':
        // the target is text for the container's own use; it is never resolved here
        if (entry.linkname === '' || bytesOfName(entry.linkname).length >= longestPath)
          throw refused(entry, 'its target is empty or too long')
        symlinkSync(fsPath(entry.linkname), fsPath(at))
        lchownSync(fsPath(at), entry.uid, entry.gid)
        break
      case 'character-device':
      case 'block-device':
      case 'fifo':
        if (!makeSpecial(at, entry.type, entry.major, entry.minor)) return
        lchownSync(fsPath(at), entry.uid, entry.gid)
        // not a link: it was made by the line above, in a folder that is ours alone
        chmodSync(fsPath(at), entry.mode)
        break
      default:
        return entry.type satisfies never
    }
    setXattrs(at, entry)
    lutimesSync(fsPath(at), fileTime(entry), fileTime(entry))
  }

  #makeFolder(name: string, entry: TarEntry): void {
    const at = this.#at(name)
    const fd = openSync(fsPath(at), folderOnly)
    try {
      fchownSync(fd, entry.uid, entry.gid)
      fchmodSync(fd, entry.mode)
    } finally {
      closeSync(fd)
    }
    setXattrs(at, entry)
    this.#folderTimes.delete(name)
    this.#folderTimes.set(name, fileTime(entry))
  }

  /** Hard links join what is in this layer already, found without following any link. Metadata is the first name's. */
  #link(name: string, entry: TarEntry): void {
    const target = components(entry.linkname, entry)
    for (let depth = 1; depth <= target.length; depth++) {
      const part = target.slice(0, depth).join('/')
      const stat = this.#stat(part)
      const fits = depth === target.length ? stat && !stat.isDirectory() : stat?.isDirectory()
      if (!fits || (stat && isWhiteout(stat)))
        throw refused(entry, `its hard link target "${entry.linkname}" is not a file of this layer`)
    }
    if (target.length === 0) throw refused(entry, 'its hard link target is the root')
    // link(2) does not follow a link at the end either
    linkSync(fsPath(this.#at(target.join('/'))), fsPath(this.#at(name)))
  }

  #whiteout(path: readonly string[], last: string, entry: TarEntry): void {
    const hidden = last.slice(whiteoutPrefix.length)
    if (last === opaqueMarker) {
      if (path.length === 1) this.#opaque = true
      else {
        this.#makeParents(path, entry)
        markOpaque(this.#at(path.slice(0, -1).join('/')))
      }
      return
    }
    if (hidden === '' || hidden === '.' || hidden === '..') throw refused(entry, 'it hides no name')
    this.#makeParents(path, entry)
    const name = [...path.slice(0, -1), hidden].join('/')
    const before = this.#stat(name)
    // what this layer itself brings stays (image spec: a whiteout is for lower layers); its folder hides the lower one
    if (before?.isDirectory()) markOpaque(this.#at(name))
    else if (before === undefined) makeWhiteout(this.#at(name))
  }

  /** Folders above the last component: made when missing, refused when they are links or files. */
  #makeParents(path: readonly string[], entry: TarEntry): void {
    let name = ''
    for (const part of path.slice(0, -1)) {
      name = name === '' ? part : `${name}/${part}`
      if (this.#folders.has(name)) continue
      const stat = this.#stat(name)
      if (stat?.isDirectory()) {
        this.#folders.add(name)
        continue
      }
      if (stat?.isSymbolicLink()) throw refused(entry, `it lies behind the link "${name}"`)
      if (stat !== undefined) {
        if (!isWhiteout(stat)) throw refused(entry, `"${name}" above it is not a folder`)
        this.#remove(name)
      }
      mkdirSync(fsPath(this.#at(name)), 0o755)
      const fd = openSync(fsPath(this.#at(name)), folderOnly)
      fchmodSync(fd, 0o755)
      closeSync(fd)
      if (stat !== undefined) markOpaque(this.#at(name))
    }
  }

  #remove(name: string): void {
    // with all that may have been below it
    this.#folders.clear()
    rmSync(fsPath(this.#at(name)), { recursive: true })
  }

  #stat(name: string): Stats | undefined {
    return lstatSync(fsPath(this.#at(name)), { throwIfNoEntry: false })
  }

  #at(name: string): string {
    return name === '' ? this.#root : `${this.#root}/${name}`
  }
}

/** A path's parts; "." and a leading "/" mean the layer's root, ".." is refused whatever it would mean. */
function components(name: string, entry: TarEntry): readonly string[] {
  if (bytesOfName(name).length >= longestPath) throw refused(entry, 'its path is too long')
  const parts = name.split('/').filter(part => part !== '' && part !== '.')
  if (parts.includes('..')) throw refused(entry, `"${name}" holds ".."`)
  if (parts.some(part => bytesOfName(part).length > 255)) throw refused(entry, 'a name in it is longer than 255 bytes')
  return parts
}

async function writeFile(at: string, entry: TarEntry, reader: TarReader): Promise<void> {
  const fd = openSync(fsPath(at), newFile, 0o600)
  try {
    await writeContent(fd, entry.size, reader)
    // chown clears set-uid bits and file capabilities, so it comes before both
    fchownSync(fd, entry.uid, entry.gid)
    fchmodSync(fd, entry.mode)
    setXattrs(at, entry)
    futimesSync(fd, fileTime(entry), fileTime(entry))
  } finally {
    closeSync(fd)
  }
}

function setXattrs(at: string, entry: TarEntry): void {
  if (entry.xattrs.size > mostXattrs) throw refused(entry, `it has more than ${mostXattrs} extended attributes`)
  setImageXattrs(at, entry.xattrs)
}

function refused(entry: TarEntry, why: string): Failure {
  return new Failure('invalid', `Cannot unpack ${JSON.stringify(entry.name.slice(0, 300))}: ${why}`)
}
