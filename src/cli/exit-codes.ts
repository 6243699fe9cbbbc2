/** What a failure's kind makes of the exit code, as Compose has it: 0 well, 1 failed for whatever reason, 130 interrupted. */
import { Failure, type FailureKind } from '../lib/failure.ts'

const codes: Readonly<Record<FailureKind, number>> = {
  invalid: 1,
  'not-found': 1,
  conflict: 1,
  'not-modified': 0,
  denied: 1,
  unsupported: 1,
  unavailable: 1,
  cancelled: 130,
  internal: 1,
}

/** The exit code of the process that ends with `error`. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Failure) return codes[error.kind]
  if (error instanceof AggregateError) return Math.max(1, ...error.errors.map(exitCodeOf))
  return 1
}
