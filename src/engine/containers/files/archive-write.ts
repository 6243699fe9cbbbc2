/**
 * Files into a container from a tar: into its running root, or into the writable layer of one that does not run.
 *
 * Each folder is reached through an open descriptor and each name is made below it without following a link, so that nothing a
 * container does meanwhile can lead a write out of it.
 */
import { posix } from 'node:path'
import { errnoOf, Failure, isFailure } from '../../../lib/failure.ts'
import type { IdRange } from '../../../runtime/spec.ts'
import { type Owner, setFolder, writeEntry as writeAt } from '../../base/copy-node.ts'
import { ownerOutside, xattrsOutside } from '../../base/mapped-ids.ts'
import type { NameIn, OverlayWriter, WriteFolder } from '../../base/overlay-writer.ts'
import { type TarEntry, TarReader } from '../../base/tar-reader.ts'
import { decompressed } from '../../images/compression.ts'
import type { Container } from '../container.ts'
import { imageLayers } from '../layers.ts'
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

const largestId = 0xfffffffe

export async function writeArchive(parts: Parts, container: Container, options: WriteOptions): Promise<void> {
  const layers = imageLayers(parts.images, container.record)
  const view = await viewOf(parts, container)
  const folder = target(view, container, options)
  using writer = view.writer()
  const user = options.copyUIDGID && container.record.config.User ? containerUser(parts, container, layers) : undefined
  const reader = new TarReader(decompressed(options.content))
  const into = { ...options, writer, folder, reader, owner: user, ids: view.ids }
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
  readonly writer: OverlayWriter
  readonly folder: readonly string[]
  readonly reader: TarReader
  readonly owner: Owner | undefined
  readonly ids: IdRange | undefined
}

/** As whose, and with which attributes, an entry is written. */
function looked(entry: TarEntry, { owner, ids }: Into): { readonly entry: TarEntry; readonly owner: Owner } {
  const { uid, gid } = owner ?? entry
  if (uid > largestId || gid > largestId) throw refused(entry, 'its owner is out of range')
  if (ids === undefined) return { entry, owner: { uid, gid } }
  const outside = ownerOutside({ uid, gid }, ids)
  if (outside === undefined)
    throw refused(
      entry,
      `its owner ${uid}:${gid} is not in the container's user namespace, which has 0 to ${ids.size - 1}`,
    )
  return { entry: { ...entry, xattrs: xattrsOutside(entry.xattrs, ids) }, owner: outside }
}

async function writeEntry(entry: TarEntry, into: Into): Promise<void> {
  const names = inside(entry.name)
  if (names === undefined) throw new Failure('internal', `invalid entry name ${JSON.stringify(entry.name)}`)
  const name = names.pop()
  if (name === undefined) return
  const { entry: written, owner } = looked(entry, into)
  const { writer, reader } = into
  const make = writer.make.bind(writer)
  const place = writer.resolve([...into.folder, ...names].join('/'))
  try {
    if (place.entries.some(each => each?.kind === 'node'))
      throw new Failure('internal', `openat ${entry.name}: not a directory`)
    const parent = writer.makeFolders(place, { mode: 0o755, owner: undefined })
    const folder = clearPlace({ folder: parent, name }, entry, into)
    if (entry.type === 'directory') {
      const made = folder ?? writer.makeFolder(parent, name, { mode: 0o700, owner })
      setFolder(writer.descriptor(made), written, owner)
      writer.close(made)
    } else if (entry.type === 'link') await link({ folder: parent, name }, entry, into)
    else await writeAt(writer.clear(parent, name), { entry: written, reader, owner, make })
  } catch (error) {
    if (error instanceof Failure || errnoOf(error) === undefined) throw error
    if (errnoOf(error) === 'EROFS')
      throw new Failure('invalid', 'container rootfs is marked read-only', { cause: error })
    throw new Failure('internal', `Cannot write "${entry.name}": ${errnoOf(error)}`, { cause: error })
  } finally {
    writer.release(place)
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
async function link(to: NameIn, entry: TarEntry, { writer, folder, path, ref }: Into): Promise<void> {
  const names = inside(entry.linkname)
  const last = names?.pop()
  if (names === undefined || last === undefined)
    throw new Failure('internal', `invalid hardlink target ${JSON.stringify(entry.linkname)}`)
  const place = writer.resolve([...folder, ...names].join('/'))
  try {
    const from = place.entries.length === 0 ? writer.root : place.entries.at(-1)
    const isThere = from?.kind === 'folder' && (await writer.link({ folder: from, name: last }, to))
    if (!isThere) throw new Failure('not-found', `Could not find the file ${path} in container ${ref}`)
  } finally {
    writer.release(place)
  }
}

/** Makes room under a name; the folder that is there when it is to be kept as one. */
function clearPlace({ folder, name }: NameIn, entry: TarEntry, into: Into): WriteFolder | undefined {
  const { noOverwriteDirNonDir, path, writer } = into
  const before = writer.child(folder, name)
  if (before === undefined) return undefined
  if (before.kind === 'folder') {
    if (entry.type === 'directory') return before
    writer.close(before)
  }
  if (noOverwriteDirNonDir && before.kind === 'folder')
    throw new Failure('internal', `cannot overwrite directory "${entry.name}" with non-directory "${path}"`)
  if (noOverwriteDirNonDir && entry.type === 'directory')
    throw new Failure('internal', `cannot overwrite non-directory "${entry.name}" with directory "${path}"`)
  if (before.kind === 'folder' || entry.type === 'directory') writer.remove(folder, name)
  return undefined
}

function refused(entry: TarEntry, why: string): Failure {
  return new Failure('invalid', `Cannot write "${entry.name.slice(0, 300)}" into the container: ${why}`)
}
