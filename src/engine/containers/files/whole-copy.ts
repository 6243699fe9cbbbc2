/** A stack of layers as one whole folder, for where overlay does not work: the same tree, copied, and never half of it. */
import { existsSync, lstatSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { fsPath } from '../../../lib/file-name.ts'
import type { HostPath, MountSpec } from '../../../runtime/spec.ts'
import { MergedTree } from '../../base/merged-tree.ts'
import { removeFolder } from '../../base/remove-folder.ts'
import { spaceFailure } from '../../base/space.ts'
import { copyFolder, setMetadata } from '../../volumes/copy-tree.ts'

const underWay = new Map<HostPath, Promise<void>>()

/** Makes `to` when it is not there. `root`: the look of the folder itself is the layers' own, otherwise root's, 0755. */
export async function wholeCopy(
  layers: readonly HostPath[],
  to: HostPath,
  { ownRoot = false }: { readonly ownRoot?: boolean } = {},
): Promise<void> {
  if (existsSync(to)) return
  let copy = underWay.get(to)
  if (copy === undefined) {
    copy = make(layers, to, ownRoot).finally(() => underWay.delete(to))
    underWay.set(to, copy)
  }
  await copy
}

async function make(layers: readonly HostPath[], to: HostPath, ownRoot: boolean): Promise<void> {
  const half = `${to}.half`
  await removeFolder(half)
  mkdirSync(half, { recursive: true, mode: 0o755 })
  try {
    using tree = new MergedTree(layers)
    await copyFolder(tree, tree.root, half)
    const { root } = tree
    const stat = ownRoot ? root.stat : Object.assign(lstatSync(fsPath(half)), { mode: 0o755, uid: 0, gid: 0 })
    setMetadata(ownRoot ? root.path : half, half, stat)
  } catch (error) {
    await removeFolder(half)
    throw spaceFailure(error, to)
  }
  renameSync(half, to)
}

/** Mounts of images that need overlay become binds of copies, made anew in `folder`. */
export async function copiedMounts(mounts: readonly MountSpec[], folder: HostPath): Promise<MountSpec[]> {
  await removeFolder(folder)
  return await Promise.all(mounts.map((mount, i) => copiedMount(mount, join(folder, String(i)))))
}

async function copiedMount(mount: MountSpec, copy: HostPath): Promise<MountSpec> {
  if (mount.kind !== 'image' || (mount.layers.length === 1 && mount.changes === undefined)) return mount
  await wholeCopy(mount.layers, copy, { ownRoot: mount.changes === undefined })
  return {
    kind: 'bind',
    cause: mount.cause,
    target: mount.target,
    source: copy,
    beneath: mount.beneath,
    readonly: mount.changes === undefined,
    recursive: false,
    propagation: 'rprivate',
    directory: undefined,
    flags: [],
  }
}
