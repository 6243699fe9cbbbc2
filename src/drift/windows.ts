/** By whom an event was caused: told by when it happened, since events arrive after what caused them has been answered. */
import { lastingName } from '../targets/engine/plan/names.ts'
import type { Cause, Heard } from './heard.ts'

interface Window {
  readonly cause: Cause
  /** Name of the container, which one that takes its place has in the end; undefined: all of the stack's. */
  readonly name: string | undefined
  /** Milliseconds since 1970. */
  readonly from: number
  to: number
}

/** Events are not this late, in milliseconds. */
const latest = 60_000

export class Windows {
  #all: Window[] = []

  /** From now until the result is called, what happens to it is by `cause`. */
  open(cause: Exclude<Cause, 'other'>, given?: string): () => void {
    const name = given === undefined ? undefined : lastingName(given)
    const window: Window = { cause, name, from: Date.now(), to: Infinity }
    this.#all = this.#all.filter(({ to }) => to > window.from - latest)
    this.#all.push(window)
    return () => {
      window.to = Date.now()
    }
  }

  /** Our own doing before others': nothing is done to what a person works on. A watch has it as long as nobody else has. */
  causeOf({ name, at }: Pick<Heard, 'name' | 'at'>): Cause {
    // an engine tells the time of an event to the millisecond, or better: cut off here as there
    const time = Math.floor(at)
    const lasting = lastingName(name)
    const around = this.#all.filter(
      each => (each.name === undefined || each.name === lasting) && each.from <= time && time <= each.to,
    )
    for (const cause of ['mine', 'making', 'turning', 'watching'] as const)
      if (around.some(each => each.cause === cause)) return cause
    return 'other'
  }
}
