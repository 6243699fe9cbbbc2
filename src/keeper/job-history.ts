/** The runs of a stack's jobs: one document beside what is held of the stack. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { JobOutcome, JobRun } from '../api/keeper.ts'
import { messageOf } from '../lib/failure.ts'
import { readDocument, writeDocument } from '../state/document.ts'

const version = 1
const outcomes: readonly JobOutcome[] = ['running', 'done', 'failed', 'skipped', 'replaced', 'missed', 'lost']

export class JobHistory {
  readonly #path: string
  readonly #say: (line: string) => void
  /** By service, the newest first; of what was due at the same moment, what began last. */
  readonly #runs: Map<string, readonly JobRun[]>

  /** `folder`: of what is known of the project. */
  constructor(folder: string, say: (line: string) => void) {
    this.#path = join(folder, 'jobs.json')
    this.#say = say
    this.#runs = this.#read()
  }

  of(service: string): readonly JobRun[] {
    return this.#runs.get(service) ?? []
  }

  /** Adds a run, or tells more of one; the oldest beyond `most` are forgotten, but none that still goes on. */
  put(service: string, run: JobRun, most: number): void {
    const known = this.of(service)
    const at = known.findIndex(({ Id }) => Id === run.Id)
    const all = (at === -1 ? [run, ...known] : known.with(at, run)).toSorted(
      (a, b) => Date.parse(b.Due) - Date.parse(a.Due),
    )
    this.#runs.set(
      service,
      // the last is kept in any case: it tells up to when the schedule was seen to
      all.filter((each, i) => i < Math.max(1, most) || each.Outcome === 'running'),
    )
    try {
      writeDocument(this.#path, JSON.stringify({ version, services: Object.fromEntries(this.#runs) }))
    } catch (error) {
      this.#say(messageOf(error))
    }
  }

  remove(): void {
    rmSync(this.#path, { force: true })
  }

  #read(): Map<string, readonly JobRun[]> {
    try {
      const services = readDocument(this.#path, version)?.['services']
      if (typeof services !== 'object' || services === null) return new Map()
      return new Map(
        Object.entries(services).map(([name, runs]) => [name, Array.isArray(runs) ? runs.filter(isRun) : []]),
      )
    } catch (error) {
      // what ran once is worth less than what is to run
      this.#say(messageOf(error))
      return new Map()
    }
  }
}

function isRun(value: unknown): value is JobRun {
  if (typeof value !== 'object' || value === null) return false
  const { Id, Due, Outcome } = value as Record<string, unknown>
  return typeof Id === 'string' && typeof Due === 'string' && outcomes.some(each => each === Outcome)
}
