/** What failed of a plan. */
import type { Failure } from '../lib/failure.ts'
import { PlacedFailure, type Problem } from '../lib/problems.ts'
import type { PlannedOperation } from '../plan/operation.ts'
import type { PlanNode } from '../plan/plan.ts'

export interface FailedNode<O extends PlannedOperation = PlannedOperation> {
  readonly node: PlanNode<O>
  readonly failure: Failure
  /** A wait that has taken longer than it may. */
  readonly late?: boolean
}

/** All that failed, joined; kind, hint and exit code are those of the first. */
export class PlanFailure<O extends PlannedOperation = PlannedOperation> extends PlacedFailure {
  readonly failed: readonly [FailedNode<O>, ...FailedNode<O>[]]
  /** Those that were not begun, since they come after one that failed. */
  readonly left: readonly PlanNode<O>[]
  /** What failed with its place in the stack; empty where nobody has looked for that, or nothing has one. */
  readonly problems: readonly Problem[]

  constructor(
    failed: readonly [FailedNode<O>, ...FailedNode<O>[]],
    left: readonly PlanNode<O>[] = [],
    problems: readonly Problem[] = [],
  ) {
    const { kind, hint, exitCode } = failed[0].failure
    const failures = failed.map(each => each.failure)
    super(kind, failures.map(failure => failure.message).join('\n'), {
      cause: failures.length === 1 ? failures[0] : new AggregateError(failures),
      ...(hint === undefined ? {} : { hint }),
      ...(exitCode === undefined ? {} : { exitCode }),
    })
    this.name = 'PlanFailure'
    this.failed = failed
    this.left = left
    this.problems = problems
  }

  /** The same, told where `problemOf` says that it was asked for. */
  placed(problemOf: (failed: FailedNode<O>) => Problem): PlanFailure<O> {
    const problems = this.failed.map(problemOf)
    return new PlanFailure(this.failed, this.left, problems.some(({ place }) => place) ? problems : [])
  }

  /** Those that something has failed of, or was left undone for that. */
  get services(): ReadonlySet<string> {
    const operations = [...this.failed.map(({ node }) => node), ...this.left].map(node => node.operation)
    return new Set(operations.flatMap(({ service, services }) => services ?? service ?? []))
  }
}
