/** A plan: operations as numbered nodes, each after those it depends on; it knows no target. */
import { type Problem, Problems, ProblemsFailure } from '../lib/problems.ts'
import type { Project } from '../model/project.ts'
import type { Batches, FailureAction } from './batches.ts'
import type { NodeId, PlannedOperation, Ref, Vocabulary } from './operation.ts'

export interface PlanNode<O extends PlannedOperation = PlannedOperation> {
  readonly id: NodeId
  readonly operation: O
  /** Nodes that must be done before, ascending; always smaller than `id`, so that a plan has no cycle. */
  readonly after: readonly NodeId[]
}

export interface Kept {
  readonly name: string
  /** Where it is a service's. */
  readonly service?: string
  readonly state: 'running' | 'stopped'
}

/** What takes the place of something else in an update. */
export interface Turn {
  /** What comes. */
  readonly container: Ref
  /** Those nodes that show whether it is any good: when one fails, the turn has. */
  readonly trials: readonly NodeId[]
  /** All of it. */
  readonly nodes: readonly NodeId[]
}

/** The update of one service, for whoever carries it out. */
export interface Rollout<O extends PlannedOperation = PlannedOperation> {
  readonly service: string
  readonly turns: readonly Turn[]
  readonly action: FailureAction
  /** Of all turns, so many may fail: 0 to 1. */
  readonly maxFailureRatio: number
  /** For people; undefined for one that is itself a way back. */
  readonly shape?: Batches
  /** Adds to the plan what follows a failure, by what has been done so far: going back, or clearing up. What it adds may itself be a rollout. */
  recover(plan: Plan<O>, done: (node: NodeId) => boolean): Rollout<O> | undefined
}

export class Plan<O extends PlannedOperation = PlannedOperation> {
  /** What is said of its operations. */
  readonly words: Vocabulary<O>
  readonly #nodes: PlanNode<O>[] = []
  readonly #warnings: string[] = []
  readonly #kept: Kept[] = []
  readonly #problems = new Problems()
  readonly #rollouts: Rollout<O>[] = []

  constructor(words: Vocabulary<O>) {
    this.words = words
  }

  /** Appends a node. @throws RangeError when it would come after a node that is not there yet. */
  add(operation: O, after: Iterable<NodeId> = []): NodeId {
    const id = this.#nodes.length + 1
    const sorted = [...new Set(after)].sort((a, b) => a - b)
    if (sorted.some(node => node < 1 || node >= id)) throw new RangeError(`Node ${id} cannot come after ${sorted}`)
    this.#nodes.push({ id, operation, after: sorted })
    return id
  }

  /** Something the reader should know that no operation shows. */
  warn(message: string): void {
    this.#warnings.push(message)
  }

  /** Something in the stack that cannot be done, with its place; the plan is finished all the same, to find the others. */
  refuse(project: Project, path: readonly string[], problem: Pick<Problem, 'code' | 'message' | 'hint'>): void {
    this.#problems.add({ severity: 'error', place: project.place(path), path, ...problem })
  }

  /** Takes over what `work` finds wrong with the stack. */
  collect(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (!(error instanceof ProblemsFailure)) throw error
      for (const problem of error.problems) this.#problems.add(problem)
    }
  }

  /** @throws ProblemsFailure with all that was refused. */
  settle(): void {
    this.#problems.settle()
  }

  /** Some of its nodes are an update of a service, of which it is known what follows a failure. */
  roll(rollout: Rollout<O>): void {
    this.#rollouts.push(rollout)
  }

  get rollouts(): readonly Rollout<O>[] {
    return this.#rollouts
  }

  /** A container that stays as it is: it runs, or has been stopped before. */
  keep(name: string, state: Kept['state'] = 'running', service?: string): void {
    this.#kept.push({ name, state, ...(service === undefined ? {} : { service }) })
  }

  /** Containers that stay as they are. */
  get kept(): readonly Kept[] {
    return this.#kept
  }

  /** Names of containers that run and stay as they are. */
  get running(): readonly string[] {
    return this.#kept.filter(({ state }) => state === 'running').map(({ name }) => name)
  }

  /** In an order in which they could run one by one. */
  get nodes(): readonly PlanNode<O>[] {
    return this.#nodes
  }

  get warnings(): readonly string[] {
    return this.#warnings
  }

  get empty(): boolean {
    return this.#nodes.length === 0
  }

  /** What destroys data that cannot be made again, which a person must confirm: named volumes. */
  destructive(): readonly PlanNode<O>[] {
    return this.#nodes.filter(({ operation }) => this.words.destroys(operation))
  }
}
