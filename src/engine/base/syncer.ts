/** Files that a power cut must not take, synced together a little after they were written. */
import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errnoOf, messageOf } from '../../lib/failure.ts'

/** A write takes microseconds, a sync milliseconds: fifty containers made at once are synced as one. */
const after = 1000

export class Syncer {
  readonly #say: (line: string) => void
  readonly #dirty = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #syncing: Promise<void> = Promise.resolve()

  constructor(say: (line: string) => void) {
    this.#say = say
  }

  /** A killed engine loses nothing of it in any case; a power cut within the next second may take it. */
  later(path: string): void {
    this.#dirty.add(path)
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#syncing = this.#syncing.then(() => this.#sync())
    }, after)
  }

  /** What was to be synced is, when this resolves. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#syncing
    await this.#sync()
  }

  async #sync(): Promise<void> {
    const files = [...this.#dirty]
    this.#dirty.clear()
    const folders = new Set(files.flatMap(file => [dirname(file), dirname(dirname(file))]))
    for (const path of [...files, ...folders])
      try {
        await using file = await open(path, 'r')
        await file.sync()
      } catch (error) {
        // removed meanwhile; or else written all the same, and only a power cut right now would lose it
        if (errnoOf(error) !== 'ENOENT') this.#say(`Cannot sync "${path}": ${messageOf(error)}`)
      }
  }
}
