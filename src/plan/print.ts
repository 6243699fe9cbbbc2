/** A plan as text, for --dry-run, `plan` and goldens; and as data, for --format json. */
import { Failure } from '../lib/failure.ts'
import type { Plan } from './plan.ts'

/** One line a node, as "#5 <1,2,3> container shop-db-1 create-container no container for replica 1"; "" when empty. */
export function printPlan(_plan: Plan): string {
  throw new Failure('internal', 'Not yet written')
}

/** Without bodies: they hold what is secret. */
export interface PlanJson {
  readonly changes: readonly {
    readonly id: number
    readonly after: readonly number[]
    readonly resource: string
    readonly name: string
    readonly operation: string
    readonly cause: string
    readonly service?: string
  }[]
  readonly warnings: readonly string[]
}

export function planJson(_plan: Plan): PlanJson {
  throw new Failure('internal', 'Not yet written')
}
