/** Whether what failed would fail again, or was out of reach and may be there a moment later. */
import { PlanFailure } from './plan-failure.ts'

/** Each operation that failed was refused or went wrong; an engine or a registry that is away says nothing of what was asked for. */
export function isAnswered(error: unknown): error is PlanFailure {
  return error instanceof PlanFailure && !error.failed.some(({ failure: { kind } }) => elsewhere.has(kind))
}

const elsewhere: ReadonlySet<string> = new Set(['unavailable', 'cancelled'])
