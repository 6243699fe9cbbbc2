/** What is told while a plan is applied; the command line turns it into lines or a live list. */
import type { BuildEvent } from '../client/buildkit/events.ts'
import type { PlannedOperation } from '../plan/operation.ts'
import type { PlanNode } from '../plan/plan.ts'

/** healthy, exited: what was waited for; in-use: something else still needs it, so it stays; unready: it was optional, and is not as it should be. */
export type Outcome = 'healthy' | 'exited' | 'running' | 'unready' | 'in-use'

export type ApplyEvent<O extends PlannedOperation = PlannedOperation> =
  | { readonly kind: 'started'; readonly node: PlanNode<O> }
  /** Of a pull: `current` and `total` in bytes over all layers known so far; of a wait: what it waits for. */
  | {
      readonly kind: 'progress'
      readonly node: PlanNode<O>
      readonly text: string
      readonly current?: number
      readonly total?: number
    }
  /** What an image's build tells. */
  | { readonly kind: 'build'; readonly node: PlanNode<O>; readonly event: BuildEvent }
  | { readonly kind: 'warning'; readonly node: PlanNode<O>; readonly text: string }
  /** A line that a hook has printed. */
  | { readonly kind: 'output'; readonly node: PlanNode<O>; readonly text: string }
  | {
      readonly kind: 'done'
      readonly node: PlanNode<O>
      /** What became of it, where that is not known beforehand. */
      readonly outcome: Outcome | undefined
      readonly milliseconds: number
    }
  | { readonly kind: 'failed'; readonly node: PlanNode<O>; readonly error: Error; readonly milliseconds: number }
  /** Once a node that was never started. `because`: the failed node it depends on, undefined when the whole was stopped. */
  | { readonly kind: 'skipped'; readonly node: PlanNode<O>; readonly because: PlanNode<O> | undefined }
