/** How long to wait before the same thing is repaired again: a few times not at all, then longer and longer. Pure. */

/** So often without a wait, */
const free = 3
/** unless the last time was this long ago, ms: then it starts from nothing again. */
const peace = 10_000
const longest = 60_000

export class BackOff {
  readonly #last = new Map<string, { readonly at: number; readonly count: number }>()

  /** Milliseconds from `now` until it may be done; 0: at once, which counts as done. */
  wait(what: string, now: number): number {
    const last = this.#last.get(what)
    const wait = last ? waitAfter(last.count) : 0
    const fresh = !last || now - last.at > Math.max(peace, 10 * wait)
    const left = fresh ? 0 : last.at + wait - now
    if (left > 0) return left
    this.#last.set(what, { at: now, count: fresh ? 1 : last.count + 1 })
    return 0
  }
}

function waitAfter(count: number): number {
  return count < free ? 0 : Math.min(longest, 1000 * 2 ** (count - free))
}
