/** One apply as history keeps it: what was to be, from which images, by which plan, by whom, and what became of it. */
import { Failure } from '../lib/failure.ts'
import type { FrozenProject } from '../model/frozen.ts'
import type { StepJson } from '../plan/print.ts'
import type { Row } from '../plan/summary.ts'
import type { Members } from '../state/document.ts'
import { isRunning, type ProcessMark } from '../state/running.ts'

export const entryVersion = 1

/** The command of entries by which a stack was brought back to what an earlier one had made of it. */
export const repairing = 'repair'

/** The command of entries by which the keeper went on with an apply that was cut off. */
export const finishing = 'finish'

export type Outcome =
  /** Under way, or cut off: its process tells. */
  | { readonly kind: 'begun' }
  | { readonly kind: 'done' }
  | { readonly kind: 'interrupted' }
  /** `failures`: a sentence each. */
  | { readonly kind: 'failed'; readonly failures: readonly string[] }

/** An image as a name meant it: its id, and its digest where a registry has it. */
export interface KeptImage {
  readonly id: string
  readonly digest?: string
}

export interface Entry {
  readonly version: typeof entryVersion
  /** From 1, never given twice. */
  readonly number: number
  /** up, create, scale, down, rollback, `finishing`, and whatever else applies; `repairing` for what nobody has asked for. */
  readonly command: string
  /** Those that were named; undefined for all. */
  readonly services?: readonly string[]
  /** Service → replicas, where the command said how many. */
  readonly scale?: Readonly<Record<string, number>>
  /** The entry that a rollback went back to. */
  readonly to?: number
  readonly user: string
  readonly process: ProcessMark
  /** ISO 8601. */
  readonly begun: string
  readonly ended?: string
  readonly folder?: string
  readonly outcome: Outcome
  /** ISO 8601: when nothing of what was broken off was left to do any more. */
  readonly settled?: string
  /** What was to become of each service and thing, as `plan` shows it. */
  readonly changes: readonly Row[]
  readonly steps: readonly StepJson[]
  /** By the name the model uses. */
  readonly images: Readonly<Record<string, KeptImage>>
  /** sha256 of the files behind configs and secrets, by path. */
  readonly files: Readonly<Record<string, string>>
  /** Short hashes of values of variables that configs and secrets are made of. */
  readonly variables: Readonly<Record<string, string>>
  /** Undefined where nothing is left to be: down. */
  readonly model?: FrozenProject
}

/** `done`, `failed`, `interrupted`; what was begun by a process that is no more has been interrupted. */
export function outcomeOf({ outcome, process }: Pick<Entry, 'outcome' | 'process'>): Outcome['kind'] | 'running' {
  if (outcome.kind !== 'begun') return outcome.kind
  return isRunning(process) ? 'running' : 'interrupted'
}

const outcomes: ReadonlySet<unknown> = new Set(['begun', 'done', 'interrupted', 'failed'])

/** @throws Failure `internal` for members that no entry has. */
export function checkEntry(path: string, members: Members): Entry {
  const bad = (member: string) => new Failure('internal', `Cannot read "${path}": it has no good "${member}"`)
  const { number, command, user, process, begun, outcome, changes, steps, images, files, variables, model } = members
  if (!Number.isInteger(number) || (number as number) < 1) throw bad('number')
  for (const [name, value] of Object.entries({ command, user, begun })) if (typeof value !== 'string') throw bad(name)
  if (Number.isNaN(Date.parse(begun as string))) throw bad('begun')
  if (!isRecord(process) || !Number.isInteger(process['pid'])) throw bad('process')
  if (!isRecord(outcome) || !outcomes.has(outcome['kind'])) throw bad('outcome')
  if (outcome['kind'] === 'failed' && !Array.isArray(outcome['failures'])) throw bad('outcome')
  if (!Array.isArray(changes) || !changes.every(isRow)) throw bad('changes')
  if (!Array.isArray(steps) || !steps.every(isRecord)) throw bad('steps')
  for (const [name, value] of Object.entries({ images, files, variables })) if (!isRecord(value)) throw bad(name)
  for (const image of Object.values(images as Members))
    if (!isRecord(image) || typeof image['id'] !== 'string') throw bad('images')
  if (model !== undefined && !isRecord(model)) throw bad('model')
  return members as unknown as Entry
}

function isRow(value: unknown): boolean {
  if (!isRecord(value)) return false
  const { kind, name, action, cause, changes, containers } = value
  if (![kind, name, action, cause].every(each => typeof each === 'string')) return false
  if (!Array.isArray(containers) || !Array.isArray(changes)) return false
  return changes.every(each => isRecord(each) && typeof each['path'] === 'string')
}

function isRecord(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
