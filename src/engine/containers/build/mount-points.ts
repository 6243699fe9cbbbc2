/** Mount points that a stack of layers lacks: the runtime makes them to mount over, and a build takes them away again. */
import { rmdirSync, unlinkSync } from 'node:fs'
import { errnoOf } from '../../../lib/failure.ts'
import { fsPath } from '../../../lib/file-name.ts'
import type { HostPath, RootPath } from '../../../runtime/spec.ts'
import { isOpaque } from '../../base/layer-marks.ts'
import { differs } from '../../base/layer-tar.ts'
import { MergedTree, statIfThere, type TreeFolder } from '../../base/merged-tree.ts'
import { linkText } from '../../base/tree-tar.ts'

/** What the kernel allows in one path. */
const mostLinks = 40

/** Names from the root on, links resolved, of everything that has to be made for `targets`, parents before children. */
export function missingPoints(
  layers: readonly HostPath[],
  targets: readonly RootPath[],
): readonly (readonly string[])[] {
  using tree = layers.length === 0 ? undefined : new MergedTree(layers)
  const found = targets.flatMap(target => (tree ? missing(tree, target) : prefixes([], namesOf(target))))
  const unique = new Map(found.map(names => [names.join('/'), names]))
  return [...unique.values()].sort((a, b) => a.length - b.length)
}

function missing(tree: MergedTree, target: RootPath): readonly (readonly string[])[] {
  const above: { readonly folder: TreeFolder; readonly name: string }[] = []
  const names = () => above.map(({ name }) => name)
  const rest = namesOf(target)
  for (let links = 0; rest.length > 0; ) {
    const name = rest.shift()!
    if (name === '..') {
      above.pop()
      continue
    }
    const found = tree.child(above.at(-1)?.folder ?? tree.root, name)
    if (found === undefined) return prefixes(names(), [name, ...rest])
    if (found.kind === 'folder') above.push({ folder: found, name })
    else if (!found.stat.isSymbolicLink() || ++links > mostLinks) return []
    else {
      const text = linkText(found.path) ?? ''
      if (text.startsWith('/')) above.length = 0
      rest.unshift(...namesOf(text))
    }
  }
  return []
}

function namesOf(path: string): string[] {
  return path.split('/').filter(name => name !== '' && name !== '.')
}

function prefixes(above: readonly string[], names: readonly string[]): readonly (readonly string[])[] {
  return names.map((_, i) => [...above, ...names.slice(0, i + 1)])
}

/**
 * Those that are still as they were made, empty; whatever a command has put in their place stays. A folder that was there before, and has
 * only been copied up to hold one, goes from the layer too. Follows no link of the layer.
 */
export function removePoints(
  upper: HostPath,
  below: readonly HostPath[],
  points: readonly (readonly string[])[],
): void {
  for (const names of points.toReversed()) inFolder(upper, names, removeEmpty)
  if (below.length === 0) return
  using under = new MergedTree(below)
  const above = new Set(points.map(names => names.slice(0, -1).join('/')))
  for (const parent of above)
    for (let names = parent.split('/').filter(Boolean); names.length > 0; names = names.slice(0, -1)) {
      const was = under.resolve(names.join('/'))
      if (was?.kind !== 'folder' || !inFolder(upper, names, path => removeCopiedUp(path, was))) break
    }
}

/** Calls with the path of a name of a layer, while the folder it is in is held open; undefined when that is not there. */
function inFolder<T>(upper: HostPath, names: readonly string[], use: (path: HostPath) => T): T | undefined {
  using tree = new MergedTree([upper])
  let folder: TreeFolder = tree.root
  for (const name of names.slice(0, -1)) {
    const found = tree.child(folder, name)
    if (found?.kind !== 'folder') return undefined
    folder = found
  }
  return use(`${folder.path}/${names.at(-1)}`)
}

function removeCopiedUp(path: HostPath, was: TreeFolder): boolean {
  const stat = statIfThere(path)
  if (!stat?.isDirectory() || isOpaque(path) || differs({ stat, path }, was)) return false
  return removeEmpty(path)
}

/** Whether it is gone. */
function removeEmpty(path: HostPath): boolean {
  const stat = statIfThere(path)
  if (stat === undefined) return true
  if (!stat.isDirectory()) {
    const isEmpty = stat.isFile() && stat.size === 0
    if (isEmpty) unlinkSync(fsPath(path))
    return isEmpty
  }
  try {
    rmdirSync(fsPath(path))
    return true
  } catch (error) {
    if (errnoOf(error) === 'ENOTEMPTY') return false
    throw error
  }
}
