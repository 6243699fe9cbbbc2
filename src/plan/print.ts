/** A plan as text, for --dry-run, `plan` and goldens; and as data, for --format json. */
import { printable } from '../lib/text.ts'
import { resourceKind } from './operation.ts'
import type { Plan } from './plan.ts'

/** One line a node, as "#5 <1,2,3> container shop-db-1 create-container no container for replica 1"; "" when empty. */
export function printPlan(plan: Plan): string {
  const rows = plan.nodes.map(({ id, operation, after }) => [
    `#${id}${after.length > 0 ? ` <${after.join(',')}>` : ''}`,
    resourceKind(operation),
    printable(operation.name),
    operation.kind,
    printable(operation.cause),
  ])
  const widths = [0, 1, 2, 3].map(column => Math.max(0, ...rows.map(row => row[column]!.length)))
  const gaps = [3, 1, 3, 2]
  return rows
    .map(row => `${row.map((cell, i) => (i < 4 ? cell.padEnd(widths[i]! + gaps[i]!) : cell)).join('')}\n`)
    .join('')
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
    readonly services?: readonly string[]
  }[]
  readonly warnings: readonly string[]
}

export function planJson(plan: Plan): PlanJson {
  return {
    changes: plan.nodes.map(({ id, after, operation }) => ({
      id,
      after,
      resource: resourceKind(operation),
      name: operation.name,
      operation: operation.kind,
      cause: operation.cause,
      ...('service' in operation && operation.service !== undefined ? { service: operation.service } : {}),
      ...('services' in operation ? { services: operation.services } : {}),
    })),
    warnings: plan.warnings,
  }
}
