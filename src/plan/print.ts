/** A plan step by step as text, for --dry-run, `plan --steps` and goldens; and as data, for `plan --json`. */
import { printable } from '../lib/text.ts'
import type { Batches } from './batches.ts'
import type { Change } from './change.ts'
import type { Action } from './operation.ts'
import type { Plan } from './plan.ts'
import { type Row, summarize, totals } from './summary.ts'

/** One line a node, as "#5 <1,2,3> container shop-db-1 create-container no container for replica 1"; "" when empty. */
export function printPlan(plan: Plan): string {
  const { words, nodes } = plan
  const rows = nodes.map(({ id, operation, after }) => [
    `#${id}${after.length > 0 ? ` <${after.join(',')}>` : ''}`,
    words.resource(operation),
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

/** `plan --json`, version 2; bodies are left out: they hold what is secret. */
export interface PlanJson {
  readonly version: 2
  /** By service and thing, as `plan` prints them. */
  readonly changes: readonly {
    readonly kind: Row['kind']
    readonly name: string
    readonly action: Action
    readonly cause: string
    /** Names of the containers it happens to. */
    readonly containers: readonly string[]
    /** Values in the stack's notation; of secrets a short hash. */
    readonly fields: readonly Change[]
    /** Data is lost for good: up asks before it. */
    readonly destroys?: true
  }[]
  readonly totals: Readonly<Partial<Record<Action, number>>>
  /** Rolling updates among the changes, by service; times in milliseconds. */
  readonly updates: readonly ({ readonly service: string } & Batches)[]
  /** Operations in the order in which they could run one by one; the ids in `after` count within their phase. */
  readonly steps: readonly StepJson[]
  readonly warnings: readonly string[]
}

export interface StepJson {
  readonly phase: 'pull' | 'build' | 'apply'
  readonly id: number
  readonly after: readonly number[]
  readonly resource: string
  readonly name: string
  readonly operation: string
  readonly cause: string
  readonly service?: string
  readonly services?: readonly string[]
}

export interface Phases {
  readonly pulls: Plan
  readonly builds: Plan
  readonly plan: Plan
}

export function planJson({ pulls, builds, plan }: Phases): PlanJson {
  const rows = summarize([pulls, builds, plan])
  return {
    version: 2,
    changes: rows.map(({ kind, name, action, cause, containers, changes, destroys }) => ({
      kind,
      name,
      action,
      cause,
      containers,
      fields: changes,
      ...(destroys ? { destroys } : {}),
    })),
    totals: totals(rows),
    updates: plan.rollouts.flatMap(({ service, shape }) => (shape ? [{ service, ...shape }] : [])),
    steps: [...stepsJson('pull', pulls), ...stepsJson('build', builds), ...stepsJson('apply', plan)],
    warnings: plan.warnings,
  }
}

function stepsJson(phase: StepJson['phase'], { words, nodes }: Plan): readonly StepJson[] {
  return nodes.map(({ id, after, operation }) => ({
    phase,
    id,
    after,
    resource: words.resource(operation),
    name: operation.name,
    operation: operation.kind,
    cause: operation.cause,
    ...(operation.service === undefined ? {} : { service: operation.service }),
    ...(operation.services === undefined ? {} : { services: operation.services }),
  }))
}
