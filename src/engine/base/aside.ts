/** What is found broken on disk is moved out of the way, never deleted, and named once in the engine's log. */
import { lstatSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { errnoOf, Failure, messageOf } from '../../lib/failure.ts'
import type { Paths } from './paths.ts'
import { reasonOf } from './space.ts'
import { isUnfinished, type RecordKind, readRecord } from './store.ts'

/** Puts one line into the engine's log. */
export type Say = (line: string) => void

/** `newer`: left where it is, for the engine that wrote it. */
export type Loaded<T> =
  | { readonly kind: 'whole'; readonly record: T }
  | { readonly kind: 'missing' | 'damaged' | 'newer' }

export class Aside {
  readonly #paths: Paths
  readonly say: Say

  constructor(paths: Paths, say: Say) {
    this.#paths = paths
    this.say = say
  }

  /** Moves a file or folder to `damaged/` and says so; when it cannot be moved, that is said. */
  keep(path: string, why: string): void {
    const { data, run } = this.#paths.roots
    const root = path.startsWith(`${run}/`) ? run : data
    const folder = this.#paths.damaged(root)
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      const to = this.#move(path, join(folder, relative(root, path).replaceAll('/', '-')))
      this.say(`${why}; kept as "${to}"`)
    } catch (error) {
      this.say(`${why}; it stays there: ${messageOf(error)}`)
    }
  }

  /** Nothing that was kept before is overwritten. */
  #move(path: string, to: string): string {
    let free = to
    for (let n = 1; lstatSync(free, { throwIfNoEntry: false }); n++) free = `${to}.${n}`
    renameSync(path, free)
    return free
  }

  /** Reads a record; what is damaged is kept aside. */
  async load<T>(path: string, kind: RecordKind<T>): Promise<Loaded<T>> {
    try {
      const record = await readRecord(path, kind)
      return record === undefined ? { kind: 'missing' } : { kind: 'whole', record }
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      if (error.kind === 'unsupported') {
        this.say(error.message)
        return { kind: 'newer' }
      }
      this.keep(path, error.message)
      return { kind: 'damaged' }
    }
  }

  /**
   * Makes a folder where there is none; what stands in its place, or in that of one above it, and is none is kept aside. What an engine that was
   * killed had begun to write in it goes.
   */
  async folder(path: string, mode = 0o700): Promise<void> {
    await this.#make(path, mode)
    for (const entry of await readdir(path, { withFileTypes: true }))
      if (entry.isFile() && isUnfinished(entry.name)) await rm(join(path, entry.name), { force: true })
  }

  async #make(path: string, mode: number): Promise<void> {
    try {
      await mkdir(path, { recursive: true, mode })
    } catch (error) {
      if (!['EEXIST', 'ENOTDIR', 'ELOOP', 'ENOENT'].includes(errnoOf(error) ?? '')) throw error
      const wrong = this.#inTheWay(path)
      this.keep(wrong, `Cannot use "${wrong}" as a folder: ${reasonOf(error)}`)
      await mkdir(path, { recursive: true, mode })
    }
  }

  /** The first on the way from our root down that is no folder. */
  #inTheWay(path: string): string {
    const { data, run } = this.#paths.roots
    const above = dirname(path)
    if (path === data || path === run || above === path || isFolder(above)) return path
    return this.#inTheWay(above)
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    // neither there nor to be followed: whoever is told sees the reason in the failure that led here
    return false
  }
}
