/**
 * A tar over what is there already: how ADD unpacks. The folder it goes to is the archive's root: no name and no link leads out of it.
 * Its whiteouts take away what was there before, and nothing that it brought itself.
 */
import { futimesSync } from 'node:fs'
import { posix } from 'node:path'
import { errnoOf, Failure } from '../../../lib/failure.ts'
import { bytesOfName } from '../../../lib/file-name.ts'
import type { HostPath } from '../../../runtime/spec.ts'
import type { Owner } from '../../base/copy-node.ts'
import { setFolder, writeEntry } from '../../base/copy-node.ts'
import { mostXattrs } from '../../base/image-xattrs.ts'
import type { OverlayWriter, Place, WriteFolder } from '../../base/overlay-writer.ts'
import { fileTime, type TarEntry, type TarReader } from '../../base/tar-reader.ts'
import type { UnpackLimits } from '../../images/unpack-limits.ts'
import type { Turns } from './turns.ts'

export interface UnpackOptions {
  readonly writer: OverlayWriter
  readonly into: WriteFolder
  /** Instead of the archive's own. */
  readonly owner: Owner | undefined
  readonly limits: UnpackLimits
  readonly turns: Turns
}

const whiteoutPrefix = '.wh.'
const opaqueMarker = '.wh..wh..opq'
const largestId = 0xfffffffe
const longestPath = 4096
const made = { mode: 0o755, owner: { uid: 0, gid: 0 } }

/** @throws Failure `invalid` for an archive that reaches out, is damaged or exceeds a limit. */
export async function unpackArchive(reader: TarReader, options: UnpackOptions): Promise<void> {
  const unpacker = new Unpacker(options)
  for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
    await options.turns.next()
    await unpacker.add(entry, reader)
  }
  unpacker.finish()
}

class Unpacker {
  readonly #options: UnpackOptions
  /** What this archive brought, by where it really is. */
  readonly #brought = new Set<string>()
  /** Folder times are set last: each entry made inside changes them. */
  readonly #folderTimes = new Map<string, number>()
  /** The folder of the last entry: most archives stay in one for a while. */
  #last: { readonly path: string; readonly place: Place; readonly folder: WriteFolder } | undefined
  #bytes = 0
  #entries = 0

  constructor(options: UnpackOptions) {
    this.#options = options
  }

  async add(entry: TarEntry, reader: TarReader): Promise<void> {
    const names = this.#check(entry)
    const name = names.at(-1)
    if (name === undefined || names.some(part => part.startsWith('.wh..wh.') && part !== opaqueMarker)) return
    try {
      const parent = this.#folder(names.slice(0, -1), entry)
      if (name.startsWith(whiteoutPrefix)) this.#hide(parent, name)
      else await this.#make(parent, name, { entry, reader })
    } catch (error) {
      if (error instanceof Failure || errnoOf(error) === undefined) throw error
      throw new Failure('internal', `Cannot unpack "${entry.name}": ${errnoOf(error)}`, { cause: error })
    }
  }

  finish(): void {
    const { writer, into } = this.#options
    for (const [path, mtime] of this.#folderTimes) {
      const place = writer.resolve(path, into)
      const folder = place.entries.at(-1)
      if (folder?.kind === 'folder') futimesSync(writer.descriptor(folder), mtime, mtime)
      writer.release(place)
    }
    this.#leave()
  }

  /** The parts of its path, "." and "/" being the root. */
  #check(entry: TarEntry): readonly string[] {
    const { limits } = this.#options
    this.#entries++
    this.#bytes += entry.type === 'symlink' ? bytesOfName(entry.linkname).length : entry.size
    if (this.#entries > limits.entries) throw refused(entry, `the archive has more than ${limits.entries} entries`)
    if (this.#bytes > limits.bytes) throw refused(entry, `the archive has more than ${limits.bytes} bytes`)
    if (entry.uid > largestId || entry.gid > largestId) throw refused(entry, 'its owner is out of range')
    if (entry.xattrs.size > mostXattrs) throw refused(entry, `it has more than ${mostXattrs} extended attributes`)
    const names = inside(entry.name)
    if (names === undefined) throw refused(entry, 'it leads out of the folder it is unpacked to')
    if (names.length > limits.depth) throw refused(entry, `it is more than ${limits.depth} folders deep`)
    return names
  }

  /** Made as far as it is missing; links that are there are followed, inside the archive's root. */
  #folder(names: readonly string[], entry: TarEntry): WriteFolder {
    const path = names.join('/')
    if (path === '') return this.#options.into
    if (this.#last?.path === path) return this.#last.folder
    this.#leave()
    const { writer, into } = this.#options
    const place = writer.resolve(path, into)
    if (place.entries.some(each => each?.kind === 'node')) {
      writer.release(place)
      throw new Failure('conflict', `openat ${entry.name}: not a directory`)
    }
    const folder = writer.makeFolders(place, made, into)
    this.#last = { path, place, folder }
    return folder
  }

  #leave(): void {
    if (this.#last !== undefined) this.#options.writer.release(this.#last.place)
    this.#last = undefined
  }

  async #make(
    parent: WriteFolder,
    name: string,
    { entry, reader }: { readonly entry: TarEntry; readonly reader: TarReader },
  ): Promise<void> {
    const { writer, owner } = this.#options
    const before = writer.child(parent, name)
    const { uid, gid } = owner ?? entry
    this.#brought.add(`${parent.name}/${name}`)
    if (entry.type === 'directory') {
      if (before?.kind === 'node') writer.remove(parent, name)
      const folder =
        before?.kind === 'folder' ? before : writer.makeFolder(parent, name, { mode: 0o700, owner: { uid, gid } })
      const fd = writer.descriptor(folder)
      setFolder(fd, entry, { uid, gid })
      writer.close(folder)
      const path = inside(entry.name)!.join('/')
      this.#folderTimes.delete(path)
      this.#folderTimes.set(path, fileTime(entry))
      return
    }
    if (before?.kind === 'folder') {
      writer.close(before)
      writer.remove(parent, name)
    }
    if (entry.type === 'link') return await this.#link(parent, name, entry)
    await writeEntry(writer.clear(parent, name), { entry, reader, owner: { uid, gid } })
  }

  /** Joins a name to a file of this archive, or one that was there, which is copied up for it. */
  async #link(parent: WriteFolder, name: string, entry: TarEntry): Promise<void> {
    const { writer, into } = this.#options
    const names = inside(entry.linkname)
    const last = names?.at(-1)
    if (names === undefined || last === undefined)
      throw new Failure('invalid', `invalid hardlink target ${JSON.stringify(entry.linkname)}`)
    const place = writer.resolve(names.slice(0, -1).join('/'), into)
    try {
      const folder = place.entries.length === 0 ? into : place.entries.at(-1)
      const isThere = folder?.kind === 'folder' && (await writer.link({ folder, name: last }, { folder: parent, name }))
      if (!isThere) throw new Failure('invalid', `linkat ${entry.linkname} ${entry.name}: no such file or directory`)
    } finally {
      writer.release(place)
    }
  }

  #hide(parent: WriteFolder, name: string): void {
    if (name === opaqueMarker) {
      this.#empty(parent)
      return
    }
    const hidden = name.slice(whiteoutPrefix.length)
    if (hidden === '' || hidden === '.' || hidden === '..') return
    if (!this.#brought.has(`${parent.name}/${hidden}`)) this.#take(parent, hidden)
  }

  /** Everything goes that this archive did not bring. */
  #empty(folder: WriteFolder): void {
    for (const name of this.#options.writer.names(folder)) {
      if (!this.#brought.has(`${folder.name}/${name}`)) this.#take(folder, name)
    }
  }

  /** A folder in which this archive has put something stays, with that. */
  #take(parent: WriteFolder, name: string): void {
    const { writer } = this.#options
    const path: HostPath = `${parent.name}/${name}`
    const entry = writer.child(parent, name)
    if (entry === undefined) return
    if (entry.kind === 'folder' && [...this.#brought].some(each => each.startsWith(`${path}/`))) this.#empty(entry)
    else writer.remove(parent, name)
    if (entry.kind === 'folder') writer.close(entry)
  }
}

/** The parts of a path of the archive; undefined when it leads out. */
function inside(path: string): readonly string[] | undefined {
  if (bytesOfName(path).length >= longestPath) return undefined
  const names = posix
    .normalize(path)
    .split('/')
    .filter(name => name !== '' && name !== '.')
  return names.includes('..') ? undefined : names
}

function refused(entry: TarEntry, why: string): Failure {
  return new Failure('invalid', `Cannot unpack ${JSON.stringify(entry.name.slice(0, 300))}: ${why}`)
}
