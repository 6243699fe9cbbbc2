/** Files out of a container as a tar, and what is at a path; names, answers and errors are those of Docker. */
import { posix } from 'node:path'
import type { Archive, PathStat } from '../../../api/endpoint.ts'
import { goMode } from '../../../api/go-mode.ts'
import { Failure, isFailure } from '../../../lib/failure.ts'
import type { IdRange } from '../../../runtime/spec.ts'
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
  const { tree, found } = await locate(parts, container, place)
  using _ = tree
  return pathStat(tree, found)
}

/** The path and, of a folder, all below it, under the path's last name. */
export async function readArchive(parts: Parts, container: Container, place: Place): Promise<Archive> {
  const { tree, found, ids } = await locate(parts, container, place)
  try {
    const stat = pathStat(tree, found)
    tell(parts, container, 'archive-path')
    return { stat, content: disposing(tree, treeTar(walkTree(tree, found.entry, found.name), ids)) }
  } catch (error) {
    tree[Symbol.dispose]()
    throw error
  }
}

interface Located {
  /** To be disposed of. */
  readonly tree: MergedTree
  readonly found: Found
  /** Of the user namespace through which it is seen. */
  readonly ids: IdRange | undefined
}

/**
 * As the container's program sees it. What was put into a container before its start, where a tmpfs is mounted since, it does not see: that
 * is found beneath, where Docker's engine looks for all.
 */
async function locate(parts: Parts, container: Container, place: Place): Promise<Located> {
  const view = await viewOf(parts, container)
  const seen = findIn(view.tree(), place)
  if (seen.found) return { ...seen, ids: view.ids }
  if (!container.running || !isBeneathTmpfs(container, place)) throw seen.failure
  const { below, own, whole } = await ownTree(parts, container)
  const beneath = findIn(new MergedTree(whole ? [own] : [...below, own]), place)
  if (!beneath.found) throw seen.failure
  return { ...beneath, ids: undefined }
}

type Looked =
  | { readonly tree: MergedTree; readonly found: Found }
  | { readonly found: undefined; readonly failure: Failure }

/** Disposes of a tree in which it is not. */
function findIn(tree: MergedTree, place: Place): Looked {
  try {
    return { tree, found: find(tree, place) }
  } catch (failure) {
    tree[Symbol.dispose]()
    if (!isFailure(failure, 'not-found')) throw failure
    return { found: undefined, failure }
  }
}

function isBeneathTmpfs({ record }: Container, { path }: Place): boolean {
  const clean = posix.normalize(`/${path}`)
  return record.mounts.some(({ type, target }) => type === 'tmpfs' && clean.startsWith(`${target}/`))
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
