/** A check that throws, as zod has it: the failure's message is the issue's. */
import type { z } from 'zod'
import { isFailure } from '../../lib/failure.ts'

/** @param path below the value, for what is wrong with a part of it. */
export function checked<T>(
  check: (value: T) => void,
  path: readonly string[] = [],
): (value: T, context: z.RefinementCtx) => void {
  return (value, context) => {
    try {
      check(value)
    } catch (error) {
      if (!isFailure(error)) throw error
      context.addIssue({ code: 'custom', message: error.message, path: [...path] })
    }
  }
}
