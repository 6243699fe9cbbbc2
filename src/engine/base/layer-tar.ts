/** A writable layer as overlay keeps it to a layer's tar: what it hides becomes the markers that images use. */
import { lstatSync, type Stats } from 'node:fs'
import { fsPath } from '../../lib/file-name.ts'
import { getXattr } from '../../runtime/native.ts'
import type { HostPath } from '../../runtime/spec.ts'
import { isOpaque, isWhiteout } from './layer-marks.ts'
import { MergedTree, namesIn, type TreeFolder, type TreeNode } from './merged-tree.ts'
import { type FileEntry, type Marker, treeTar } from './tree-tar.ts'

interface LayerOptions {
  /** What it lies on, lowest first. */
  readonly below: readonly HostPath[]
  /** Paths ("/etc/hosts") that are none of its business when nothing below has them. */
  readonly places: ReadonlySet<string>
  /** It is no layer but the whole tree: what is below and not in it was taken away. */
  readonly whole?: boolean
}

/** What is the same as below (only copied up, a folder in which nothing changed) is left out. */
export async function* layerTar(
  upper: HostPath,
  { below, places, whole = false }: LayerOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  using tree = new MergedTree([upper])
  using under = new MergedTree(below)
  yield* treeTar(new LayerWalk(tree, under, { places, whole }).entries('', tree.root, under.root))
}

class LayerWalk {
  readonly #tree: MergedTree
  readonly #below: MergedTree
  readonly #places: ReadonlySet<string>
  readonly #whole: boolean

  constructor(tree: MergedTree, below: MergedTree, { places, whole }: Required<Omit<LayerOptions, 'below'>>) {
    this.#tree = tree
    this.#below = below
    this.#places = places
    this.#whole = whole
  }

  *entries(path: string, folder: TreeFolder, lower: TreeFolder | undefined): Generator<FileEntry | Marker> {
    const at = `/proc/self/fd/${folder.fds[0]}`
    const gone = this.#whole && lower ? this.#below.names(lower) : []
    for (const name of [...new Set([...namesIn(at), ...gone])].sort()) {
      const full = path === '' ? name : `${path}/${name}`
      const stat = lstatSync(fsPath(`${at}/${name}`), { throwIfNoEntry: false })
      const was = lower && this.#below.child(lower, name)
      if (!was && (stat === undefined || this.#places.has(`/${full}`))) continue
      if (stat === undefined || isWhiteout(stat)) {
        if (was) yield { marker: true, name: path === '' ? `.wh.${name}` : `${path}/.wh.${name}` }
      } else yield* this.#entry(full, this.#tree.child(folder, name), was)
      if (was?.kind === 'folder') this.#below.close(was)
    }
  }

  *#entry(
    name: string,
    found: TreeFolder | TreeNode | undefined,
    was: TreeFolder | TreeNode | undefined,
  ): Generator<FileEntry | Marker> {
    if (found === undefined) return
    const entry = { name, stat: found.stat, path: found.path }
    let told = !was || differs(found, was, this.#whole)
    if (told) yield entry
    if (found.kind !== 'folder') return
    const opaque = !this.#whole && isOpaque(found.path)
    if (opaque && !told) yield entry
    if (opaque) yield { marker: true, name: `${name}/.wh..wh..opq` }
    told ||= opaque
    for (const inner of this.entries(name, found, was?.kind === 'folder' ? was : undefined)) {
      // a folder comes before what is in it
      if (!told) yield entry
      told = true
      yield inner
    }
    this.#tree.close(found)
  }
}

/** Whether a file, or a folder itself, is another than below. A copy has times to the millisecond. */
export function differs(now: Looked, was: Looked, copied = false): boolean {
  const { mode, uid, gid, rdev, size, mtimeMs } = was.stat
  if (now.stat.mode !== mode || now.stat.uid !== uid || now.stat.gid !== gid || now.stat.rdev !== rdev) return true
  if (now.stat.isDirectory()) return false
  if (now.stat.size !== size || Math.abs(now.stat.mtimeMs - mtimeMs) > (copied ? 1 : 0)) return true
  return now.stat.isFile() && capability(now.path) !== capability(was.path)
}

interface Looked {
  readonly stat: Stats
  readonly path: HostPath
}

function capability(path: HostPath): string | undefined {
  return getXattr(path, 'security.capability')?.toString('hex')
}
