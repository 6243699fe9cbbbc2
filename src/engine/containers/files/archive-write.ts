/**
 * Files into a container from a tar: into its running root, or into the writable layer of one that does not run.
 *
 * Each folder is reached through an open descriptor and each name is made below it without following a link, so that nothing a
 * container does meanwhile can lead a write out of it.
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
  symlinkSync,
} from 'node:fs'
import { posix } from 'node:path'
import { errnoOf, Failure, isFailure } from '../../../lib/failure.ts'
import { fsPath } from '../../../lib/file-name.ts'
import { makeNode, setXattr } from '../../../runtime/native.ts'
import { setImageXattrs } from '../../base/image-xattrs.ts'
import { isWhiteout, type MergedTree, type TreeFolder } from '../../base/merged-tree.ts'
import { spaceFailure } from '../../base/space.ts'
import { fileTime, type TarEntry, TarReader } from '../../base/tar-reader.ts'
import { writeContent } from '../../base/write-content.ts'
import { decompressed } from '../../images/compression.ts'
import type { Container } from '../container.ts'
import { type Parts, tell } from '../parts.ts'
import { containerUser } from '../verbs/start.ts'
import { canonical, isBehindFile, type View, viewOf } from './view.ts'

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
  const layers = parts.images.layers(parts.images.get(container.record.imageId))
  const view = await viewOf(parts, container)
  const folder = target(view, container, options)
  const user = options.copyUIDGID && container.record.config.User ? containerUser(parts, container, layers) : undefined
  const reader = new TarReader(decompressed(options.content))
  const into = { ...options, view, folder, reader, owner: user }
  try {
    for (let entry = await reader.next(); entry !== undefined; entry = await reader.next())
      await writeEntry(entry, into)
    await reader.drain()
  } catch (error) {
    // a damaged archive is the server's error to Docker's clients
    if (isFailure(error, 'invalid')) throw new Failure('internal', error.message, { cause: error })
    throw error
  } finally {
    await reader.close()
  }
  tell(parts, container, 'extract-to-dir')
}

/** The names that lead to the folder to write in, its links followed. Docker's texts. */
function target(view: View, container: Container, { path, ref }: WriteOptions): readonly string[] {
  using tree = view.tree()
  const { names, entry } = canonical(tree, path)
  if (entry === undefined) {
    if (isBehindFile(tree, posix.normalize(`/${path}`))) throw new Failure('internal', 'not a directory')
    throw new Failure('not-found', `Could not find the file ${path} in container ${ref}`)
  }
  const resolved = `/${names.join('/')}`
  if (entry.kind !== 'folder') {
    if (path.endsWith('/')) throw new Failure('internal', `lstat ${resolved}/: not a directory`)
    throw new Failure('invalid', 'extraction point is not a directory')
  }
  const { mounts, hostConfig } = container.record
  const mount = mounts
    .filter(each => resolved === each.target || resolved.startsWith(`${each.target}/`))
    .sort((a, b) => b.target.length - a.target.length)[0]
  if (mount?.readonly) throw new Failure('invalid', 'mounted volume is marked read-only')
  // what is put in before the first start is part of how it is made: secrets and configs of a read-only service
  if (!mount && hostConfig.ReadonlyRootfs && container.state.status !== 'created')
    throw new Failure('invalid', 'container rootfs is marked read-only')
  return names
}

interface Into extends WriteOptions {
  readonly view: View
  readonly folder: readonly string[]
  readonly reader: TarReader
  readonly owner: { readonly uid: number; readonly gid: number } | undefined
}

async function writeEntry(entry: TarEntry, into: Into): Promise<void> {
  const names = inside(entry.name)
  if (names === undefined) throw new Failure('internal', `invalid entry name ${JSON.stringify(entry.name)}`)
  const name = names.pop()
  if (name === undefined) return
  const { uid, gid } = into.owner ?? entry
  if (uid > largestId || gid > largestId) throw refused(entry, 'its owner is out of range')
  const parent = openFolder(into.view, [...into.folder, ...names], entry)
  try {
    const at = `/proc/self/fd/${parent}/${name}`
    if (!clearPlace(at, entry, into)) return setFolder(at, entry, { uid, gid })
    switch (entry.type) {
      case 'directory':
        mkdirSync(fsPath(at), 0o700)
        return setFolder(at, entry, { uid, gid })
      case 'file':
        return await writeFile(at, entry, { reader: into.reader, uid, gid })
      case 'symlink':
        // text for the container's own use; it is never resolved here
        symlinkSync(fsPath(entry.linkname), fsPath(at))
        break
      case 'link':
        return link(at, entry, into)
      case 'character-device':
      case 'block-device':
      case 'fifo':
        makeNode(at, entry.type, entry.major, entry.minor)
        break
      default:
        return entry.type satisfies never
    }
    lchownSync(fsPath(at), uid, gid)
    if (entry.type !== 'symlink') chmodSync(fsPath(at), entry.mode)
    setImageXattrs(at, entry.xattrs)
    lutimesSync(fsPath(at), fileTime(entry), fileTime(entry))
  } catch (error) {
    if (error instanceof Failure || errnoOf(error) === undefined) throw error
    if (errnoOf(error) === 'EROFS')
      throw new Failure('invalid', 'container rootfs is marked read-only', { cause: error })
    throw new Failure('internal', `Cannot write "${entry.name}": ${errnoOf(error)}`, { cause: error })
  } finally {
    closeSync(parent)
  }
}

/** The parts of a path of the archive; undefined when it leads out. */
function inside(path: string): string[] | undefined {
  const names = posix
    .normalize(path)
    .split('/')
    .filter(name => name !== '' && name !== '.')
  return names.includes('..') ? undefined : names
}

/** Joins a name to a file of this archive, or one that is there. */
function link(at: string, entry: TarEntry, { view, folder, path, ref }: Into): void {
  const names = inside(entry.linkname)
  const last = names?.pop()
  if (names === undefined || last === undefined)
    throw new Failure('internal', `invalid hardlink target ${JSON.stringify(entry.linkname)}`)
  const source = openFolder(view, [...folder, ...names], entry)
  try {
    linkSync(fsPath(`/proc/self/fd/${source}/${last}`), fsPath(at))
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
    throw new Failure('not-found', `Could not find the file ${path} in container ${ref}`)
  } finally {
    closeSync(source)
  }
}

/** Makes room under a name; false when a folder is there that is to be kept as a folder. */
function clearPlace(at: string, entry: TarEntry, { noOverwriteDirNonDir, path }: Into): boolean {
  const before = lstatSync(fsPath(at), { throwIfNoEntry: false })
  if (!before) return true
  if (before.isDirectory() && entry.type === 'directory') return false
  if (noOverwriteDirNonDir && before.isDirectory())
    throw new Failure('internal', `cannot overwrite directory "${entry.name}" with non-directory "${path}"`)
  if (noOverwriteDirNonDir && entry.type === 'directory')
    throw new Failure('internal', `cannot overwrite non-directory "${entry.name}" with directory "${path}"`)
  rmSync(fsPath(at), { recursive: true })
  return true
}

function setFolder(at: string, entry: TarEntry, owner: { readonly uid: number; readonly gid: number }): void {
  const fd = openSync(fsPath(at), folderOnly)
  try {
    fchownSync(fd, owner.uid, owner.gid)
    fchmodSync(fd, entry.mode)
    setImageXattrs(`/proc/self/fd/${fd}/.`, entry.xattrs)
    futimesSync(fd, fileTime(entry), fileTime(entry))
  } catch (error) {
    throw spaceFailure(error, `/${entry.name}`)
  } finally {
    closeSync(fd)
  }
}

async function writeFile(
  at: string,
  entry: TarEntry,
  { reader, uid, gid }: { readonly reader: TarReader; readonly uid: number; readonly gid: number },
): Promise<void> {
  const fd = openSync(fsPath(at), newFile, 0o600)
  try {
    await writeContent(fd, entry.size, reader)
    // chown clears set-uid bits and file capabilities, so it comes first
    fchownSync(fd, uid, gid)
    fchmodSync(fd, entry.mode)
    setImageXattrs(at, entry.xattrs)
    futimesSync(fd, fileTime(entry), fileTime(entry))
  } finally {
    closeSync(fd)
  }
}

/**
 * A descriptor of the folder to write in. Folders that are missing are made; in the writable layer of a container that does not
 * run, those of its image are made again with their owner and mode, which is how overlay copies a folder up. What is mounted there
 * is opened as itself.
 */
function openFolder(view: View, path: readonly string[], entry: TarEntry): number {
  using tree = view.tree()
  let shown: ReturnType<MergedTree['child']> = tree.root
  let fd = openSync(view.writable, folderOnly)
  try {
    for (const name of canonical(tree, path.join('/')).names) {
      shown = shown?.kind === 'folder' ? tree.child(shown, name) : undefined
      if (shown?.kind === 'node') throw new Failure('internal', `openat ${entry.name}: not a directory`)
      const mounted = shown !== undefined && shown.mounts?.source !== undefined
      const next = mounted ? openSync(fsPath(shown!.path), folderOnly) : below(fd, name, shown)
      closeSync(fd)
      fd = next
    }
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function below(parent: number, name: string, shown: TreeFolder | undefined): number {
  const at = `/proc/self/fd/${parent}/${name}`
  const before = lstatSync(fsPath(at), { throwIfNoEntry: false })
  let opaque = false
  if (before && !before.isDirectory()) {
    // a whiteout: what the image has here stays hidden
    if (!isWhiteout(before)) throw new Failure('conflict', `Cannot write below "${name}": it changed meanwhile`)
    rmSync(fsPath(at))
    opaque = true
  }
  if (!before?.isDirectory()) mkdirSync(fsPath(at), 0o755)
  const fd = openSync(fsPath(at), folderOnly)
  if (before?.isDirectory()) return fd
  const { mode, uid, gid } = shown?.stat ?? { mode: 0o755, uid: 0, gid: 0 }
  fchownSync(fd, uid, gid)
  fchmodSync(fd, mode & 0o7777)
  if (opaque) setXattr(`/proc/self/fd/${fd}/.`, 'trusted.overlay.opaque', Buffer.from('y'))
  return fd
}

function refused(entry: TarEntry, why: string): Failure {
  return new Failure('invalid', `Cannot write "${entry.name.slice(0, 300)}" into the container: ${why}`)
}
