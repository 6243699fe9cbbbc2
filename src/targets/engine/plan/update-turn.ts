/** One container that takes the place of another in an update. */

import type { NodeId } from '../../../plan/operation.ts'
import type { Turn as PlannedTurn } from '../../../plan/plan.ts'
import type { ObservedContainer } from '../observed.ts'

/** A container that takes the place of another, and the nodes by which it does. */
export interface Turn extends PlannedTurn {
  /** What it is called at the end. */
  readonly name: string
  /** The one that goes. */
  readonly old: ObservedContainer
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
