/**
 * Files into a container from a tar: into its running root, or into the writable layer of one that does not run.
 *
 * Each folder is reached through an open descriptor and each name is made below it without following a link, so that nothing a
 * container does meanwhile can lead a write out of it.
 */
import {
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
  symlinkSync,
  writeSync,
} from 'node:fs'
import { posix } from 'node:path'
import { errnoOf, Failure } from '../../../lib/failure.ts'
import { setXattr } from '../../../runtime/native.ts'
import { MergedTree } from '../../base/merged-tree.ts'
import { type TarEntry, TarReader } from '../../images/tar.ts'
import type { Container } from '../container.ts'
import { type Parts, tell } from '../parts.ts'
import { containerUser } from '../verbs/start.ts'
import { canonical, type View, viewOf } from './view.ts'

export interface WriteOptions {
  /** A folder that exists. */
  readonly path: string
  readonly ref: string
  /** A folder is not replaced by a file, nor a file by a folder. */
  readonly noOverwriteDirNonDir?: boolean | undefined
  /** Owned by the container's user instead of whoever the tar says. */
  readonly copyUIDGID?: boolean | undefined
  readonly content: AsyncIterable<Uint8Array>
}

const folderOnly = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
const newFile = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
const largestId = 0xfffffffe

export async function writeArchive(parts: Parts, container: Container, options: WriteOptions): Promise<void> {
  const image = parts.images.get(container.record.imageId)
  const layers = parts.images.layers(image)
  const view = await viewOf(parts, container, options.path)
  checkTarget(view, options)
  const user = options.copyUIDGID && container.record.config.User ? containerUser(parts, container, layers) : undefined
  const reader = new TarReader(options.content)
  try {
    for (let entry = await reader.next(); entry !== undefined; entry = await reader.next())
      await writeEntry(view, entry, { reader, owner: user, keep: options.noOverwriteDirNonDir ?? false })
    await reader.drain()
  } finally {
    await reader.close()
  }
  tell(parts, container, 'extract-to-dir')
}

function checkTarget(view: View, { path, ref }: WriteOptions): void {
  using tree = new MergedTree(view.layers)
  const target = tree.resolve(view.path)
  if (!target) throw new Failure('not-found', `Could not find the file ${path} in container ${ref}`)
  if (target.kind !== 'folder') throw new Failure('invalid', 'extraction point is not a directory')
}

interface EntryOptions {
  readonly reader: TarReader
  readonly owner: { readonly uid: number; readonly gid: number } | undefined
  readonly keep: boolean
}

async function writeEntry(view: View, entry: TarEntry, options: EntryOptions): Promise<void> {
  const names = entry.name.split('/').filter(name => name !== '' && name !== '.')
  if (names.includes('..')) throw refused(entry, 'its path holds ".."')
  const name = names.pop()
  if (name === undefined) return
  const { uid, gid } = options.owner ?? entry
  if (uid > largestId || gid > largestId) throw refused(entry, 'its owner is out of range')
  const parent = openFolder(view, [view.path, ...names].join('/'))
  try {
    const at = `/proc/self/fd/${parent}/${name}`
    if (!clearPlace(at, entry, options.keep)) return setFolder(at, entry, { uid, gid })
    switch (entry.type) {
      case 'directory':
        mkdirSync(at, 0o700)
        return setFolder(at, entry, { uid, gid })
      case 'file':
        return await writeFile(at, entry, { ...options, uid, gid })
      case 'symlink':
        // text for the container's own use; it is never resolved here
        symlinkSync(entry.linkname, at)
        lchownSync(at, uid, gid)
        return lutimesSync(at, entry.mtime, entry.mtime)
      case 'link': {
        const source = openFolder(view, [view.path, posix.dirname(entry.linkname)].join('/'))
        try {
          return linkSync(`/proc/self/fd/${source}/${posix.basename(entry.linkname)}`, at)
        } finally {
          closeSync(source)
        }
      }
      default:
        throw refused(entry, `it is a ${entry.type}`)
    }
  } catch (error) {
    if (error instanceof Failure || errnoOf(error) === undefined) throw error
    if (errnoOf(error) === 'EROFS')
      throw new Failure('denied', 'container rootfs is marked read-only', { cause: error })
    throw new Failure('internal', `Cannot write "${entry.name}": ${errnoOf(error)}`, { cause: error })
  } finally {
    closeSync(parent)
  }
}

/** Makes room under a name; false when a folder is there that is to be kept as a folder. */
function clearPlace(at: string, entry: TarEntry, keep: boolean): boolean {
  const before = lstatSync(at, { throwIfNoEntry: false })
  if (!before) return true
  if (before.isDirectory() && entry.type === 'directory') return false
  if (keep && before.isDirectory())
    throw new Failure('invalid', `cannot overwrite directory "${entry.name}" with non-directory`)
  if (keep && entry.type === 'directory')
    throw new Failure('invalid', `cannot overwrite non-directory "${entry.name}" with directory`)
  rmSync(at, { recursive: true })
  return true
}

function setFolder(at: string, entry: TarEntry, owner: { readonly uid: number; readonly gid: number }): void {
  const fd = openSync(at, folderOnly)
  try {
    fchownSync(fd, owner.uid, owner.gid)
    fchmodSync(fd, entry.mode)
    futimesSync(fd, entry.mtime, entry.mtime)
  } finally {
    closeSync(fd)
  }
}

async function writeFile(
  at: string,
  entry: TarEntry,
  { reader, uid, gid }: EntryOptions & { readonly uid: number; readonly gid: number },
): Promise<void> {
  const fd = openSync(at, newFile, 0o600)
  try {
    for await (const piece of reader.body())
      for (let written = 0; written < piece.length; ) written += writeSync(fd, piece, written)
    // chown clears set-uid bits, so it comes first
    fchownSync(fd, uid, gid)
    fchmodSync(fd, entry.mode)
    futimesSync(fd, entry.mtime, entry.mtime)
  } finally {
    closeSync(fd)
  }
}

/**
 * A descriptor of the folder to write in. Folders that are missing are made; in the writable layer of a container that does not
 * run, those of its image are made again with their owner and mode, which is how overlay copies a folder up.
 */
function openFolder({ layers, writable }: View, path: string): number {
  using tree = new MergedTree(layers)
  const { names } = canonical(tree, path)
  let shown: ReturnType<MergedTree['child']> = tree.root
  let fd = openSync(writable, constants.O_RDONLY | constants.O_DIRECTORY)
  for (const name of names) {
    shown = shown?.kind === 'folder' ? tree.child(shown, name) : undefined
    const at = `/proc/self/fd/${fd}/${name}`
    const before = lstatSync(at, { throwIfNoEntry: false })
    let opaque = false
    if (before && !before.isDirectory()) {
      // a whiteout: what the image has here stays hidden
      if (!before.isCharacterDevice() || before.rdev !== 0)
        throw new Failure('conflict', `Cannot write to "${path}": it changed meanwhile`)
      rmSync(at)
      opaque = true
    }
    if (!before?.isDirectory()) mkdirSync(at, 0o755)
    const next = openSync(at, folderOnly)
    if (!before?.isDirectory()) {
      const { mode, uid, gid } = shown?.kind === 'folder' ? shown.stat : { mode: 0o755, uid: 0, gid: 0 }
      fchownSync(next, uid, gid)
      fchmodSync(next, mode & 0o7777)
      if (opaque) setXattr(`/proc/self/fd/${next}/.`, 'trusted.overlay.opaque', Buffer.from('y'))
    }
    closeSync(fd)
    fd = next
  }
  return fd
}

function refused(entry: TarEntry, why: string): Failure {
  return new Failure('invalid', `Cannot write "${entry.name.slice(0, 300)}" into the container: ${why}`)
}
