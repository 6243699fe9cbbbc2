/** Files of the disk as a tar: hard links joined, attributes kept, and each entry looked at again when its turn has come. */
import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync, type Stats } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { errnoOf, Failure } from '../../lib/failure.ts'
import { fsPath, nameOfBytes } from '../../lib/file-name.ts'
import type { HostPath, IdRange } from '../../runtime/spec.ts'
import { readImageXattrs } from './image-xattrs.ts'
import { ownerInside, xattrsInside } from './mapped-ids.ts'
import { longestPath, type MergedTree, type TreeFolder, type TreeNode } from './merged-tree.ts'
import { type TarHeader, tarEnd, tarHeader, tarPadding } from './tar-writer.ts'

/** A file, folder, link or device under the name it gets in the archive; `path` reaches it while the walk stands there. */
export interface FileEntry {
  readonly name: string
  readonly stat: Stats
  readonly path: HostPath
}

/** A name that hides what layers below have: an empty file in a layer's tar. */
export interface Marker {
  readonly name: string
  readonly marker: true
}

/** Files up to this are read at once; larger ones by a thread, a piece at a time. */
const small = 256 * 1024
/** A piece of the archive has at least this many bytes, but for the last. */
const gathered = 64 * 1024

/** A tree's entry and, of a folder, all below it; `name` "" for a root that is to have no name of its own. */
export function* walkTree(tree: MergedTree, entry: TreeFolder | TreeNode, name: string): Generator<FileEntry> {
  if (name.length > longestPath)
    throw new Failure('unsupported', `Cannot copy "${name.slice(0, 40)}…": it has more than ${longestPath} characters`)
  if (name !== '') yield { name, stat: entry.stat, path: entry.path }
  if (entry.kind !== 'folder') return
  for (const child of tree.names(entry)) {
    const found = tree.child(entry, child)
    if (!found) continue
    yield* walkTree(tree, found, name === '' ? child : `${name.replace(/\/$/, '')}/${child}`)
    if (found.kind === 'folder') tree.close(found)
  }
}

/** The archive of what a walk yields; small pieces are gathered. `ids`: whose the files are, to be told as its user namespace counts. */
export async function* treeTar(
  entries: Iterable<FileEntry | Marker>,
  ids?: IdRange,
): AsyncGenerator<Uint8Array, void, undefined> {
  let waiting: Uint8Array[] = []
  let length = 0
  for await (const piece of pieces(entries, ids)) {
    waiting.push(piece)
    length += piece.length
    if (length < gathered) continue
    yield waiting.length === 1 ? piece : Buffer.concat(waiting, length)
    waiting = []
    length = 0
  }
  yield Buffer.concat(waiting, length)
}

async function* pieces(
  entries: Iterable<FileEntry | Marker>,
  ids: IdRange | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const common = (stat: Stats, name: string) => ({ ...look(stat, name), ...(ids && ownerInside(stat, ids)) })
  const xattrsOf = (path: HostPath) => {
    const found = readImageXattrs(path)
    return found && ids ? xattrsInside(found, ids) : found
  }
  const linked = new Map<string, string>()
  for (const entry of entries) {
    if ('marker' in entry) {
      yield tarHeader({ name: entry.name, type: 'file', mode: 0, uid: 0, gid: 0, mtime: 0 })
      continue
    }
    const { stat, name } = entry
    const key = `${stat.dev}:${stat.ino}`
    const first = stat.nlink > 1 && !stat.isDirectory() ? linked.get(key) : undefined
    if (first !== undefined) yield tarHeader({ ...common(stat, name), type: 'link', linkname: first })
    else if (stat.isFile()) {
      const written = yield* file(entry, { common, xattrsOf })
      if (!written) continue
    } else {
      const header = special(entry, common(stat, name))
      if (header === undefined) continue
      yield tarHeader({ ...header, xattrs: xattrsOf(entry.path) })
    }
    if (stat.nlink > 1 && first === undefined && !stat.isDirectory()) linked.set(key, name)
  }
  yield tarEnd
}

function look(stat: Stats, name: string) {
  return { name, mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid, mtime: Math.floor(stat.mtimeMs / 1000) }
}

/** Undefined for what has no place in a tar (a socket), or has gone since it was listed. */
function special({ stat, path }: FileEntry, header: ReturnType<typeof look>): TarHeader | undefined {
  if (stat.isDirectory()) return { ...header, type: 'directory' }
  if (stat.isSymbolicLink()) {
    const linkname = linkText(path)
    return linkname === undefined ? undefined : { ...header, type: 'symlink', linkname }
  }
  if (stat.isFIFO()) return { ...header, type: 'fifo' }
  if (!stat.isBlockDevice() && !stat.isCharacterDevice()) return undefined
  const [major, minor] = deviceNumbers(stat.rdev)
  return { ...header, type: stat.isBlockDevice() ? 'block-device' : 'character-device', major, minor }
}

/** Undefined when it was removed or replaced since it was looked at. */
export function linkText(path: HostPath): string | undefined {
  try {
    return nameOfBytes(readlinkSync(fsPath(path), 'buffer'))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'EINVAL') return undefined
    throw error
  }
}

/** dev_t as the kernel gives it to user space. */
export function deviceNumbers(device: number): readonly [major: number, minor: number] {
  const number = BigInt(device)
  const major = ((number >> 32n) & 0xfffff000n) | ((number >> 8n) & 0xfffn)
  const minor = ((number >> 12n) & 0xffffff00n) | (number & 0xffn)
  return [Number(major), Number(minor)]
}

const reading = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** Exactly as many bytes as the header says, also when the file is written to meanwhile: what it lacks then is zeros, as in every tar. */
async function* file(
  { name, path }: FileEntry,
  { common, xattrsOf }: { readonly common: typeof look; readonly xattrsOf: typeof readImageXattrs },
): AsyncGenerator<Uint8Array, boolean, undefined> {
  let fd: number
  try {
    fd = openSync(fsPath(path), reading)
  } catch (error) {
    // removed or replaced since it was listed
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ELOOP') return false
    throw error
  }
  let large: FileHandle | undefined
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) return false
    const at = `/proc/self/fd/${fd}`
    // lgetxattr on the magic link would ask the link
    const xattrs = xattrsOf(path)
    yield tarHeader({ ...common(stat, name), type: 'file', size: stat.size, xattrs })
    if (stat.size > small) large = await open(at, 'r')
    for (let done = 0; done < stat.size; ) {
      const wanted = Math.min(small, stat.size - done)
      // a new one each time: whoever took the last may not have sent it yet
      const piece = Buffer.allocUnsafe(wanted)
      const got = large ? (await large.read(piece, 0, wanted, done)).bytesRead : readSync(fd, piece, 0, wanted, done)
      if (got === 0) piece.fill(0)
      done += got === 0 ? wanted : got
      yield piece.subarray(0, got === 0 ? wanted : got)
    }
    yield tarPadding(stat.size)
    return true
  } finally {
    await large?.close()
    closeSync(fd)
  }
}
