/** depends_on: a list of services, or each with a condition. */
import { bool, choice, listOf, mapTo, object, oneOf, type Shape, text } from '../grammar.ts'
import { map, mapOf, type Node, scalar } from '../tree.ts'
import { namePattern, textOf } from './forms.ts'

const entry = object(
  {
    restart: bool('Restart this service too when the dependency is updated.'),
    required: bool('Otherwise start also without it, with a warning.', { strict: true, keep: true }),
    condition: oneOf(['service_started', 'service_healthy', 'service_completed_successfully'], 'What to wait for.'),
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

function expand(node: Node): Node {
  const entries = new Map<string, Node>()
  if (node.kind === 'list') {
    for (const item of node.items)
      if (item.kind === 'scalar')
        entries.set(textOf(item), {
          ...mapOf({ condition: 'service_started', required: true }, item),
          keyOffset: item.offset,
        })
  } else if (node.kind === 'map') {
    for (const [name, member] of node.entries) {
      if (member.kind !== 'map' || member.entries.has('required')) entries.set(name, member)
      else entries.set(name, { ...member, entries: new Map(member.entries).set('required', scalar(true)) })
    }
  } else return node
  return map(entries, node)
}
