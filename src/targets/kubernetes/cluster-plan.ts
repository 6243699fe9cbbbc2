/** A plan for a cluster. */
import { Plan } from '../../plan/plan.ts'
import type { ClusterOperation } from './operation.ts'
import { words } from './words.ts'

export class ClusterPlan extends Plan<ClusterOperation> {
  constructor() {
    super(words)
  }
}
