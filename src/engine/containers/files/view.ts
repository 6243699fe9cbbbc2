/** A container's files as they are: through its process while it runs, otherwise its layers and volumes read as one tree. */
import { readFileSync, readlinkSync, type Stats } from 'node:fs'
import { posix } from 'node:path'
import { errnoOf, Failure } from '../../../lib/failure.ts'
import type { HostPath } from '../../../runtime/spec.ts'
import type { MergedTree, TreeFolder, TreeNode } from '../../base/merged-tree.ts'
import type { Container } from '../container.ts'
import type { Parts } from '../parts.ts'
import { ensureUpper } from './upper.ts'

/** Where a path of a container is to be looked for. */
export interface View {
  /** Lowest first, for MergedTree. */
  readonly layers: readonly HostPath[]
  /** Where new files go; the same as the only layer while it runs. */
  readonly writable: HostPath
  /** The path below `layers`. */
  readonly path: string
}

/** The tree that holds `path`: a volume or bind of a container that does not run is its own. */
export async function viewOf(parts: Parts, container: Container, path: string): Promise<View> {
  const clean = posix.normalize(`/${path}`)
  // the last dot makes the kernel follow its own link to the root
  const root = `/proc/${container.state.pid}/root/.`
  if (container.running) {
    checkProcess(container)
    return { layers: [root], writable: root, path: clean }
  }
  const mount = container.record.mounts
    .filter(point => point.type !== 'tmpfs' && (clean === point.target || clean.startsWith(`${point.target}/`)))
    .sort((a, b) => b.target.length - a.target.length)[0]
  if (mount) {
    const source = mount.type === 'bind' ? mount.source! : parts.volumes.mountpoint(mount.name!)
    if (mount.subpath) throw new Failure('unsupported', `Cannot reach "${path}": it is in a part of a volume`)
    return { layers: [source], writable: source, path: clean.slice(mount.target.length) || '/' }
  }
  const layers = parts.images.layers(parts.images.get(container.record.imageId))
  await ensureUpper(parts, container, layers)
  const upper = parts.paths.containerUpper(container.id)
  return { layers: [...layers, upper], writable: upper, path: clean }
}

/** Its pid may be another process's already, of the host even, when it has ended and we have not heard of it yet. */
function checkProcess({ cgroup, name, state }: Container): void {
  try {
    if (readFileSync(`/proc/${state.pid}/cgroup`, 'utf8').includes(`/${cgroup}`)) return
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ESRCH') throw error
  }
  throw new Failure('conflict', `Cannot reach the files of container "${name}": it has just ended`)
}

/** What is at a path, its last name not followed; and the names that lead there, without links. */
export interface Found {
  readonly entry: TreeFolder | TreeNode | undefined
  readonly above: TreeFolder
  readonly name: string
}

const mostLinks = 40

/** The folder above `path` and what it has under the last name. Undefined when a folder on the way is missing. */
export function look(tree: MergedTree, path: string): Found | undefined {
  const clean = posix.normalize(path).replace(/(.)\/$/, '$1')
  if (clean === '/') return { entry: tree.root, above: tree.root, name: '/' }
  const above = tree.resolve(posix.dirname(clean))
  if (above?.kind !== 'folder') return undefined
  const name = posix.basename(clean)
  return { entry: tree.child(above, name), above, name }
}

/** A path without any link in it, and how much of it is there. */
export interface Canonical {
  readonly names: readonly string[]
  /** How many of `names` exist, as folders. */
  readonly existing: number
}

/** Follows all links of a folder's path, inside the tree. @throws Failure `invalid` when something on the way is no folder. */
export function canonical(tree: MergedTree, path: string): Canonical {
  const above: Array<{ name: string; folder: TreeFolder | undefined }> = []
  const rest = path.split('/')
  for (let links = 0; rest.length > 0; ) {
    const name = rest.shift()!
    if (name === '' || name === '.') continue
    if (name === '..') {
      above.pop()
      continue
    }
    const parent = above.length === 0 ? tree.root : above.at(-1)!.folder
    const found = parent && tree.child(parent, name)
    if (found === undefined || found.kind === 'folder') {
      above.push({ name, folder: found })
      continue
    }
    if (!found.stat.isSymbolicLink())
      throw new Failure(
        'invalid',
        `extraction point is not a directory: "/${[...above.map(a => a.name), name].join('/')}"`,
      )
    if (++links > mostLinks) throw new Failure('invalid', `Cannot reach "${path}": too many links`)
    const target = readlinkSync(found.path)
    if (target.startsWith('/')) above.length = 0
    rest.unshift(...target.split('/'))
  }
  return { names: above.map(({ name }) => name), existing: above.filter(({ folder }) => folder !== undefined).length }
}

/** Go's os.FileMode bits, as Docker's clients read them. */
export function goMode(stat: Stats): number {
  let mode = stat.mode & 0o777
  if (stat.isDirectory()) mode += 2 ** 31
  if (stat.isSymbolicLink()) mode += 2 ** 27
  if (stat.isBlockDevice()) mode += 2 ** 26
  if (stat.isCharacterDevice()) mode += 2 ** 26 + 2 ** 21
  if (stat.isFIFO()) mode += 2 ** 25
  if (stat.isSocket()) mode += 2 ** 24
  if (stat.mode & 0o4000) mode += 2 ** 23
  if (stat.mode & 0o2000) mode += 2 ** 22
  if (stat.mode & 0o1000) mode += 2 ** 20
  return mode
}
