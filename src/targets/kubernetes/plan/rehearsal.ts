/** What a server says to writes before they are done: what it says to one tells for those of the same shape. */
import type { ObserveOptions } from '../../target.ts'
import type { Live } from '../live.ts'
import type { Manifest } from '../manifest.ts'
import type { Verdict } from '../observed.ts'
import { differences } from './differences.ts'
import { shapeOf } from './shape.ts'
import { changesOf } from './verdicts.ts'

/** each: all that differs is asked for, as a plan wants it. shapes: one of a shape, where the rest is told by the writes themselves. */
export type Rehearsed = NonNullable<ObserveOptions['rehearsed']>

export class Rehearsal {
  readonly #rehearsed: Rehearsed
  readonly #asked = new Map<string, Promise<Verdict>>()

  constructor(rehearsed: Rehearsed) {
    this.#rehearsed = rehearsed
  }

  /** What the server says of it, or what follows from what it has said of another one. */
  async verdictOf(wanted: Manifest, live: Live | undefined, ask: () => Promise<Verdict>): Promise<Verdict> {
    const shape = shapeOf(wanted, live)
    const before = this.#asked.get(shape)
    if (before === undefined) {
      const asked = ask()
      this.#asked.set(shape, asked)
      return await asked
    }
    // one that failed tells nothing of others
    const verdict = await before.catch(() => undefined)
    return (verdict && this.#follows(verdict, wanted, live)) ?? (await ask())
  }

  /** Undefined where the other tells nothing of this one. */
  #follows(verdict: Verdict, wanted: Manifest, live: Live | undefined): Verdict | undefined {
    // what it drops of one it drops of all; that it writes a value in another way is so of that value
    if (verdict.kind === 'same') {
      const drops = (verdict.lost ?? []).length > 0
      return drops && live && differences(wanted, live).every(({ from }) => from === undefined) ? verdict : undefined
    }
    if (this.#rehearsed === 'each') return undefined
    switch (verdict.kind) {
      case 'new':
        return verdict
      case 'changed':
        return live && { ...verdict, changes: changesOf(wanted, live, verdict.lost) }
      case 'replaced':
        return live && { ...verdict, changes: verdict.changes.length === 0 ? [] : changesOf(wanted, live) }
      default:
        // each that is refused is told, and none that is not
        return undefined
    }
  }
}
