/** A plan for an engine. */
import { Plan, type PlanNode, type Rollout } from '../../plan/plan.ts'
import type { Operation } from './operation.ts'
import { words } from './words.ts'

export class EnginePlan extends Plan<Operation> {
  constructor() {
    super(words)
  }
}

export type EngineNode = PlanNode<Operation>
export type EngineRollout = Rollout<Operation>
