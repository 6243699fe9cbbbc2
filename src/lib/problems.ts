/** What is wrong with a stack, each with its place; collected in a phase and thrown together at its end. */
import { Failure } from './failure.ts'

/** A place in a text file; line and column count from 1. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
  /** How that file came to be read: "included by compose.yaml:3:5", nearest first. */
  readonly via?: readonly string[]
}

export interface Problem {
  readonly severity: 'error' | 'warning'
  /** Stable, kebab-case: `unknown-key`, `wrong-type`, `undefined-network`. */
  readonly code: string
  readonly place: Place | undefined
  /** The field, key by key (a key may hold dots): ['services', 'web', 'ports', '0']. */
  readonly path: readonly string[]
  /** `Cannot …: what is, what should be`, no full stop. */
  readonly message: string
  readonly hint?: string
  /**
   * Of a warning: the services that cannot be made, or not together, because of it. It is an error of what would make all
   * of them.
   */
  readonly blocks?: readonly string[]
}

/** A failure that is told by its problems, each with its place; by its message where there are none. */
export abstract class PlacedFailure extends Failure {
  abstract readonly problems: readonly Problem[]
}

/** All problems of one load; kind `invalid`. */
export class ProblemsFailure extends PlacedFailure {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    const errors = problems.filter(p => p.severity === 'error')
    super('invalid', errors.map(formatProblem).join('\n'))
    this.name = 'ProblemsFailure'
    this.problems = problems
  }
}

/** Collects problems; `settle` throws when an error is among them. */
export class Problems {
  readonly #list: Problem[] = []

  add(problem: Problem): void {
    this.#list.push(problem)
  }

  /** What others have found, but for what is known of the same place already: a file may be read in several ways. */
  addAll(found: readonly Problem[]): void {
    const nameOf = ({ place, path, message }: Problem) =>
      JSON.stringify([place?.file, place?.line, place?.column, path, message])
    const known = new Set(this.#list.map(nameOf))
    this.#list.push(...found.filter(problem => !known.has(nameOf(problem))))
  }

  get all(): readonly Problem[] {
    return this.#list
  }

  get warnings(): readonly Problem[] {
    return this.#list.filter(p => p.severity === 'warning')
  }

  get hasErrors(): boolean {
    return this.#list.some(p => p.severity === 'error')
  }

  /** @throws ProblemsFailure when a phase found an error. */
  settle(): void {
    if (this.hasErrors) throw new ProblemsFailure(asTheyStand(this.#list))
  }
}

/** File by file as each was first named, from its top down; what has no place comes last. */
function asTheyStand(problems: readonly Problem[]): readonly Problem[] {
  const files = [...new Set(problems.map(({ place }) => place?.file))].filter(file => file !== undefined)
  const rank = ({ place }: Problem) =>
    place === undefined ? [files.length, 0, 0] : [files.indexOf(place.file), place.line, place.column]
  return problems.toSorted((a, b) => {
    const [one, other] = [rank(a), rank(b)]
    const i = one.findIndex((value, i) => value !== other[i])
    return i < 0 ? 0 : one[i]! - other[i]!
  })
}

/** `compose.yaml:7:9 services.web.depends_on.dbb` and the message on the next line. */
export function formatProblem(problem: Problem): string {
  const place = problem.place ? `${problem.place.file}:${problem.place.line}:${problem.place.column} ` : ''
  return `${place}${problem.path.join('.')}\n  ${problem.message}`
}

/** The candidate nearest to `word` when it is near enough to have been meant, for "did you mean". */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined
  let least = Math.max(1, Math.floor(word.length / 3)) + 1
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= least) continue
    const d = distance(word.toLowerCase(), candidate.toLowerCase(), least)
    if (d < least) {
      least = d
      best = candidate
    }
  }
  return best
}

/** Damerau–Levenshtein (adjacent transpositions), given up at `limit`. */
function distance(a: string, b: string, limit: number): number {
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1))
      // nothing stands before the first letter, and nothing is like it
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1)
      row.push(cost)
    }
    if (Math.min(...row) > limit) return limit + 1
    before = previous
    previous = row
  }
  return previous[b.length]!
}
