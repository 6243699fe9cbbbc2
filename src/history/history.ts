/** The applies of one project on disk, the newest few: a file each, `history/7.json` in the project's folder. */
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, Failure, isFailure, messageOf } from '../lib/failure.ts'
import { createDocument, readBeginning, readDocument, writeDocument } from '../state/document.ts'
import { projectFolder, type StateOf } from '../state/folder.ts'
import { checkEntry, type Entry, entryVersion, outcomeOf, repairing } from './entry.ts'

/** How many are kept when nothing else is said. */
export const usualLength = 20

/** Of those, how many repairs: they come by themselves, and must not push out what people have applied. */
const repairs = 5

/** Bytes of a document in which its command and outcome stand, of almost all. */
const headLength = 4096

/** What comes before what was planned; texts are escaped, so that no other quotation mark stands before a name. */
function headOf(beginning: string | undefined): string | undefined {
  return beginning?.split('"number":', 1)[0]
}

export interface Read {
  /** The newest last. */
  readonly entries: readonly Entry[]
  /** What could not be read, a sentence each. */
  readonly damaged: readonly string[]
}

export class History {
  readonly project: string
  readonly #folder: string

  /** `of`: whose state it is, or the project's folder in that. */
  constructor(project: string, of: StateOf | { readonly folder: string }) {
    this.project = project
    this.#folder = join('folder' in of ? of.folder : projectFolder(project, of), 'history')
  }

  read(): Read {
    const entries: Entry[] = []
    const damaged: string[] = []
    for (const number of this.#numbers()) {
      try {
        const entry = this.#entry(number)
        if (entry !== undefined) entries.push(entry)
      } catch (error) {
        if (!isFailure(error)) throw error
        damaged.push(error.message)
      }
    }
    return { entries, damaged }
  }

  /** The newest that is `wanted`, without reading those before it; what cannot be read is passed over. */
  newest(wanted: (entry: Entry) => boolean): Entry | undefined {
    for (const number of this.#numbers().toReversed()) {
      try {
        const entry = this.#entry(number)
        if (entry !== undefined && wanted(entry)) return entry
      } catch (error) {
        if (!isFailure(error)) throw error
      }
    }
    return undefined
  }

  /**
   * The last apply, if it was broken off and nothing has come of it since; repairs do not count. Most of the time it was not, which the
   * beginning of its document tells. What cannot be read is passed over.
   */
  brokenOff(): Entry | undefined {
    for (const number of this.#numbers().toReversed()) {
      let head: string | undefined
      try {
        head = headOf(readBeginning(this.#path(number), headLength))
      } catch (error) {
        if (!isFailure(error)) throw error
        continue
      }
      if (head?.includes(`"command":${JSON.stringify(repairing)}`)) continue
      if (head === undefined || /"outcome":\{"kind":"(?:done|failed)"/.test(head)) return undefined
      const entry = this.newest(({ command }) => command !== repairing)
      return entry && outcomeOf(entry) === 'interrupted' && entry.settled === undefined ? entry : undefined
    }
    return undefined
  }

  /** What was broken off has been done since, by whomever. */
  settle(now: number): void {
    const entry = this.brokenOff()
    if (!entry) return
    const settled = new Date(now).toISOString()
    this.replace(entry.number, JSON.stringify({ ...entry, outcome: { kind: 'interrupted' }, settled }))
  }

  /** @throws Failure `not-found` with the numbers there are. */
  get(number: number): Entry {
    const found = this.#entry(number)
    if (found !== undefined) return found
    const numbers = this.#numbers()
    throw new Failure('not-found', `Project "${this.project}" has no apply ${number} in its history`, {
      hint: numbers.length === 0 ? 'It has none yet' : `It has ${numbers[0]} to ${numbers.at(-1)}`,
    })
  }

  /**
   * Keeps a new entry under the next number and lets go of those beyond `length`; `text` makes the document of it. A repair
   * takes the place of an older one where there are many.
   * @returns the number
   */
  add(text: (number: number) => string, length: number, { isRepair = false } = {}): number {
    if (isRepair) this.#forgetRepairs(Math.min(repairs, length) - 1)
    const numbers = this.#numbers()
    let number = (numbers.at(-1) ?? 0) + 1
    // somebody else may have taken it since
    while (!createDocument(this.#path(number), text(number))) number++
    // a reader may have one of them open, and reads on
    for (const old of numbers.slice(0, Math.max(0, numbers.length + 1 - length)))
      rmSync(this.#path(old), { force: true })
    return number
  }

  /** All but the newest `left`. */
  #forgetRepairs(left: number): void {
    const old = this.read().entries.filter(({ command }) => command === repairing)
    for (const { number } of old.slice(0, Math.max(0, old.length - left))) rmSync(this.#path(number), { force: true })
  }

  /** Writes what has become of an entry; one that has been let go of meanwhile stays so. */
  replace(number: number, text: string): void {
    if (this.#numbers().includes(number)) writeDocument(this.#path(number), text)
  }

  #entry(number: number): Entry | undefined {
    const path = this.#path(number)
    const members = readDocument(path, entryVersion)
    return members && checkEntry(path, members)
  }

  #path(number: number): string {
    return join(this.#folder, `${number}.json`)
  }

  #numbers(): readonly number[] {
    let names: readonly string[]
    try {
      names = readdirSync(this.#folder)
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT') return []
      throw new Failure('internal', `Cannot read "${this.#folder}": ${errnoOf(cause) ?? messageOf(cause)}`, { cause })
    }
    return names
      .flatMap(name => (/^[1-9]\d{0,8}\.json$/.test(name) ? Number(name.slice(0, -'.json'.length)) : []))
      .sort((a, b) => a - b)
  }
}
