/** What operations of every target have in common, and the words in which a target tells of its own. */
import type { Failure } from '../lib/failure.ts'
import type { Change } from './change.ts'

/** The number of a node in its plan, from 1. */
export type NodeId = number

/** A thing of the target: its id, or the result of an earlier node. */
export type Ref = string | { readonly node: NodeId }

/** One call to the target, or one wait; each target has a union of its own. */
export interface PlannedOperation {
  readonly kind: string
  /** Why it is done, for people. */
  readonly cause: string
  /** What it is done to, for people: its name once the plan is done. */
  readonly name: string
  /** Whose it is; undefined for what is no service's. */
  readonly service?: string | undefined
  /** Those that use it, of what several may use. */
  readonly services?: readonly string[]
  readonly changes?: readonly Change[]
}

/** What becomes of a thing, as people count it. */
export const actions = [
  'create',
  'recreate',
  'in place',
  'restart',
  'start',
  'pull',
  'build',
  'stop',
  'remove',
  'run',
  'other',
] as const
export type Action = (typeof actions)[number]

export interface Told {
  /** While it runs; undefined: nothing worth a line. */
  readonly doing?: string
  readonly done?: string
}

/** What a target says of its operations, to those who walk, print and confirm plans. */
export interface Vocabulary<O extends PlannedOperation> {
  /** What it is about, in one word: "network". */
  resource(operation: O): string
  /** Whether that is one of the containers of its service, which are told of together. */
  isContainer(operation: O): boolean
  /** Whether it destroys data that cannot be made again. */
  destroys(operation: O): boolean
  /** Whether it only waits, and so takes no place from what has work to do. */
  waits(operation: O): boolean
  /** Whether it comes before all turns of the update that it is part of, so that none goes on without it. */
  precedesAll(operation: O): boolean
  /** What is said when `--wait-timeout` is over: "container shop-db-1 is not healthy"; undefined for what has no such end. */
  late(operation: O): string | undefined
  /** What was to be done, and the target's words why it was not. */
  failure(operation: O, error: unknown): Failure
  /** What is kept as it is: "Container". */
  readonly kept: string
  /** What is said of it while a plan is carried out; `kinds`: of all that is done to the same thing. */
  told(operation: O, kinds: ReadonlySet<string>): Told
  /** "Waiting for db to be healthy"; undefined for what does not wait for something of the stack. */
  waitText(operation: O): string | undefined
  /** What all the operations on one thing amount to, and the one whose cause tells why; undefined when they are steps on the way. */
  amount(operations: readonly O[]): { readonly action: Action; readonly by: O } | undefined
}
