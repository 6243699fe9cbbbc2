/** How far stacks are from what their files say: counted again when either has changed, one stack after the other, as long as somebody looks. */
import { statSync } from 'node:fs'
import { Failure, isFailure, messageOf } from '../lib/failure.ts'
import { report } from './report.ts'
import type { Foretold, StackPlace } from './roads.ts'
import type { Drift } from './wire.ts'

export interface DriftsOptions {
  foresee(place: StackPlace): Promise<Foretold>
  /** Of some stack another number is known. */
  changed(): void
  isWatched(): boolean
  now?(): number
}

/** Milliseconds: files are looked at no more often; what changes by the second is counted when it has settled. */
const pace = 2000
const settling = 300
/** A count may take this part of the time. */
const share = 1 / 10

export interface Standing {
  readonly place: StackPlace
  /** Whatever of its containers may make another plan. */
  readonly state: string
  /** Services that have ended well. */
  readonly done: ReadonlySet<string>
}

interface Known {
  done: ReadonlySet<string>
  place: StackPlace
  /** Of its containers when it was counted, and now. */
  counted: string | undefined
  state: string
  /** Of the files that the count came from. */
  files: readonly string[]
  stamp: string
  lookedAt: number
  dueAt: number
  restUntil: number
  drift: Drift | undefined
}

export class Drifts {
  readonly #options: DriftsOptions
  readonly #now: () => number
  readonly #known = new Map<string, Known>()
  #timer: NodeJS.Timeout | undefined
  #counting = false
  #closed = false

  constructor(options: DriftsOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /** Undefined: nobody knows, yet or because the engine cannot be reached. */
  of(name: string): Drift | undefined {
    return this.#known.get(name)?.drift
  }

  /** Those that are there now. */
  look(stacks: readonly Standing[]): void {
    const names = new Set(stacks.map(({ place }) => place.name))
    for (const name of this.#known.keys()) if (!names.has(name)) this.#known.delete(name)
    if (!this.#options.isWatched()) return
    const now = this.#now()
    for (const { place, state, done } of stacks) {
      const known = this.#known.get(place.name) ?? added(this.#known, place)
      if (known.state !== state) known.dueAt = now + settling
      known.place = place
      known.state = state
      known.done = done
    }
    this.#next()
  }

  /** Its files were written, or it was changed, from here. */
  touch(name: string): void {
    const known = this.#known.get(name)
    if (!known) return
    known.counted = undefined
    known.dueAt = known.restUntil = 0
    this.#next()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  #isDue(known: Known, now: number): boolean {
    if (now < Math.max(known.dueAt, known.restUntil)) return false
    if (known.counted !== known.state) return true
    if (now - known.lookedAt < pace) return false
    known.lookedAt = now
    return stampOf(known.files) !== known.stamp
  }

  #next(): void {
    if (this.#counting || this.#closed || this.#known.size === 0 || !this.#options.isWatched()) return
    clearTimeout(this.#timer)
    const now = this.#now()
    const due = [...this.#known.values()].find(known => this.#isDue(known, now))
    if (!due) {
      this.#timer = setTimeout(() => this.#next(), Math.max(10, this.#nextAt(now) - now)).unref()
      return
    }
    this.#counting = true
    void this.#count(due).finally(() => {
      this.#counting = false
      this.#next()
    })
  }

  /** When something may be due: what waits, or files that were written. */
  #nextAt(now: number): number {
    const waiting = [...this.#known.values()].filter(known => known.counted !== known.state)
    return Math.min(now + pace, ...waiting.map(({ dueAt, restUntil }) => Math.max(dueAt, restUntil)))
  }

  async #count(known: Known): Promise<void> {
    const begun = this.#now()
    known.counted = known.state
    const before = JSON.stringify(known.drift)
    try {
      const { plan, files } = await this.#options.foresee(known.place)
      // what an up does to jobs that are done it does each time
      const isAgain = ({ action, name }: Foretold['plan']['changes'][number]) =>
        (action === 'start' || action === 'run') && known.done.has(name)
      known.drift = { changes: plan.changes.filter(change => !isAgain(change)).length }
      known.files = files
    } catch (error) {
      if (!(error instanceof Failure)) report(error)
      const isSilent =
        isFailure(error, 'unavailable') || isFailure(error, 'cancelled') || isFailure(error, 'unsupported')
      known.drift = isSilent ? undefined : { changes: 0, error: messageOf(error) }
      known.files = known.place.files
    }
    known.stamp = stampOf(known.files)
    known.lookedAt = this.#now()
    known.restUntil = known.lookedAt + (known.lookedAt - begun) / share
    if (JSON.stringify(known.drift) !== before && !this.#closed) this.#options.changed()
  }
}

function added(all: Map<string, Known>, place: StackPlace): Known {
  const known: Known = {
    place,
    done: new Set(),
    counted: undefined,
    state: '',
    files: place.files,
    stamp: '',
    lookedAt: 0,
    dueAt: 0,
    restUntil: 0,
    drift: undefined,
  }
  all.set(place.name, known)
  return known
}

/** Another one when a file was written, came or went. */
function stampOf(files: readonly string[]): string {
  return files
    .map(file => {
      const stat = statSync(file, { throwIfNoEntry: false })
      return stat ? `${stat.mtimeMs} ${stat.size} ${stat.ino}` : ''
    })
    .join('\n')
}
