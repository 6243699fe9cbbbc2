/** depends_on: a list of services, or each with a condition. */
import { bool, choice, listOf, mapTo, object, oneOf, type Shape, text } from '../grammar.ts'
import { map, mapOf, type Node } from '../tree.ts'
import { namePattern, textOf } from './forms.ts'

const entry = object(
  {
    condition: oneOf(['service_started', 'service_healthy', 'service_completed_successfully'], 'What to wait for.'),
    restart: bool('Restart this service too when the dependency is updated.'),
    required: bool('Otherwise start also without it, with a warning.', { strict: true, keep: true }),
  },
  undefined,
  { required: ['condition'] },
)

export const dependsOn: Shape = choice(
  [listOf(text(), undefined, { unique: true }), mapTo(entry, undefined, { names: namePattern })],
  'Services to start before this one, and to stop after it.',
  {
    examples: [['db'], { db: { condition: 'service_healthy' } }],
    canonical: expand,
    long: mapTo(entry, 'Services to wait for.', { names: namePattern }),
  },
)

/** A condition given without `required` leaves what an earlier file says of it, so its default comes after merging. */
function expand(node: Node): Node {
  if (node.kind !== 'list') return node
  const entries = new Map<string, Node>()
  for (const item of node.items)
    if (item.kind === 'scalar')
      entries.set(textOf(item), {
        ...mapOf({ condition: 'service_started', required: true }, item),
        keyOffset: item.offset,
      })
  return map(entries, node)
}
