/** Files out of a container as a tar, and what is at a path; names, answers and errors are those of Docker. */
import { posix } from 'node:path'
import type { Archive, PathStat } from '../../../api/endpoint.ts'
import { goMode } from '../../../api/go-mode.ts'
import { Failure } from '../../../lib/failure.ts'
import { MergedTree, type TreeFolder, type TreeNode } from '../../base/merged-tree.ts'
import { treeTar, walkTree } from '../../base/tree-tar.ts'
import type { Container } from '../container.ts'
import { type Parts, tell } from '../parts.ts'
import { canonical, isBehindFile, look, ownTree, viewOf } from './view.ts'

/** `ref`: what the client called the container, which the texts repeat. */
interface Place {
  readonly path: string
  readonly ref: string
}

interface Found {
  readonly entry: TreeFolder | TreeNode
  /** The path as Docker cleans it: absolute, and still with the slash or dot it ended in. */
  readonly clean: string
  /** Its last part, "." and "/" included: what it is called in the archive. */
  readonly name: string
}

/** @throws Failure `not-found` with Docker's text. */
export async function statPath(parts: Parts, container: Container, place: Place): Promise<PathStat> {
  const view = await viewOf(parts, container)
  using tree = view.tree()
  return pathStat(tree, find(tree, place))
}

/** The path and, of a folder, all below it, under the path's last name. */
export async function readArchive(parts: Parts, container: Container, place: Place): Promise<Archive> {
  const view = await viewOf(parts, container)
  const tree = view.tree()
  try {
    const found = find(tree, place)
    const stat = pathStat(tree, found)
    tell(parts, container, 'archive-path')
    return { stat, content: disposing(tree, treeTar(walkTree(tree, found.entry, found.name), view.ids)) }
  } catch (error) {
    tree[Symbol.dispose]()
    throw error
  }
}

/** All of its own files, with nothing that is mounted over them. */
export async function exportRoot(parts: Parts, container: Container): Promise<Archive> {
  const { below, own, whole } = await ownTree(parts, container)
  const tree = new MergedTree(whole ? [own] : [...below, own])
  tell(parts, container, 'export')
  return { content: disposing(tree, treeTar(walkTree(tree, tree.root, ''))) }
}

/** Closes the tree when the archive has been read, or its reader has left. */
async function* disposing(tree: MergedTree, content: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* content
  } finally {
    tree[Symbol.dispose]()
  }
}

function find(tree: MergedTree, { path, ref }: Place): Found {
  const isDot = /(?:^|\/)\.\/*$/.test(path)
  const ending = (isDot ? '/.' : '') + (path.endsWith('/') ? '/' : '')
  const bare = posix.normalize(`/${path}`).replace(/(.)\/$/, '$1')
  const clean = bare === '/' && !isDot ? '/' : bare.replace(/\/$/, '') + ending
  const entry = ending === '' ? look(tree, bare) : tree.resolve(bare)
  if (entry === undefined ? isBehindFile(tree, bare) : ending !== '' && entry.kind !== 'folder')
    throw new Failure('internal', `lstat ${clean}: not a directory`)
  if (entry === undefined) throw new Failure('not-found', `Could not find the file ${path} in container ${ref}`)
  return { entry, clean, name: isDot ? '.' : posix.basename(bare) || '/' }
}

function pathStat(tree: MergedTree, { entry: { stat }, clean, name }: Found): PathStat {
  return {
    name,
    size: stat.size,
    mode: goMode(stat.mode),
    mtime: stat.mtime.toISOString(),
    // as far as it leads, its own links followed
    linkTarget: stat.isSymbolicLink() ? `/${canonical(tree, clean).names.join('/')}` : '',
  }
}
