/**
 * A folder with all that is below it, watched by one inotify watch a folder (inotify(7)): 10,000 files in 100 folders cost 101
 * watches. What came and went while the kernel's queue was full is found by looking.
 */
import { type FSWatcher, lstatSync, readdirSync, readFileSync, type Stats, watch } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, type Failure } from '../lib/failure.ts'
import { watchFailure } from './watch-failure.ts'

export interface TreeOptions {
  /** A path below that was written, made, removed, or whose mode has changed; of a folder that comes or goes all that is in it. */
  changed(path: string): void
  /** Folders that are of no interest. */
  skips(folder: string): boolean
  /** Whether what is there from the start is told too: in a folder that has come while it was waited for. */
  readonly tellsFirst?: boolean
  /** A folder that could not be watched; the rest is. */
  failed(error: Failure): void
}

interface Folder {
  readonly watcher: FSWatcher
  readonly inode: number
  /** What is in it, as far as it is known. */
  readonly names: Set<string>
}

/** Within so many ms events are counted together, to tell whether some may have been lost. */
const window = 1000

export class Tree {
  readonly #root: string
  readonly #options: TreeOptions
  readonly #folders = new Map<string, Folder>()
  readonly #most: number
  #events = 0
  #counted = 0
  #looking: NodeJS.Timeout | undefined

  /** `most`: events after which the kernel begins to drop them. */
  constructor(root: string, options: TreeOptions, most = maxQueuedEvents()) {
    this.#root = root
    this.#options = options
    this.#most = most
    this.#add(root, options.tellsFirst ?? false)
  }

  /** How many folders are watched. */
  get size(): number {
    return this.#folders.size
  }

  close(): void {
    clearTimeout(this.#looking)
    for (const { watcher } of this.#folders.values()) watcher.close()
    this.#folders.clear()
  }

  /** Another folder has taken its place: all that it knew is told. */
  replaced(): void {
    clearTimeout(this.#looking)
    this.#remove(this.#root)
  }

  /** The watch first, the list then: what comes between the two is in both. */
  #add(path: string, tell: boolean): void {
    if (path !== this.#root && this.#options.skips(path)) return
    const found = statOf(path)
    if (!found?.isDirectory()) return
    let watcher: FSWatcher
    let entries: readonly string[]
    try {
      watcher = watch(path, (_, name) => this.#hear(path, name))
    } catch (error) {
      if (!isGone(error)) this.#options.failed(watchFailure(path, error))
      return
    }
    // a folder that goes is told by the one it is in
    watcher.on('error', () => this.#remove(path))
    const folder = { watcher, inode: found.ino, names: new Set<string>() }
    this.#folders.set(path, folder)
    try {
      entries = readdirSync(path)
    } catch (error) {
      if (!isGone(error)) this.#options.failed(watchFailure(path, error))
      return
    }
    for (const name of entries) {
      folder.names.add(name)
      const full = join(path, name)
      if (tell) this.#options.changed(full)
      this.#add(full, tell)
    }
  }

  /** With all below; what was in it is told. */
  #remove(path: string): void {
    const folder = this.#folders.get(path)
    if (!folder) return
    this.#folders.delete(path)
    folder.watcher.close()
    for (const name of folder.names) {
      const full = join(path, name)
      this.#options.changed(full)
      this.#remove(full)
    }
  }

  #hear(path: string, name: string | null): void {
    this.#count()
    const folder = this.#folders.get(path)
    if (!folder || name === null) return
    this.#look(folder, path, name)
  }

  /** What has become of one name. */
  #look(folder: Folder, path: string, name: string): void {
    const full = join(path, name)
    const found = statOf(full)
    const known = this.#folders.get(full)
    if (known && (!found?.isDirectory() || found.ino !== known.inode)) this.#remove(full)
    if (found) folder.names.add(name)
    // the folder's own name, which it hears when it goes itself
    else if (!folder.names.delete(name)) return
    this.#options.changed(full)
    if (found?.isDirectory() && !this.#folders.has(full)) this.#add(full, true)
  }

  #count(): void {
    const now = Date.now()
    if (now - this.#counted > window) {
      this.#counted = now
      this.#events = 0
    }
    if (++this.#events < this.#most / 2 || this.#looking) return
    const since = this.#counted - window
    this.#looking = setTimeout(() => {
      this.#looking = undefined
      this.#lookAll(since)
    }, window / 2)
  }

  /** All that has changed since then (ms), told or not. */
  #lookAll(since: number): void {
    for (const [path, folder] of [...this.#folders]) {
      let names: readonly string[]
      try {
        names = readdirSync(path)
      } catch {
        // gone: the one it was in tells
        continue
      }
      const missing = folder.names.difference(new Set(names))
      for (const name of [...names, ...missing]) {
        const found = statOf(join(path, name))
        if (found && folder.names.has(name) && found.ctimeMs < since) continue
        this.#look(folder, path, name)
      }
    }
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path)
  } catch {
    // gone again, or behind a folder that may not be entered: nothing that could be watched
    return undefined
  }
}

function isGone(error: unknown): boolean {
  return errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR'
}

/** As proc_sys_fs(5) has it. */
function maxQueuedEvents(): number {
  try {
    return Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'latin1')) || 16384
  } catch {
    // no /proc here: the kernel's own default
    return 16384
  }
}
