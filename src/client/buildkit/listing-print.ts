/** A listing of files → a print that is another one when any of them is: by what lstat says, so that nothing need be read. */
import { createHash } from 'node:crypto'
import type { WalkedFile } from './walk.ts'

/** Nanoseconds: a change so soon after another may leave the file with the same time. (Kernels count it in ticks, up to 10 ms.) */
const tick = 20_000_000n

export class ListingPrint {
  readonly #hash = createHash('sha256')
  readonly #begun = BigInt(Date.now()) * 1_000_000n
  #newest = 0n

  add({ path, stat, target }: WalkedFile): void {
    const { mode, size, mtimeNs, ctimeNs, dev, ino, rdev } = stat
    // the time of change tells of owners and attributes too
    this.#hash.update(`${path}\0${target ?? ''}\0${[mode, size, mtimeNs, ctimeNs, dev, ino, rdev].join(' ')}\0`)
    if (ctimeNs > this.#newest) this.#newest = ctimeNs
  }

  addText(name: string, content: Uint8Array): void {
    this.#hash.update(`${name}\0${content.length}\0`).update(content)
  }

  /** Undefined when a file was changed only just now: a change that is still to come might not show. */
  end(): string | undefined {
    return this.#newest > this.#begun - tick ? undefined : this.#hash.digest('hex')
  }
}
