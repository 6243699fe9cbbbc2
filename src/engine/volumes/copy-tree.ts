/** A folder's tree to another folder: owner, mode, times, attributes and hard links kept, data by reflink where there is any. */
import {
  chmodSync,
  constants,
  copyFileSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readlinkSync,
  type Stats,
  symlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { errnoOf } from '../../lib/failure.ts'
import { fsPath } from '../../lib/file-name.ts'
import { getXattr, listXattrs, makeNode, setXattr } from '../../runtime/native.ts'
import type { HostPath } from '../../runtime/spec.ts'
import { copyContent } from '../base/copy-content.ts'
import { makeSpecial } from '../base/make-special.ts'
import { MergedTree, type TreeFolder } from '../base/merged-tree.ts'

/** Files above this are copied in the thread pool, so that the engine goes on meanwhile. */
const large = 1024 * 1024
/** Entries after which others of the engine have their turn. */
const turn = 64

/** All of `from` into the empty folder `to`, which gets its owner, mode and times. Links are never followed. */
export async function copyTree(from: HostPath, to: HostPath): Promise<void> {
  // a volume may hold layers of an engine within: what hides something there is a file like any other here
  using tree = new MergedTree([from], undefined, { plain: true })
  const source = tree.resolve('/')
  if (source?.kind !== 'folder') return
  await copyFolder(tree, source, to)
  setMetadata(source.path, to, source.stat)
}

/** What an open folder shows, into `target`; of the folder itself nothing. */
export async function copyFolder(tree: MergedTree, source: TreeFolder, target: HostPath): Promise<void> {
  await new Copy(tree).folder(source, target)
}

class Copy {
  readonly #tree: MergedTree
  /** By device and inode: the first name of a file that has several. */
  readonly #linked = new Map<string, HostPath>()
  #count = 0

  constructor(tree: MergedTree) {
    this.#tree = tree
  }

  async folder(source: TreeFolder, target: HostPath): Promise<void> {
    for (const name of this.#tree.names(source)) {
      const child = this.#tree.child(source, name)
      const to = join(target, name)
      if (child === undefined) continue
      if (++this.#count % turn === 0) await nextTurn()
      if (child.kind === 'folder') {
        mkdirSync(fsPath(to), { mode: 0o700 })
        await this.folder(child, to)
        setMetadata(child.path, to, child.stat)
        this.#tree.close(child)
      } else await copyNode(child.path, to, child.stat, this.#linked)
    }
  }
}

async function copyNode(from: HostPath, to: HostPath, stat: Stats, linked: Map<string, HostPath>): Promise<void> {
  if (stat.isSocket()) return // bound by nobody, and nobody can bind it again
  const key = `${stat.dev}:${stat.ino}`
  const first = stat.nlink > 1 ? linked.get(key) : undefined
  if (first !== undefined) return linkSync(fsPath(first), fsPath(to))
  if (stat.isSymbolicLink()) symlinkSync(readlinkSync(fsPath(from), { encoding: 'buffer' }), fsPath(to))
  else if (stat.isFIFO()) makeNode(to, 'fifo')
  else if (stat.isCharacterDevice() || stat.isBlockDevice()) {
    const [major, minor] = deviceNumbers(stat.rdev)
    if (!makeSpecial(to, stat.isBlockDevice() ? 'block-device' : 'character-device', major, minor)) return
  } else {
    if (stat.size > large) await copyContent(from, to, stat)
    else copyFileSync(fsPath(from), fsPath(to), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
  }
  setMetadata(from, to, stat)
  if (stat.nlink > 1) linked.set(key, to)
}

/** Owner before mode and attributes: a change of owner takes set-uid bits and capabilities away. */
export function setMetadata(from: HostPath, to: HostPath, stat: Stats): void {
  lchownSync(fsPath(to), stat.uid, stat.gid)
  if (!stat.isSymbolicLink()) chmodSync(fsPath(to), stat.mode & 0o7777)
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
  lutimesSync(fsPath(to), stat.atime, stat.mtime)
}

function deviceNumbers(device: number): readonly [major: number, minor: number] {
  const number = BigInt(device)
  const major = ((number >> 32n) & 0xfffff000n) | ((number >> 8n) & 0xfffn)
  const minor = ((number >> 12n) & 0xffffff00n) | (number & 0xffn)
  return [Number(major), Number(minor)]
}
