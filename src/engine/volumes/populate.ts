/**
 * A folder of an image to the content of an empty volume.
 *
 * The copy is made in a folder of its own that no container sees, and its entries are then renamed into the volume: a container that
 * has the volume mounted already can put links there, and rename follows none.
 */
import {
  chmodSync,
  constants,
  copyFileSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  symlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '../../lib/failure.ts'
import { stableHash } from '../../lib/stable-json.ts'
import { getXattr, listXattrs, makeNode, setXattr } from '../../runtime/native.ts'
import type { HostPath, RootPath } from '../../runtime/spec.ts'
import { copyContent } from '../base/copy-content.ts'
import { MergedTree, type TreeFolder } from '../base/merged-tree.ts'

/** Files above this are copied in the thread pool, so that the engine goes on meanwhile. */
const large = 1024 * 1024

export interface Place {
  /** The volume's content. */
  readonly data: HostPath
  /** The part of it to be filled, links followed inside it; '': all. */
  readonly subpath: RootPath
  /** Where the copy may be made, on the same file system, seen by nobody else. */
  readonly folder: HostPath
}

/** A subpath that is not there stays so. */
export async function populate(place: Place, layers: readonly HostPath[], path: RootPath): Promise<void> {
  using volume = new MergedTree([place.data])
  const found = volume.resolve(place.subpath)
  if (found?.kind !== 'folder') return
  const data = found.path
  const part = place.subpath === '' ? '' : `-${stableHash(place.subpath)}`
  const copying = join(place.folder, `copying${part}`)
  const copied = join(place.folder, `copied${part}`)
  if (readIfThere(copied) !== undefined) moveInto(copied, data)
  else if (readdirSync(data).length === 0 && layers.length > 0) {
    rmSync(copying, { recursive: true, force: true })
    using tree = new MergedTree(layers)
    const source = tree.resolve(path)
    if (source?.kind !== 'folder') return
    try {
      mkdirSync(copying, { mode: 0o700 })
      await copyFolder(tree, source, copying, new Map())
    } catch (error) {
      rmSync(copying, { recursive: true, force: true })
      throw error
    }
    // whole from here on: an engine that ends in between goes on with the moving
    renameSync(copying, copied)
    moveInto(copied, data)
    setMetadata(source.path, data, source.stat)
  }
}

/** Moves entry by entry, because the folder itself may be mounted; a folder or link that a container made there meanwhile stays. */
function moveInto(copied: HostPath, data: HostPath): void {
  for (const name of readdirSync(copied)) {
    try {
      renameSync(join(copied, name), join(data, name))
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST', 'EISDIR', 'ENOTDIR'].includes(errnoOf(error) ?? '')) throw error
      rmSync(join(copied, name), { recursive: true })
    }
  }
  rmdirSync(copied)
}

async function copyFolder(
  tree: MergedTree,
  source: TreeFolder,
  target: HostPath,
  linked: Map<string, HostPath>,
): Promise<void> {
  for (const name of tree.names(source)) {
    const child = tree.child(source, name)
    const to = join(target, name)
    if (child === undefined) continue
    if (child.kind === 'folder') {
      mkdirSync(to, { mode: 0o700 })
      await copyFolder(tree, child, to, linked)
      setMetadata(child.path, to, child.stat)
      tree.close(child)
    } else await copyNode(child.path, to, child.stat, linked)
  }
}

async function copyNode(from: HostPath, to: HostPath, stat: Stats, linked: Map<string, HostPath>): Promise<void> {
  if (stat.isSocket()) return // bound by nobody, and nobody can bind it again
  const key = `${stat.dev}:${stat.ino}`
  const first = stat.nlink > 1 ? linked.get(key) : undefined
  if (first !== undefined) return linkSync(first, to)
  if (stat.isSymbolicLink()) symlinkSync(readlinkSync(from, { encoding: 'buffer' }), to)
  else if (stat.isFIFO()) makeNode(to, 'fifo')
  else if (stat.isCharacterDevice() || stat.isBlockDevice()) {
    const [major, minor] = deviceNumbers(stat.rdev)
    makeNode(to, stat.isBlockDevice() ? 'block-device' : 'character-device', major, minor)
  } else {
    if (stat.size > large) await copyContent(from, to, stat)
    else copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
  }
  setMetadata(from, to, stat)
  if (stat.nlink > 1) linked.set(key, to)
}

/** Owner before mode and attributes: a change of owner takes set-uid bits and capabilities away. */
function setMetadata(from: HostPath, to: HostPath, stat: Stats): void {
  lchownSync(to, stat.uid, stat.gid)
  if (!stat.isSymbolicLink()) chmodSync(to, stat.mode & 0o7777)
  for (const name of listXattrs(from)) {
    if (name.startsWith('trusted.') || name.includes('.overlay.')) continue
    try {
      const value = getXattr(from, name)
      if (value !== undefined) setXattr(to, name, value)
    } catch (error) {
      // a label of the host's security module, or a file system without attributes: the content is what counts
      if (!['EOPNOTSUPP', 'EPERM'].includes(errnoOf(error) ?? '')) throw error
    }
  }
  lutimesSync(to, stat.atime, stat.mtime)
}

function deviceNumbers(device: number): readonly [major: number, minor: number] {
  const number = BigInt(device)
  const major = ((number >> 32n) & 0xfffff000n) | ((number >> 8n) & 0xfffn)
  const minor = ((number >> 12n) & 0xffffff00n) | (number & 0xffn)
  return [Number(major), Number(minor)]
}

function readIfThere(path: HostPath): readonly string[] | undefined {
  try {
    return readdirSync(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}
