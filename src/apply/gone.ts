/** Whoever removed it first did what was wanted. */
import { isFailure } from '../lib/failure.ts'

export async function gone(call: Promise<unknown>): Promise<undefined> {
  try {
    await call
  } catch (error) {
    if (!isFailure(error, 'not-found')) throw error
  }
  return undefined
}
