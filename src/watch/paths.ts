/** Tells of changes of single paths, and of all that is below some. */
import { realpathSync, statSync } from 'node:fs'
import { errnoOf } from '../lib/failure.ts'
import { Point } from './point.ts'
import { isWithin } from './rules.ts'
import { Tree, type TreeOptions } from './tree.ts'

export interface WatchedPath {
  /** Absolute; it may be missing, and come later. */
  readonly path: string
  /** With all that is below it, when it is a folder. */
  readonly deep: boolean
}

/** Watches until `close`; every change is told by the path as it was asked for, wherever links lead. */
export class Paths {
  readonly #options: TreeOptions
  readonly #points: Point[] = []
  readonly #trees = new Map<string, Tree>()

  /** @throws Failure `unavailable` when nothing can be watched */
  constructor(paths: readonly WatchedPath[], options: TreeOptions) {
    this.#options = options
    const deep = paths.filter(each => each.deep).map(({ path }) => path)
    // what is below another one is watched with it
    const tops = [...new Set(deep)].filter(path => !deep.some(other => other !== path && isWithin(other, path)))
    for (const path of new Set(paths.map(each => each.path))) {
      const hear = () => {
        if (tops.includes(path)) this.#tree(path, true)
        options.changed(path)
      }
      this.#points.push(new Point(path, hear))
      const real = realOf(path)
      if (real !== path) this.#points.push(new Point(real, hear))
    }
    for (const path of tops) this.#tree(path, false)
  }

  /** How many folders are watched with all that is in them. */
  get size(): number {
    return [...this.#trees.values()].reduce((sum, { size }) => sum + size, 0)
  }

  close(): void {
    for (const each of [...this.#points, ...this.#trees.values()]) each.close()
  }

  /** Anew when it has become another folder: `came`, whose content is told, and that of the one before. */
  #tree(path: string, came: boolean): void {
    const real = realOf(path)
    const inode = folderInode(real)
    const key = `${path}\0${inode}`
    if (this.#trees.has(key)) return
    for (const [other, tree] of this.#trees)
      if (other.startsWith(`${path}\0`)) {
        this.#trees.delete(other)
        if (inode === undefined) tree.close()
        else tree.replaced()
      }
    if (inode === undefined) return
    const asked = (below: string) => path + below.slice(real.length)
    const { changed, skips, failed } = this.#options
    this.#trees.set(
      key,
      new Tree(real, {
        changed: below => changed(asked(below)),
        skips: below => skips(asked(below)),
        failed,
        tellsFirst: came,
      }),
    )
  }
}

function realOf(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    // missing, or a link to what is missing
    return path
  }
}

function folderInode(path: string): number | undefined {
  const found = statSync(path, { throwIfNoEntry: false })
  return found?.isDirectory() ? found.ino : undefined
}
