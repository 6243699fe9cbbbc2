/** One path, watched by the folder it stands in, so that its being replaced, removed and made again is seen. */
import { type FSWatcher, statSync, watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import { watchFailure } from './watch-failure.ts'

export class Point {
  readonly #path: string
  readonly #changed: () => void
  #watcher: FSWatcher | undefined
  #folder = ''

  /** `path` is absolute; it may be missing: then the nearest folder above it that is there is watched. */
  constructor(path: string, changed: () => void) {
    this.#path = path
    this.#changed = changed
    this.#arm()
  }

  close(): void {
    this.#watcher?.close()
    this.#watcher = undefined
  }

  #arm(): void {
    for (;;) {
      this.close()
      const { folder, next } = nearest(this.#path)
      this.#folder = folder
      try {
        this.#watcher = watch(folder, (_, name) => {
          // its own name is what a folder hears when it goes itself
          if (name === null || name === next || name === basename(folder)) this.#hear()
        })
      } catch (error) {
        throw watchFailure(folder, error)
      }
      this.#watcher.on('error', () => this.#hear())
      // one that has come in the meantime
      if (nearest(this.#path).folder === folder) return
    }
  }

  #hear(): void {
    if (!this.#watcher) return
    // anew though the path is the same: the folder may be another one
    if (nearest(this.#path).folder !== this.#folder || !isFolder(this.#folder)) this.#arm()
    this.#changed()
  }
}

/** The folder that is there, and what is looked for in it. */
function nearest(path: string): { readonly folder: string; readonly next: string } {
  let [folder, next] = [dirname(path), basename(path)]
  while (!isFolder(folder) && folder !== dirname(folder)) [folder, next] = [dirname(folder), basename(folder)]
  return { folder, next }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    // not there, or not for us: either way one above is asked
    return false
  }
}
