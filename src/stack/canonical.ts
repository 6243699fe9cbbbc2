/** Each file to long form, field by field, before merging: merge rules then see one shape. */
import { type Context, longShape, memberShape, optionFor, type Shape } from './grammar.ts'
import { dedupe } from './merge.ts'
import { isNull, list, type Node } from './tree.ts'

/** The long form of `node`; maps and lists are rewritten in place where they can be. */
export function canonical(node: Node, shape: Shape, context: Context): Node {
  if (isNull(node) && !shape.canonical) return node
  const form = shape.canonical ? shape.canonical(node, context) : node
  let long = longShape(shape)
  if (long.kind === 'choice') {
    const option = optionFor(long, form)
    if (!option) return form
    if (option !== shape && (option.canonical || option.long)) return canonical(form, option, context)
    long = option
  }
  if (form.kind === 'map') {
    if (long.kind !== 'map' && long.kind !== 'object') return form
    for (const [key, member] of form.entries) {
      const inner = memberShape(long, key)
      if (!inner || leaf(inner)) continue
      context.path.push(key)
      const result = canonical(member, inner, context)
      context.path.pop()
      if (result !== member) {
        result.keyOffset = member.keyOffset
        form.entries.set(key, result)
      }
    }
    return form
  }
  if (form.kind === 'list' && long.kind === 'list') {
    let items = form.items
    if (!leaf(long.items)) {
      items = items.map((item, index) => {
        context.path.push(String(index))
        const result = canonical(item, long.items, context)
        context.path.pop()
        return result
      })
    }
    if (long.key) items = dedupe(items, long.key)
    return items === form.items ? form : { ...list(items, form), previous: form.previous, origin: form.origin }
  }
  return form
}

/** Whether nothing below can change. */
function leaf(shape: Shape): boolean {
  return (
    (shape.kind === 'text' ||
      shape.kind === 'bool' ||
      shape.kind === 'int' ||
      shape.kind === 'float' ||
      shape.kind === 'bytes' ||
      shape.kind === 'duration') &&
    !shape.canonical
  )
}
