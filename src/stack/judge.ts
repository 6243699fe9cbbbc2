/** What no engine takes although the format lets it pass → Problems that block the services concerned. */
import type { Problems } from '../lib/problems.ts'
import { textOf } from './fields/forms.ts'
import type { Complaint } from './fields/values.ts'
import { stack } from './fields.ts'
import { longShape, memberShape, optionFor, type Shape } from './grammar.ts'
import { get, isNull, type MapNode, type Node, placeOf, textAt } from './tree.ts'

/**
 * Judges a finished tree. Compose's own `config` lets all of this pass, and so it is a warning; whatever would make the
 * services in `blocks` takes it for an error before anything is made.
 */
export function judge(tree: MapNode, problems: Problems): void {
  const path: string[] = []
  const complain = (node: Node, complaint: Complaint | undefined, what: 'value' | 'key' = 'value'): void => {
    if (!complaint) return
    problems.add({
      severity: 'warning',
      code: 'no-engine-takes-it',
      place: placeOf(node, what),
      path: [...path],
      blocks: blockedBy(tree, path),
      ...complaint,
    })
  }
  const visit = (node: Node, shape: Shape): void => {
    if (!mayComplain(shape)) return
    const option = shape.kind === 'choice' ? optionFor(shape, node) : shape
    if (!option || isNull(node)) return
    if (node.kind === 'scalar') {
      if (option.kind === 'text') {
        const text = textOf(node)
        if (text !== '') complain(node, option.judge?.(text))
      } else if ('judge' in option && typeof node.value === 'number') complain(node, option.judge?.(node.value))
      return
    }
    const members = node.kind === 'map' ? node.entries : node.items.map((item, i) => [String(i), item] as const)
    for (const [key, member] of members) {
      path.push(key)
      if (option.kind === 'map')
        complain(member, option.judgeEntry?.(key, member.kind === 'scalar' ? textOf(member) : ''), 'key')
      const inner = option.kind === 'list' ? option.items : memberShape(option, key)
      if (inner) visit(member, longShape(inner))
      path.pop()
    }
  }
  visit(tree, stack)
}

const known = new WeakMap<Shape, boolean>()

/** Whether anything in a shape is judged: most of the grammar is passed over. */
function mayComplain(shape: Shape): boolean {
  const before = known.get(shape)
  if (before !== undefined) return before
  known.set(shape, false)
  const inside =
    shape.kind === 'list'
      ? [shape.items]
      : shape.kind === 'map'
        ? [shape.values]
        : shape.kind === 'choice'
          ? shape.options
          : shape.kind === 'object'
            ? Object.values(shape.fields)
            : []
  const found =
    ('judge' in shape && shape.judge !== undefined) ||
    ('judgeEntry' in shape && shape.judgeEntry !== undefined) ||
    inside.some(each => mayComplain(longShape(each)))
  known.set(shape, found)
  return found
}

/** The services that cannot be made without what stands at a path. */
function blockedBy(tree: MapNode, path: readonly string[]): readonly string[] {
  const [section, name = ''] = path
  if (section === 'services') return [name]
  const services = get(tree, 'services')
  if (services?.kind !== 'map' || section === undefined) return []
  return [...services.entries].filter(([, service]) => uses(get(service, section), name)).map(([service]) => service)
}

function uses(used: Node | undefined, name: string): boolean {
  if (used?.kind === 'map') return used.entries.has(name)
  return used?.kind === 'list' && used.items.some(item => textAt(item, 'source') === name)
}
