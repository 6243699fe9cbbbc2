/** What carries out the operations of a plan: the seam between walking a plan and the target it is for. */
import type { BuildEvent } from '../client/buildkit/events.ts'
import type { NodeId, PlannedOperation } from '../plan/operation.ts'
import type { Plan } from '../plan/plan.ts'
import type { Outcome } from './events.ts'

export interface PerformContext {
  /** What earlier nodes gave: ids of containers and images. */
  readonly results: ReadonlyMap<NodeId, string>
  /** Ends what may take long without changing anything: pulls, builds and waits. */
  readonly signal: AbortSignal
  readonly onProgress: (text: string, current?: number, total?: number) => void
  readonly onWarning: (text: string) => void
  readonly onOutput: (line: string) => void
  readonly onBuild: (event: BuildEvent) => void
}

export interface Performed {
  /** Of what was made. */
  readonly id?: string
  readonly outcome?: Outcome
}

export interface Performer<O extends PlannedOperation = PlannedOperation> {
  /** Once before the first operation of a plan, for what is to be ready by then. */
  begin?(plan: Plan<O>): void
  perform(operation: O, context: PerformContext): Promise<Performed | undefined>
  /** Once after the last operation. */
  end?(): Promise<void>
}
