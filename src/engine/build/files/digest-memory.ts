/** What was found out about files, as long as they are the same: a build that changes nothing reads none of them again. */
import type { Stats } from 'node:fs'

/** Of a regular file: sha256 of its content, and its attributes as text ("" mostly). */
export interface KnownFile {
  readonly content: string
  readonly xattrs: string
}

/** A file whose inode was changed so short a time before it was read may change again without a trace: clocks of the kernel tick so slowly. */
const tick = 20
/** Some 150 bytes each. */
const most = 200_000

/** Remembers by device, inode, size, and times of content and inode. */
export class DigestMemory {
  /** In the order of their last use. */
  readonly #known = new Map<string, KnownFile & { readonly state: string }>()

  get(stat: Stats): KnownFile | undefined {
    const key = `${stat.dev}:${stat.ino}`
    const found = this.#known.get(key)
    if (found === undefined || found.state !== stateOf(stat)) return undefined
    this.#known.delete(key)
    this.#known.set(key, found)
    return found
  }

  /** `stat` and `now` (milliseconds since 1970) are of before it was read. */
  set(stat: Stats, now: number, known: KnownFile): void {
    const key = `${stat.dev}:${stat.ino}`
    this.#known.delete(key)
    if (stat.ctimeMs > now - tick) return
    this.#known.set(key, { ...known, state: stateOf(stat) })
    if (this.#known.size <= most) return
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest)
      break
    }
  }
}

function stateOf({ size, mtimeMs, ctimeMs }: Stats): string {
  return `${size}:${mtimeMs}:${ctimeMs}`
}
