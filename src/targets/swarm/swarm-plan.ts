/** A plan for a swarm. */
import { Plan } from '../../plan/plan.ts'
import type { SwarmOperation } from './operation.ts'
import { words } from './words.ts'

export class SwarmPlan extends Plan<SwarmOperation> {
  constructor() {
    super(words)
  }
}
