/** JSON with sorted keys: the same data gives the same bytes, whatever order it was built in. */
import { hash } from 'node:crypto'

/** Stringifies with keys sorted and `undefined` members left out; a cycle is a TypeError, as in JSON.stringify. */
function stableJson(value: unknown): string {
  return JSON.stringify(sorted(value)) ?? 'null'
}

/** Hex sha256 of the stable JSON. */
export function stableHash(value: unknown): string {
  return hash('sha256', stableJson(value))
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)]),
  )
}
