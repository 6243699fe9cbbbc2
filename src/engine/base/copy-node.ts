/** One file, link, device, pipe or socket of a source to its new place: content, owner, mode, attributes and time, in the order they hold. */
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  futimesSync,
  lchownSync,
  lutimesSync,
  openSync,
  readSync,
  type Stats,
  symlinkSync,
  writeSync,
} from 'node:fs'
import { Failure } from '../../lib/failure.ts'
import { fsPath } from '../../lib/file-name.ts'
import type { HostPath } from '../../runtime/spec.ts'
import { copyContent } from './copy-content.ts'
import { readImageXattrs, setImageXattrs } from './image-xattrs.ts'
import { makeSpecial } from './make-special.ts'
import { spaceFailure } from './space.ts'
import { fileTime, type TarEntry, type TarReader } from './tar-reader.ts'
import { deviceNumbers, linkText } from './tree-tar.ts'
import { writeContent } from './write-content.ts'

const reading = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
const newFile = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
/** Files up to this are copied at once by two calls; larger ones by a thread, and shared (reflink) where the file system can. */
const small = 128 * 1024
const scratch = Buffer.allocUnsafeSlow(small)

export interface Owner {
  readonly uid: number
  readonly gid: number
}

export interface NodeSource {
  readonly stat: Stats
  readonly at: HostPath
}

export interface Look {
  readonly owner: Owner
  /** The twelve bits; without meaning for a link. */
  readonly mode: number
}

/** `to`: a path in a folder of ours at which nothing is. */
export async function copyNode({ stat, at }: NodeSource, to: HostPath, look: Look): Promise<void> {
  if (stat.isFile()) return stat.size <= small ? copySmall(at, to, look) : await copyLarge(at, to, look)
  if (stat.isSymbolicLink()) {
    const target = linkText(at)
    if (target === undefined) throw new Failure('conflict', `Cannot copy "${at}": it changed meanwhile`)
    // text for whoever uses the image; it is never resolved here
    symlinkSync(fsPath(target), fsPath(to))
  } else if (stat.isFIFO() || stat.isSocket()) makeSpecial(to, stat.isFIFO() ? 'fifo' : 'socket')
  else {
    const [major, minor] = deviceNumbers(stat.rdev)
    if (!makeSpecial(to, stat.isBlockDevice() ? 'block-device' : 'character-device', major, minor)) return
  }
  lchownSync(fsPath(to), look.owner.uid, look.owner.gid)
  if (!stat.isSymbolicLink()) chmodSync(fsPath(to), look.mode)
  copyXattrs(at, to)
  lutimesSync(fsPath(to), timeOf(stat), timeOf(stat))
}

/** Has something made by whoever may make it there. */
export type Make = <T>(act: () => T) => T
const asItIs: Make = act => act()

/** What an entry is written from, and as whose. */
interface Written {
  readonly entry: TarEntry
  readonly reader: TarReader
  readonly owner: Owner
  readonly make?: Make | undefined
}

/** Anything of an archive but a folder or a hard link, under a name where nothing is. */
export async function writeEntry(to: HostPath, written: Written): Promise<void> {
  const { entry, owner, make = asItIs } = written
  const { type } = entry
  if (type === 'directory' || type === 'link') throw new Failure('internal', `Cannot write a ${type} as a file`)
  if (type === 'file') return await writeFile(to, { ...written, make })
  // text for whoever uses it; it is never resolved here
  if (type === 'symlink') make(() => symlinkSync(fsPath(entry.linkname), fsPath(to)))
  else if (!make(() => makeSpecial(to, type, entry.major, entry.minor))) return
  lchownSync(fsPath(to), owner.uid, owner.gid)
  if (type !== 'symlink') chmodSync(fsPath(to), entry.mode)
  setImageXattrs(to, entry.xattrs)
  lutimesSync(fsPath(to), fileTime(entry), fileTime(entry))
}

/** A folder that is there gets the look of an archive's entry; `fd` is open on it. Its time holds until something is made in it. */
export function setFolder(fd: number, entry: TarEntry, owner: Owner): void {
  fchownSync(fd, owner.uid, owner.gid)
  fchmodSync(fd, entry.mode)
  setImageXattrs(`/proc/self/fd/${fd}/.`, entry.xattrs)
  futimesSync(fd, fileTime(entry), fileTime(entry))
}

async function writeFile(to: HostPath, { entry, reader, owner, make = asItIs }: Written): Promise<void> {
  const fd = make(() => openSync(fsPath(to), newFile, 0o600))
  try {
    await writeContent(fd, entry.size, reader)
    // chown clears set-uid bits and file capabilities, so it comes first
    fchownSync(fd, owner.uid, owner.gid)
    fchmodSync(fd, entry.mode)
    setImageXattrs(to, entry.xattrs)
    futimesSync(fd, fileTime(entry), fileTime(entry))
  } catch (error) {
    throw spaceFailure(error, `/${entry.name}`)
  } finally {
    closeSync(fd)
  }
}

/** A file that is a text of ours. */
export function writeNew(to: HostPath, content: Buffer, { owner, mode }: Look): void {
  const fd = openSync(fsPath(to), newFile, 0o600)
  try {
    for (let done = 0; done < content.length; ) done += writeSync(fd, content, done)
    fchownSync(fd, owner.uid, owner.gid)
    fchmodSync(fd, mode)
  } finally {
    closeSync(fd)
  }
}

/** Seconds; to Node's utimes a time before 1970 is now. */
export function timeOf({ mtimeMs }: Pick<Stats, 'mtimeMs'>): number {
  return Math.max(0, mtimeMs / 1000)
}

/** Attributes that images keep, of a link itself. */
export function copyXattrs(from: HostPath, to: HostPath): void {
  const xattrs = readImageXattrs(from)
  if (xattrs !== undefined) setImageXattrs(to, xattrs)
}

function copySmall(at: HostPath, to: HostPath, look: Look): void {
  const source = openSource(at)
  try {
    const { mtimeMs } = fstatSync(source)
    const target = openSync(fsPath(to), newFile, 0o600)
    try {
      for (
        let got = readSync(source, scratch, 0, small, null);
        got > 0;
        got = readSync(source, scratch, 0, small, null)
      )
        for (let done = 0; done < got; ) done += writeSync(target, scratch, done, got - done)
      finish(target, look, { from: at, to, mtimeMs })
    } finally {
      closeSync(target)
    }
  } finally {
    closeSync(source)
  }
}

async function copyLarge(at: HostPath, to: HostPath, look: Look): Promise<void> {
  const source = openSource(at)
  try {
    const stat = fstatSync(source)
    const { mtimeMs } = stat
    await copyContent(`/proc/self/fd/${source}`, to, stat)
    const target = openSync(fsPath(to), constants.O_RDONLY | constants.O_NOFOLLOW)
    try {
      finish(target, look, { from: at, to, mtimeMs })
    } finally {
      closeSync(target)
    }
  } finally {
    closeSync(source)
  }
}

function openSource(at: HostPath): number {
  const fd = openSync(fsPath(at), reading)
  if (fstatSync(fd).isFile()) return fd
  closeSync(fd)
  throw new Failure('conflict', `Cannot copy "${at}": it changed meanwhile`)
}

function finish(
  fd: number,
  { owner, mode }: Look,
  { from, to, mtimeMs }: { readonly from: HostPath; readonly to: HostPath; readonly mtimeMs: number },
): void {
  // chown clears set-uid bits and file capabilities, so it comes first
  fchownSync(fd, owner.uid, owner.gid)
  fchmodSync(fd, mode)
  copyXattrs(from, to)
  futimesSync(fd, timeOf({ mtimeMs }), timeOf({ mtimeMs }))
}
