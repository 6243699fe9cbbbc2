/** What an operation is about: an id that is known, or the result of an earlier operation. */
import { Failure } from '../lib/failure.ts'
import type { NodeId, Ref } from '../plan/operation.ts'

/** @throws Failure `internal` when the earlier one has given none */
export function resultOf(ref: Ref, results: ReadonlyMap<NodeId, string>): string {
  if (typeof ref === 'string') return ref
  const result = results.get(ref.node)
  if (result === undefined) throw new Failure('internal', `Cannot use the result of #${ref.node}: it has none`)
  return result
}
