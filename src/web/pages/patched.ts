/** Rows as they are after what the server has told of them, in the order in which they were first told. */
import type { Patch } from '../wire.ts'

export function patched<T>(
  before: readonly T[] | undefined,
  { whole = false, set, gone }: Patch<T>,
  keyOf: (row: T) => string,
): readonly T[] {
  const rows = new Map(whole ? [] : (before ?? []).map(row => [keyOf(row), row]))
  for (const row of set) rows.set(keyOf(row), row)
  for (const key of gone) rows.delete(key)
  return [...rows.values()]
}
