/** A layer as overlay keeps it, by itself: how large it is, and the one tar that stands for it whatever it lies on. */
import { lstatSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { fsPath } from '../../lib/file-name.ts'
import type { HostPath } from '../../runtime/spec.ts'
import { isOpaque, isWhiteout } from './layer-marks.ts'
import { MergedTree, namesIn, type TreeFolder } from './merged-tree.ts'
import { type FileEntry, type Marker, treeTar } from './tree-tar.ts'

/** Milliseconds between two turns of the event loop. */
const slice = 5

export interface Measured {
  /** Bytes of its files, each counted once. */
  readonly size: number
  /** Nothing in it changes what lies below. */
  readonly empty: boolean
  /** Hides all layers below. */
  readonly opaque: boolean
}

export async function measureLayer(root: HostPath): Promise<Measured> {
  using tree = new MergedTree([root])
  const counted = new Set<number>()
  let size = 0
  let empty = true
  const pause = pauses()
  for (const entry of entries(tree, tree.root, '')) {
    empty = false
    await pause()
    if ('marker' in entry || !entry.stat.isFile() || counted.has(entry.stat.ino)) continue
    if (entry.stat.nlink > 1) counted.add(entry.stat.ino)
    size += entry.stat.size
  }
  return { size, empty, opaque: isOpaque(root) }
}

/** A function of its folder alone: the same files give the same bytes, and what hides is told by marks. */
export async function* unpackedTar(root: HostPath): AsyncGenerator<Uint8Array, void, undefined> {
  using tree = new MergedTree([root])
  const pause = pauses()
  for await (const piece of treeTar(entries(tree, tree.root, ''))) {
    yield piece
    await pause()
  }
}

/** Lets others have their turn when it is time. */
function pauses(): () => Promise<void> {
  let until = performance.now() + slice
  return async () => {
    if (performance.now() < until) return
    await turn()
    until = performance.now() + slice
  }
}

function* entries(tree: MergedTree, folder: TreeFolder, path: string): Generator<FileEntry | Marker> {
  const at = `/proc/self/fd/${folder.fds[0]}`
  const full = (name: string) => (path === '' ? name : `${path}/${name}`)
  if (isOpaque(folder.path)) yield { marker: true, name: full('.wh..wh..opq') }
  for (const name of [...namesIn(at)].sort()) {
    const stat = lstatSync(fsPath(`${at}/${name}`), { throwIfNoEntry: false })
    if (stat === undefined) continue
    if (isWhiteout(stat)) {
      yield { marker: true, name: full(`.wh.${name}`) }
      continue
    }
    const found = tree.child(folder, name)
    if (found === undefined) continue
    yield { name: full(name), stat: found.stat, path: found.path }
    if (found.kind !== 'folder') continue
    yield* entries(tree, found, full(name))
    tree.close(found)
  }
}
