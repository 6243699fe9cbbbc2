/** One container that takes the place of another in an update. */
import type { ObservedContainer } from './observed.ts'
import type { NodeId, Ref } from './operation.ts'

/** A container that takes the place of another, and the nodes by which it does. */
export interface Turn {
  /** What it is called at the end. */
  readonly name: string
  /** The container that comes. */
  readonly container: Ref
  /** The one that goes. */
  readonly old: ObservedContainer
  /** Those that show whether the new one is any good: when one fails, the turn has. */
  readonly trials: readonly NodeId[]
  /** All of it. */
  readonly nodes: readonly NodeId[]
  readonly created: NodeId
  readonly started: NodeId
  /** The ports and names of the old one are the new one's; undefined where there are none to pass. */
  readonly takenOver: NodeId | undefined
  /** Undefined where the old one did not run. */
  readonly stopped: NodeId | undefined
  /** The old one has a name of its own, or is gone. */
  readonly retired: NodeId
  readonly named: NodeId
}
