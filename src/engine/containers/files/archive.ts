/** Files out of a container as a tar, and what is at a path. */
import { closeSync, constants, createReadStream, fstatSync, openSync, readlinkSync, type Stats } from 'node:fs'
import { posix } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type Pack, pack } from 'tar-stream'
import type { Archive, PathStat } from '../../../api/endpoint.ts'
import { debug } from '../../../lib/debug.ts'
import { errnoOf, Failure, messageOf } from '../../../lib/failure.ts'
import { longestPath, MergedTree, type TreeFolder, type TreeNode } from '../../base/merged-tree.ts'
import type { Container } from '../container.ts'
import { type Parts, tell } from '../parts.ts'
import { goMode, look, viewOf } from './view.ts'

const log = debug('containers')

/** `ref`: what the client called the container, which the texts repeat. */
interface Place {
  readonly path: string
  readonly ref: string
}

const missing = ({ path, ref }: Place): Failure =>
  new Failure('not-found', `Could not find the file ${path} in container ${ref}`)

/** @throws Failure `not-found` with Docker's text. */
export async function statPath(parts: Parts, container: Container, place: Place): Promise<PathStat> {
  const view = await viewOf(parts, container, place.path)
  using tree = new MergedTree(view.layers)
  // a slash at the end asks for what a link leads to
  const found = place.path.endsWith('/') ? follow(tree, view.path) : look(tree, view.path)?.entry
  if (!found) throw missing(place)
  return pathStat(place.path, found)
}

/** The path and, of a folder, all below it, under the path's last name. */
export async function readArchive(parts: Parts, container: Container, place: Place): Promise<Archive> {
  const view = await viewOf(parts, container, place.path)
  const tree = new MergedTree(view.layers)
  try {
    const found = place.path.endsWith('/') ? follow(tree, view.path) : look(tree, view.path)?.entry
    if (!found) throw missing(place)
    const base = place.path.endsWith('/.') ? '.' : posix.basename(posix.normalize(`/${place.path}`)) || '/'
    const tar = pack()
    // The reader hears of a failure: the pack is destroyed with it.
    addAll(tar, tree, found, base)
      .then(
        () => tar.finalize(),
        error => {
          log('archive of %s: %s', container.name, messageOf(error))
          tar.destroy(error)
        },
      )
      .finally(() => tree[Symbol.dispose]())
    tell(parts, container, 'archive-path')
    return { stat: pathStat(place.path, found), content: tar as AsyncIterable<Uint8Array> }
  } catch (error) {
    tree[Symbol.dispose]()
    throw error
  }
}

function follow(tree: MergedTree, path: string): TreeFolder | TreeNode | undefined {
  return tree.resolve(path)
}

function pathStat(path: string, { stat, path: at }: TreeFolder | TreeNode): PathStat {
  const linkTarget = stat.isSymbolicLink()
    ? posix.resolve(posix.dirname(posix.normalize(`/${path}`)), readlinkSync(at))
    : ''
  return {
    name: posix.basename(posix.normalize(`/${path}`)) || '/',
    size: stat.size,
    mode: goMode(stat),
    mtime: stat.mtime.toISOString(),
    linkTarget,
  }
}

async function addAll(tar: Pack, tree: MergedTree, entry: TreeFolder | TreeNode, name: string): Promise<void> {
  const { stat } = entry
  if (name.length > longestPath)
    throw new Failure('unsupported', `Cannot copy "${name.slice(0, 40)}…": it has more than ${longestPath} characters`)
  if (entry.kind === 'folder') {
    await addEntry(tar, { ...header(stat, `${name}/`), type: 'directory' })
    for (const child of tree.names(entry)) {
      const found = tree.child(entry, child)
      if (!found) continue
      await addAll(tar, tree, found, name === '/' ? child : `${name}/${child}`)
      if (found.kind === 'folder') tree.close(found)
    }
    return
  }
  if (stat.isSymbolicLink()) {
    const linkname = linkText(entry.path)
    return linkname === undefined ? undefined : addEntry(tar, { ...header(stat, name), type: 'symlink', linkname })
  }
  if (stat.isFile()) return addFile(tar, entry, name)
  if (stat.isFIFO()) return addEntry(tar, { ...header(stat, name), type: 'fifo' })
  if (stat.isBlockDevice() || stat.isCharacterDevice())
    return addEntry(tar, {
      ...header(stat, name),
      type: stat.isBlockDevice() ? 'block-device' : 'character-device',
      devmajor: (stat.rdev >> 8) & 0xfff,
      devminor: (stat.rdev & 0xff) | ((stat.rdev >> 12) & 0xfff00),
    })
  // a socket has no place in a tar
}

/** Undefined when it was removed or replaced since it was listed. */
function linkText(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'EINVAL') return undefined
    throw error
  }
}

interface Header {
  readonly name: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtime: Date
}

function header(stat: Stats, name: string): Header {
  return { name, mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid, mtime: stat.mtime }
}

function addEntry(tar: Pack, head: Parameters<Pack['entry']>[0]): Promise<void> {
  return new Promise((resolve, reject) => {
    // without a body given, the library waits for one, also that of an empty file
    tar.entry(head, '', error => (error ? reject(error) : resolve()))
  })
}

const padding = Buffer.alloc(65_536)

/** Exactly as many bytes as the header says, also when the file is written to meanwhile. */
async function addFile(tar: Pack, entry: TreeNode, name: string): Promise<void> {
  let fd: number
  try {
    fd = openSync(entry.path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    // removed or replaced since it was listed
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ELOOP') return
    throw error
  }
  const stat = fstatSync(fd)
  if (!stat.isFile() || stat.size === 0) {
    closeSync(fd)
    return stat.isFile() ? addEntry(tar, { ...header(stat, name), size: 0 }) : undefined
  }
  await new Promise<void>((resolve, reject) => {
    const sink = tar.entry({ ...header(stat, name), size: stat.size }, error => (error ? reject(error) : resolve()))
    pipeline(exactly(fd, stat.size), sink).catch(reject)
  })
}

/** What is missing of a file that has shrunk meanwhile is made up by zeros, as every tar does. */
async function* exactly(fd: number, size: number): AsyncGenerator<Uint8Array> {
  let left = size
  for await (const piece of createReadStream('', { fd, start: 0, end: size - 1, autoClose: true })) {
    left -= (piece as Buffer).length
    yield piece as Buffer
  }
  for (; left > 0; left -= padding.length) yield padding.subarray(0, left)
}
