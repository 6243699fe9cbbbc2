/** Values that remember file, line and column of their key and value, through merge, extends and include. */
import type { Place } from '../lib/problems.ts'

export type Scalar = string | number | boolean | null

export interface ScalarNode {
  readonly kind: 'scalar'
  value: Scalar
  place: Place | undefined
}
export interface ListNode {
  readonly kind: 'list'
  items: Node[]
  place: Place | undefined
}
export interface MapNode {
  readonly kind: 'map'
  entries: Map<string, Node>
  place: Place | undefined
}
export type Node = ScalarNode | ListNode | MapNode
