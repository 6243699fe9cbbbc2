/** How many applies are kept, as TSCOMPOSE_HISTORY says. */
import { usualLength } from './history.ts'

/** Undefined: it says nothing that can be used. */
export function historyLength(env: Readonly<Record<string, string | undefined>>): number | undefined {
  const text = env['TSCOMPOSE_HISTORY']
  if (!text) return usualLength
  return /^\d{1,4}$/.test(text) ? Number(text) : undefined
}
