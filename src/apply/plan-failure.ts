/** What failed of a plan. */
import { Failure } from '../lib/failure.ts'
import type { PlannedOperation } from '../plan/operation.ts'
import type { PlanNode } from '../plan/plan.ts'

export interface FailedNode<O extends PlannedOperation = PlannedOperation> {
  readonly node: PlanNode<O>
  readonly failure: Failure
  /** A wait that has taken longer than it may. */
  readonly late?: boolean
}

/** All that failed, joined; kind, hint and exit code are those of the first. */
export class PlanFailure<O extends PlannedOperation = PlannedOperation> extends Failure {
  readonly failed: readonly FailedNode<O>[]

  constructor(failed: readonly [FailedNode<O>, ...FailedNode<O>[]]) {
    const { kind, hint, exitCode } = failed[0].failure
    const failures = failed.map(each => each.failure)
    super(kind, failures.map(failure => failure.message).join('\n'), {
      cause: failures.length === 1 ? failures[0] : new AggregateError(failures),
      ...(hint === undefined ? {} : { hint }),
      ...(exitCode === undefined ? {} : { exitCode }),
    })
    this.name = 'PlanFailure'
    this.failed = failed
  }
}
