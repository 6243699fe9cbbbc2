/** A container's files as they are: through its process while it runs, otherwise its layers and mounts read as one tree. */
import { existsSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { errnoOf, Failure } from '../../../lib/failure.ts'
import type { HostPath, IdRange } from '../../../runtime/spec.ts'
import { MergedTree, type Mounts, type TreeFolder, type TreeNode } from '../../base/merged-tree.ts'
import { OverlayWriter } from '../../base/overlay-writer.ts'
import { linkText } from '../../base/tree-tar.ts'
import type { Container } from '../container.ts'
import { imageLayers } from '../layers.ts'
import type { Parts } from '../parts.ts'
import { hostFileNames } from './host-files.ts'
import { mountPoints } from './mount-points.ts'
import { ensureUpper } from './upper.ts'
import { makeWorkFolder } from './work-folder.ts'

/** Where the paths of a container are to be looked for. */
export interface View {
  /** To be disposed of by who asked for it. */
  tree(): MergedTree
  /** The same, to be written to; to be disposed of likewise. */
  writer(): OverlayWriter
  /** Of the user namespace through which it is seen: its owners are then those of the host. */
  readonly ids: IdRange | undefined
}

export async function viewOf(parts: Parts, container: Container): Promise<View> {
  if (container.running) {
    checkProcess(container)
    // the last dot makes the kernel follow its own link to the root
    const root = `/proc/${container.state.pid}/root/.`
    const ids = container.record.users
    return { tree: () => new MergedTree([root]), writer: () => new OverlayWriter([], root, { ids }), ids }
  }
  const { below, own, whole } = await ownTree(parts, container)
  const beneath = mountPoints(parts.paths)
  const layers = whole ? [] : beneath === undefined ? below : [beneath, ...below]
  const mounts = mountsOf(parts, container)
  return {
    tree: () => new MergedTree([...layers, own], mounts),
    writer: () => new OverlayWriter(layers, own, { mounts }),
    ids: undefined,
  }
}

/** A container's files without anything that is mounted. */
export interface OwnTree {
  /** Its image, lowest first. */
  readonly below: readonly HostPath[]
  /** What it changed of that; `whole`: what it did not change as well. */
  readonly own: HostPath
  readonly whole: boolean
}

export async function ownTree(parts: Parts, container: Container): Promise<OwnTree> {
  const below = imageLayers(parts.images, container.record)
  await ensureUpper(parts, container)
  const [own, whole] = [parts.paths.containerUpper(container.id), container.record.root === 'copy']
  // the runtime makes it for one that starts
  if (container.state.status === 'created') makeWorkFolder(whole ? [] : below, own, container.record.config.WorkingDir)
  return { below, own, whole }
}

function mountsOf(parts: Parts, container: Container): Mounts {
  const root: Mounts = { below: new Map() }
  const put = (target: string, source: HostPath, subpath?: string) => {
    const names = target.split('/').filter(name => name !== '')
    const last = names.pop()
    if (last === undefined) return
    let at = root
    for (const name of names) {
      const next = at.below.get(name) ?? { below: new Map() }
      at.below.set(name, next)
      at = next
    }
    at.below.set(last, { source, subpath, below: at.below.get(last)?.below ?? new Map() })
  }
  for (const name of hostFileNames) {
    const source = join(parts.paths.container(container.id), name)
    if (existsSync(source)) put(`/etc/${name}`, source)
  }
  for (const mount of container.record.mounts) {
    if (mount.type === 'bind') put(mount.target, mount.source!)
    else if (mount.type === 'volume') {
      const source = parts.volumes.source(mount.name!)
      if (source.kind === 'bind') put(mount.target, source.source, mount.subpath)
    }
  }
  return root
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

const mostLinks = 40

/** What is at a path, its last name not followed. Undefined when it, or a folder on the way, is missing. */
export function look(tree: MergedTree, path: string): TreeFolder | TreeNode | undefined {
  const clean = posix.normalize(path).replace(/(.)\/$/, '$1')
  if (clean === '/') return tree.root
  const above = tree.resolve(posix.dirname(clean))
  return above?.kind === 'folder' ? tree.child(above, posix.basename(clean)) : undefined
}

/** Whether a part before the last is there and no folder. */
export function isBehindFile(tree: MergedTree, path: string): boolean {
  const parts = path.split('/').slice(0, -1)
  return parts.some((_, i) => tree.resolve(parts.slice(0, i + 1).join('/') || '/')?.kind === 'node')
}

/** A path without any link in it, as far as it is there. */
export interface Canonical {
  readonly names: readonly string[]
  /** What is there; undefined when the end of it is missing. */
  readonly entry: TreeFolder | TreeNode | undefined
}

/** Follows all links of a path, its last name too, inside the tree. @throws Failure `invalid` when they go round. */
export function canonical(tree: MergedTree, path: string): Canonical {
  const above: Array<{ name: string; entry: TreeFolder | TreeNode | undefined }> = []
  const rest = path.split('/')
  for (let links = 0; rest.length > 0; ) {
    const name = rest.shift()!
    if (name === '' || name === '.') continue
    if (name === '..') {
      above.pop()
      continue
    }
    const parent = above.length === 0 ? tree.root : above.at(-1)!.entry
    const entry = parent?.kind === 'folder' ? tree.child(parent, name) : undefined
    if (!entry?.stat.isSymbolicLink()) {
      above.push({ name, entry })
      continue
    }
    if (++links > mostLinks) throw new Failure('invalid', `Cannot reach "${path}": too many links`)
    const target = linkText(entry.path) ?? ''
    if (target.startsWith('/')) above.length = 0
    rest.unshift(...target.split('/'))
  }
  return { names: above.map(({ name }) => name), entry: above.length === 0 ? tree.root : above.at(-1)!.entry }
}
